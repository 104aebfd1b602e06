#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/data/table/table_columns.hpp"

namespace recombine {

/// What a row of a file is used for.
enum class RowRole : std::uint8_t { train, test, validation, dropped };

/// Rows of each role except `dropped`.
using RowCounts = std::array<std::int64_t, 3>;

/// The fraction of the rows that --test or --validation asks for. None: `text` names a file.
/// @throws InputError if `text` is a number, but not between 0 and 1
std::optional<double> fraction_of(const std::string& option, const std::string& text);

/// A share of rows for one of the two options.
struct Share {
  std::string option;  ///< for messages: "test"
  std::string text;    ///< its value, for messages
  double share = 0;
  RowRole role = RowRole::test;
};

/// Gives a share of the training rows another role: at least one row, but not all. The seed determines which rows.
/// @throws InputError if there are fewer than two
void split_rows(std::vector<RowRole>& roles, const Share& share, std::uint64_t seed);

/// The shares that the options ask for, in the order in which rows are taken. An option that names a file has none.
std::vector<Share> shares_of(const std::string& test, const std::string& validation);

RowCounts count_rows(const std::vector<RowRole>& roles);
/// LoadedTable::rows_of_file of the table of a role.
std::vector<bool> rows_of_file(const std::vector<RowRole>& roles, RowRole role);
/// For each chunk, the number of rows of each role before it.
std::vector<RowCounts> counts_before(const std::vector<RowRole>& roles, const std::vector<TextChunk>& chunks);

}  // namespace recombine
