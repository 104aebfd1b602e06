#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/data/table_schema.hpp"
#include "src/data/text/dialect.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

enum class Standardize { automatic, yes, no };  ///< automatic: tables and arrays of numbers, but not images

/// What --loss makes of a target column of whole numbers. automatic: classes if they are few.
enum class AnswerKind { automatic, numbers, classes };

/// What the rows of --data are for. With a schema, `predictions` keeps the rows that lack a target.
enum class Purpose { training, predictions };

/// What to load. All fields except `answers`, `purpose`, `schema` and `memory` are the options of the same names; "" is not given.
struct DataOptions {
  std::string data = "fashion-mnist";  ///< fashion-mnist | DIR with IDX files | FILE | - | synthetic:ROWS,IN,OUT
  std::string target;                  ///< tables: the target columns, by name or number
  std::string target_data;             ///< with --data X.npy: the targets, Y.npy
  std::string features, ignore;        ///< tables: the input columns; the columns that are no inputs
  TextOptions text = {};
  std::int64_t categories = 64;  ///< the most texts of a category column
  Missing missing = Missing::mean;
  Standardize standardize = Standardize::automatic;
  AnswerKind answers = AnswerKind::automatic;
  std::string validation;  ///< "": none; a fraction of the training rows ("0.1"), or a file
  std::string test;        ///< as validation
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::training;
  std::optional<TableSchema> schema = {};  ///< of a saved model: read the data as its training data were read
  DataMemory memory = {};                  ///< limits on what the tables may take
};

/// absent: the training table of a data set has no targets, because DataOptions.schema allows it. Its labels or targets
/// are all 0, and its rows can only be predicted.
enum class Answers { present, absent };

/// The data, how they were read, and what a user should know about it: lines for the screen.
struct DataSet {
  LoadedData data;
  TableSchema schema;
  std::vector<std::string> notes;
  Answers answers = Answers::present;
};

/// The paths that --data may read; some may not exist.
std::vector<std::string> files_of(const DataOptions& options);

/// Reads, checks and splits. Called on the first rank of each host. @throws InputError naming file, line and column
DataSet load_data(const DataOptions& options);

}  // namespace recombine
