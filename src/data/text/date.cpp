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

/// True if the letters are those of `small`, or the first ones, at least three; in any case.
bool is_short_for(std::string_view word, std::string_view small) {
  static constexpr std::size_t kShortest = 3;
  const auto same = [](char letter, char other) { return (letter | 0x20) == other; };
  return word.size() >= kShortest && word.size() <= small.size() &&
         std::ranges::equal(word, small.substr(0, word.size()), same);
}

/// True for "Jan", "Sept", "january".
bool is_month_name(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                               "may",       "june",     "july",     "august",
                                                               "september", "october",  "november", "december"};
  return std::ranges::any_of(kMonths, [&](std::string_view month) {
    const bool usual = word.size() == 3 || word.size() == 4 || word.size() == month.size();
    return usual && is_short_for(word, month);
  });
}

bool is_day_name(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kDays = {"monday", "tuesday",  "wednesday", "thursday",
                                                            "friday", "saturday", "sunday"};
  return std::ranges::any_of(kDays, [&](std::string_view day) { return is_short_for(word, day); });
}

bool is_day(Parts::Number n) { return n.digits >= 1 && n.digits <= 2 && n.value >= 1 && n.value <= 31; }
bool is_month(Parts::Number n) { return is_day(n) && n.value <= 12; }

bool is_year(Parts::Number n) { return n.digits == 4 || n.digits == 2; }

/// Takes what may stand between a day, the name of a month and a year: nothing, or marks such as "-", ". " and ", ".
void take_marks(Parts& parts) {
  parts.one_of(".,");
  parts.one_of(" -/");
}

/// 1 Jan 1990, 01-Jan-90, 1990-Jan-01, Jan 1, 1990, Jan-90; each also after the name of a day.
bool take_named_date(Parts& parts) {
  Parts::Number first = parts.number(4);
  std::string_view month;
  if (first.digits == 0) {
    month = parts.word();
    if (is_day_name(month)) {
      take_marks(parts);
      first = parts.number(2);
      if (first.digits == 0) month = parts.word();
    }
  }
  if (first.digits > 0) {
    take_marks(parts);
    month = parts.word();
  }
  if (!is_month_name(month)) return false;
  take_marks(parts);
  const Parts::Number second = parts.number(4);
  if (first.digits == 4) return is_day(second);
  if (first.digits > 0) return is_day(first) && is_year(second);
  Parts rest = parts;
  take_marks(rest);
  const Parts::Number third = rest.number(4);
  if (!is_day(second) || third.digits != 4) return is_year(second);
  parts = rest;
  return true;
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
