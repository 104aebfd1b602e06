#pragma once

#include <string>
#include <vector>

#include <fmt/core.h>

#include "src/data/text/profile.hpp"

namespace recombine {

/// All that a profile says, but for its chunks.
inline std::string described(const TableProfile& table) {
  std::string all = fmt::format("rows {}\n", table.rows);
  for (const ColumnProfile& c : table.columns) {
    all += fmt::format("{} {} {} {} {}, {} {} '{}', {} {} {} {} {} {}:", c.missing, c.numbers, c.yes_no, c.dates,
                       c.texts, c.first_missing, c.first_text, c.first_text_value, c.whole, c.counts_rows, c.least,
                       c.most, c.has_more_values, c.repeats);
    for (const std::string& value : c.values) all += fmt::format(" [{}]", value);
    all += "\n";
  }
  return all;
}

/// All rows with their lines, read chunk by chunk. Each chunk must have as many rows as it says.
inline std::string rows_of(const TextFile& text, const Dialect& dialect, const TableProfile& table) {
  std::vector<std::string> parts(table.chunks.size());
  for_each_chunk(text, dialect, table.chunks, [&](std::size_t c, RowReader& rows) {
    std::int64_t count = 0;
    for (std::vector<std::string_view> cells; rows.next(cells); ++count) {
      parts[c] += fmt::format("{}:", rows.line());
      for (const std::string_view cell : cells) parts[c] += fmt::format("[{}]", cell);
    }
    if (count != table.chunks[c].rows) parts[c] += " and other rows";
  });
  std::string all;
  std::int64_t rows = 0;
  for (std::size_t c = 0; c < parts.size(); ++c) {
    if (table.chunks[c].first_row != rows) all += " wrong first row ";
    rows += table.chunks[c].rows;
    all += parts[c];
  }
  return all + (rows == table.rows ? "" : " wrong number of rows");
}

}  // namespace recombine
