#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/data/text/encoding.hpp"
#include "src/data/text/profile.hpp"
#include "src/data/text/value_table.hpp"

namespace recombine {

/// How many different values of a column are listed.
struct ValueLimits {
  std::size_t numbers = 0, texts = 0;
};

/// Counts the cells of one column in one chunk, row by row. The counters of all chunks are added in the order of the
/// file.
class ColumnCounter {
 public:
  explicit ColumnCounter(const ValueLimits& limits) : numbers_(limits.numbers), texts_(limits.texts) {}

  void add(std::string_view cell, char decimal, std::int64_t line);
  /// Adds the rows of a later chunk, to whose line numbers `lines` must be added.
  void add(const ColumnCounter& later, std::int64_t lines);

  /// Which values later chunks still need to list.
  ValueLimits wanted(const ValueLimits& limits) const {
    return {numbers_.has_more() ? 0 : limits.numbers, texts_.has_more() ? 0 : limits.texts};
  }
  std::int64_t first_not_utf8() const { return first_not_utf8_; }  ///< line; 0: all text is UTF-8
  /// Decimal commas in a column that otherwise holds only numbers: the line of the first one, or 0.
  std::int64_t first_comma() const;
  ColumnProfile profile(Encoding encoding) const;

 private:
  void add_number(std::string_view cell, double number);
  void list_number(std::string_view cell);
  void add_text(std::string_view cell, std::int64_t line);

  ColumnProfile counts_;         ///< without its values
  double first_ = 0, last_ = 0;  ///< numbers of the first and the last row
  std::int64_t rows_ = 0;
  std::int64_t commas_ = 0;          ///< texts such as 1,5
  std::int64_t first_not_utf8_ = 0;  ///< line
  ValueList numbers_, texts_;
  std::bitset<1000> small_;  ///< which of the cells 0 to 999 are listed: a fast test for most cells of images
};

}  // namespace recombine
