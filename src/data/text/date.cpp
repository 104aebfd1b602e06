#include "src/data/text/date.hpp"

#include <algorithm>
#include <array>

namespace recombine {

namespace {

bool is_letter(char c) { return static_cast<unsigned>((c | 0x20) - 'a') < 26; }
bool is_digit(char c) { return static_cast<unsigned>(c - '0') < 10; }

/// Takes parts from the beginning of a text.
class Parts {
 public:
  explicit Parts(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  /// A number of at most `most` digits; its digits are counted.
  struct Number {
    int value = 0, digits = 0;
  };
  Number number(int most) {
    Number taken;
    while (taken.digits < most && !text_.empty() && is_digit(text_[0])) {
      taken.value = 10 * taken.value + (text_[0] - '0');
      ++taken.digits;
      text_.remove_prefix(1);
    }
    return taken;
  }
  /// One of the characters of `set`; 0: another one follows.
  char one_of(std::string_view set) {
    if (text_.empty() || set.find(text_[0]) == std::string_view::npos) return 0;
    const char taken = text_[0];
    text_.remove_prefix(1);
    return taken;
  }
  /// The letters that follow.
  std::string_view word() {
    const std::string_view taken = text_.substr(0, std::ranges::find_if_not(text_, is_letter) - text_.begin());
    text_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view text_;
};

/// True if a word is one of the names, or its first three letters; in any case.
template <std::size_t N>
bool is_name(std::string_view word, const std::array<std::string_view, N>& names) {
  static constexpr std::size_t kShort = 3;
  const auto same = [](char letter, char small) { return (letter | 0x20) == small; };
  return std::ranges::any_of(names, [&](std::string_view name) {
    const bool length = word.size() == kShort || word.size() == name.size();
    return length && std::ranges::equal(word, name.substr(0, word.size()), same);
  });
}

bool is_month_name(std::string_view word) {
  static constexpr std::array<std::string_view, 13> kMonths = {"january", "february", "march",   "april", "may",
                                                               "june",    "july",     "august",  "sept",  "september",
                                                               "october", "november", "december"};
  return is_name(word, kMonths);
}

bool is_day_name(std::string_view word) {
  static constexpr std::array<std::string_view, 9> kDays = {"monday", "tuesday", "tues",     "wednesday", "thursday",
                                                            "thurs",  "friday",  "saturday", "sunday"};
  return is_name(word, kDays);
}

bool is_day(Parts::Number n) { return n.digits >= 1 && n.digits <= 2 && n.value >= 1 && n.value <= 31; }
bool is_month(Parts::Number n) { return is_day(n) && n.value <= 12; }
bool is_year(Parts::Number n) { return n.digits == 4 || n.digits == 2; }

/// Takes marks between a day, the name of a month and a year, such as "-", ". " and ", ". False: there is none.
bool take_marks(Parts& parts) {
  const bool point = parts.one_of(".,") != 0;
  return parts.one_of(" -/") != 0 || point;
}

/// The rest of 1 Jan 1990, 01-Jan-90, 01JAN1990 or 1990-Jan-01, of which the first number is taken.
bool take_rest_after_number(Parts& parts, Parts::Number first) {
  const bool marks = take_marks(parts);
  if (!is_month_name(parts.word()) || take_marks(parts) != marks) return false;
  const Parts::Number last = parts.number(4);
  if (first.digits == 4) return marks && is_day(last);
  return is_day(first) && is_year(last) && (marks || last.digits == 4);
}

/// The rest of Jan 1, 1990, Jan 1990 or Jan-90, of which the month is taken.
bool take_rest_after_month(Parts& parts) {
  if (!take_marks(parts)) return false;
  const Parts::Number number = parts.number(4);
  Parts rest = parts;
  if (is_day(number) && take_marks(rest) && rest.number(4).digits == 4) {
    parts = rest;
    return true;
  }
  return is_year(number);
}

/// A date with the name of its month; it may begin with the name of a day.
bool take_named_date(Parts& parts) {
  Parts::Number number = parts.number(4);
  if (number.digits > 0) return take_rest_after_number(parts, number);
  const std::string_view word = parts.word();
  if (!is_day_name(word)) return is_month_name(word) && take_rest_after_month(parts);
  if (!take_marks(parts)) return false;
  number = parts.number(4);
  return number.digits > 0 ? take_rest_after_number(parts, number)
                           : is_month_name(parts.word()) && take_rest_after_month(parts);
}

/// 2021-03.
bool is_year_and_month(Parts parts) {
  const Parts::Number year = parts.number(4);
  if (year.digits != 4 || year.value < 1000 || year.value >= 3000 || parts.one_of("-") == 0) return false;
  const Parts::Number month = parts.number(2);
  return month.digits == 2 && is_month(month) && parts.at_end();
}

bool take_date(Parts& parts) {
  const Parts::Number first = parts.number(4);
  const char mark = parts.one_of("-/.");
  if (mark == 0) return false;
  const std::string_view same(&mark, 1);
  const Parts::Number second = parts.number(2);
  if (parts.one_of(same) == 0) return false;
  const Parts::Number third = parts.number(4);
  if (first.digits == 4) return is_month(second) && is_day(third);
  const bool year = third.digits == 4 || (third.digits == 2 && mark == '/');
  return year && is_day(first) && is_day(second) && (is_month(first) || is_month(second));
}

/// The zone after a time: Z, +01:00, -0500, AM, PM; or nothing.
bool take_zone(Parts& parts) {
  if (parts.one_of("Z") != 0) return true;
  if (parts.one_of("+-") != 0) {
    const bool hours = parts.number(2).digits == 2;
    parts.one_of(":");
    parts.number(2);
    return hours;
  }
  if (parts.one_of(" ") != 0 && parts.one_of("+-") != 0) return parts.number(4).digits == 4;
  Parts rest = parts;
  const std::string_view word = rest.word();
  if (word == "GMT" || word == "UTC") {
    parts = rest;
    return true;
  }
  return parts.one_of("AaPp") == 0 || parts.one_of("Mm") != 0;
}

bool take_time(Parts& parts) {
  const Parts::Number hour = parts.number(2);
  if (hour.digits == 0 || hour.value > 24 || parts.one_of(":") == 0) return false;
  const Parts::Number minute = parts.number(2);
  if (minute.digits != 2 || minute.value > 59) return false;
  if (parts.one_of(":") != 0) {
    const Parts::Number second = parts.number(2);
    if (second.digits != 2 || second.value > 60) return false;
    if (parts.one_of(".,") != 0 && parts.number(9).digits == 0) return false;
  }
  return take_zone(parts);
}

/// 1 days 02:00:00, -1 day, 2:00:00, 3 days, 36:15:00.
bool is_duration(Parts parts) {
  parts.one_of("+-");
  const Parts::Number count = parts.number(9);
  if (count.digits == 0) return false;
  if (parts.one_of(" ") != 0) {
    const std::string_view word = parts.word();
    if (word != "day" && word != "days") return false;
    parts.one_of(",");
    if (parts.at_end()) return true;
    if (parts.one_of(" ") == 0) return false;
    parts.one_of("+-");
    return take_time(parts) && parts.at_end();
  }
  for (int i = 0; i < 2; ++i) {
    if (parts.one_of(":") == 0) return false;
    const Parts::Number sixtieth = parts.number(2);
    if (sixtieth.digits != 2 || sixtieth.value >= 60) return false;
  }
  return parts.at_end() || (parts.one_of(".,") != 0 && parts.number(9).digits > 0 && parts.at_end());
}

}  // namespace

bool is_date(std::string_view text) {
  static constexpr std::size_t kShortest = 4, kLongest = 40;
  if (text.size() < kShortest || text.size() > kLongest || text.find_first_of("0123456789") == text.npos) return false;
  const Parts whole(text);
  if (is_digit(text[0])) {
    Parts time = whole;
    if (take_time(time)) return time.at_end() || is_duration(whole);
    if (is_year_and_month(whole)) return true;
  }
  if (is_duration(whole)) return true;
  for (const auto take : {take_date, take_named_date}) {
    Parts parts = whole;
    if (!take(parts)) continue;
    if (parts.at_end()) return true;
    parts.one_of(",");
    if (parts.one_of("Tt :") != 0 && take_time(parts) && parts.at_end()) return true;
  }
  return false;
}

}  // namespace recombine
