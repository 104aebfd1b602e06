#pragma once

#include <string>

#include "src/data/table/table_columns.hpp"

namespace recombine {

/// What the table must have. answers: the inputs and the targets. inputs: the table may lack the target columns.
/// all_inputs: if even one row lacks a target, no target is read, so that no row is left out.
enum class Need { answers, inputs, all_inputs };

/// What a new table is read for.
struct Match {
  const TableSchema& schema;  ///< of the training table
  std::string option;         ///< that names the file: "validation"
  std::string target;         ///< --target, or ""
  Need need = Need::answers;
};

/// Finds the columns of the training table in another table: by name, in any order; or by position if one of the tables
/// has no header. Ignores other columns. @throws InputError that names all missing columns
TableColumns match_columns(const Match& match, const TableFacts& table);

}  // namespace recombine
