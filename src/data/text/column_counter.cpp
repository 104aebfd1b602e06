#include "src/data/text/column_counter.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/data/text/cell.hpp"

namespace recombine {

namespace {

bool is_whole(double number) {
  static constexpr double kAllWhole = 9007199254740992;  // from 2^53 on
  return std::abs(number) >= kAllWhole || static_cast<double>(static_cast<std::int64_t>(number)) == number;
}

/// 1,5 or -1234,5: a number if the comma is the decimal sign.
bool has_decimal_comma(std::string_view cell) {
  return cell.find(',') != std::string_view::npos && number_in(cell, ',').has_value();
}

/// The number in the cell if it is written as one of 0 to 999.
std::optional<std::size_t> small_number(std::string_view cell) {
  static constexpr std::size_t kDigits = 3;
  if (cell.size() > kDigits || (cell.size() > 1 && cell[0] == '0')) return std::nullopt;
  std::size_t number = 0;
  for (const char c : cell) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + static_cast<std::size_t>(c - '0');
  }
  return number;
}

}  // namespace

void ColumnCounter::add_number(std::string_view cell, double number) {
  if (counts_.numbers == 0) counts_.least = counts_.most = number;
  counts_.least = std::min(counts_.least, number);
  counts_.most = std::max(counts_.most, number);
  ++counts_.numbers;
  counts_.whole = counts_.whole && is_whole(number);
  if (rows_ == 0) {
    first_ = number;
  } else {
    counts_.counts_rows = counts_.counts_rows && number == last_ + 1;
  }
  last_ = number;
  list_number(cell);
}

void ColumnCounter::list_number(std::string_view cell) {
  if (numbers_.has_more()) return;
  const std::optional<std::size_t> small = small_number(cell);
  if (small && small_[*small]) return numbers_.repeat();
  numbers_.add(cell);
  if (small) small_.set(*small);
}

void ColumnCounter::add_text(std::string_view cell, std::int64_t line) {
  counts_.counts_rows = false;
  if (counts_.first_text == 0) {
    counts_.first_text = line;
    counts_.first_text_value = cell;
  }
  const bool known = texts_.add(cell);
  if (!known && first_not_utf8_ == 0 && !is_utf8(cell)) first_not_utf8_ = line;
}

void ColumnCounter::add(std::string_view cell, char decimal, std::int64_t line) {
  const Cell read = read_cell(cell, decimal);
  switch (read.kind) {
    case CellKind::number: add_number(cell, read.number); break;
    case CellKind::missing:
      counts_.counts_rows = false;
      if (counts_.missing++ == 0) counts_.first_missing = line;
      break;
    case CellKind::yes_no: ++counts_.yes_no, add_text(cell, line); break;
    case CellKind::date: ++counts_.dates, add_text(cell, line); break;
    case CellKind::text:
      ++counts_.texts;
      if (commas_ + 1 == counts_.texts && has_decimal_comma(cell)) ++commas_;
      add_text(cell, line);
      break;
  }
  ++rows_;
}

void ColumnCounter::add(const ColumnCounter& later, std::int64_t lines) {
  const ColumnProfile& more = later.counts_;
  if (later.rows_ == 0) return;
  counts_.counts_rows = counts_.counts_rows && more.counts_rows && (rows_ == 0 || later.first_ == last_ + 1);
  if (rows_ == 0) first_ = later.first_;
  last_ = later.last_;
  if (more.numbers > 0) {
    counts_.least = counts_.numbers > 0 ? std::min(counts_.least, more.least) : more.least;
    counts_.most = counts_.numbers > 0 ? std::max(counts_.most, more.most) : more.most;
  }
  if (counts_.first_missing == 0 && more.first_missing > 0) counts_.first_missing = more.first_missing + lines;
  if (counts_.first_text == 0 && more.first_text > 0) {
    counts_.first_text = more.first_text + lines;
    counts_.first_text_value = more.first_text_value;
  }
  if (first_not_utf8_ == 0 && later.first_not_utf8_ > 0) first_not_utf8_ = later.first_not_utf8_ + lines;
  if (commas_ == counts_.texts) commas_ += later.commas_;
  counts_.missing += more.missing;
  counts_.numbers += more.numbers;
  counts_.yes_no += more.yes_no;
  counts_.dates += more.dates;
  counts_.texts += more.texts;
  counts_.whole = counts_.whole && more.whole;
  rows_ += later.rows_;
  const bool all_listed =
      !later.numbers_.has_more() && later.numbers_.size() == later.small_.count() && (later.small_ & ~small_).none();
  if (all_listed && later.numbers_.size() > 0) {
    numbers_.repeat();
  } else {
    numbers_.add(later.numbers_);
    small_ |= later.small_;
  }
  texts_.add(later.texts_);
}

std::int64_t ColumnCounter::first_comma() const {
  const bool only = commas_ > 0 && commas_ == counts_.texts && counts_.dates == 0 && counts_.yes_no == 0;
  return only ? counts_.first_text : 0;
}

ColumnProfile ColumnCounter::profile(Encoding encoding) const {
  ColumnProfile all = counts_;
  all.first_text_value = utf8(all.first_text_value, encoding);
  for (const ValueList* list : {&numbers_, &texts_}) {
    for (std::size_t i = 0; i < list->size(); ++i) all.values.insert(utf8((*list)[i], encoding));
    all.has_more_values = all.has_more_values || list->has_more();
    all.repeats = all.repeats || list->repeats();
  }
  return all;
}

}  // namespace recombine
