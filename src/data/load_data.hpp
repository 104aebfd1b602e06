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

/// What to load. All fields except `answers`, `purpose`, `schema` and `memory` are the options of the same names. "":
/// the option is not given.
struct DataOptions {
  std::string data = "fashion-mnist";  ///< fashion-mnist | DIR with IDX files | FILE | - | synthetic:ROWS,IN,OUT
  std::string target;                  ///< tables: the target columns, by name or number
  std::string target_data;             ///< with --data X.npy: the targets, Y.npy
  std::string features, ignore;        ///< tables: the only input columns; columns that are not inputs
  TextOptions text = {};
  std::int64_t categories = 64;  ///< a category column has at most so many texts
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

/// absent: --data has no targets, or not in every row, which DataOptions.schema allows. The labels or targets are all
/// 0; the rows can be predicted, but not scored.
enum class Answers { present, absent };

/// The data, how they were read, and what a user should know about them: lines for the screen.
struct DataSet {
  LoadedData data;
  TableSchema schema;
  std::vector<std::string> notes;
  Answers answers = Answers::present;
};

/// The paths that --data may read; some may not exist.
std::vector<std::string> files_of(const DataOptions& options);

/// Reads, checks and splits the data. Called on the first rank of each host. @throws InputError that names file, line
/// and column
DataSet load_data(const DataOptions& options);

}  // namespace recombine
