#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/nn/optimizer.hpp"

namespace recombine {

/// What the defaults depend on.
struct DataFacts {
  enum class Kind { images, table, synthetic };

  Kind kind = Kind::images;
  std::int64_t rows = 0;  ///< training rows
};

/// The options that the user gave; the defaults for the others follow from these.
struct GivenOptions {
  std::optional<std::vector<std::int64_t>> hidden = {};
  std::optional<std::int64_t> batch_size = {};  ///< may be more than all rows
  std::int64_t accumulate = 1;
  std::optional<std::int64_t> epochs = {};
  std::int64_t steps = 0;  ///< 0: as many as the epochs have
  OptimizerKind optimizer = OptimizerKind::adamw;
  std::optional<double> lr = {};
  std::optional<std::int64_t> warmup = {};
  std::optional<double> weight_decay = {};
};

/// A value for each option: the given one, or the default.
struct DataDefaults {
  std::vector<std::int64_t> hidden;
  std::int64_t batch_size = 0;  ///< at most all rows, unless it was given
  std::int64_t epochs = 0;
  double lr = 0;
  std::int64_t warmup = 0;
  double weight_decay = 0;
};

/// False for images from 20,000 rows on, and for synthetic data: their defaults are fixed.
bool defaults_depend_on_rows(const DataFacts& facts);

/// Defaults that train well in seconds: many images and large tables get wide layers and large batches, few rows small
/// layers and many passes. Measured with tables of 150 to 1,000,000 rows, and 300 to 60,000 images.
/// @pre facts.rows > 0
DataDefaults defaults_for(const DataFacts& facts, const GivenOptions& given = {});

/// The options that were not given, as they stand on the command line: "--hidden 128 --batch-size 16 ...".
std::string options_not_given(const DataDefaults& defaults, const GivenOptions& given);

}  // namespace recombine
