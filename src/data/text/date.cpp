#include "src/data/text/date.hpp"

namespace recombine {

namespace {

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
    while (taken.digits < most && !text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
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

 private:
  std::string_view text_;
};

bool is_day(Parts::Number n) { return n.digits >= 1 && n.digits <= 2 && n.value >= 1 && n.value <= 31; }
bool is_month(Parts::Number n) { return is_day(n) && n.value <= 12; }

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
  parts.one_of(" ");
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

}  // namespace

bool is_date(std::string_view text) {
  static constexpr std::size_t kShortest = 4, kLongest = 40;
  if (text.size() < kShortest || text.size() > kLongest || text[0] < '0' || text[0] > '9') return false;
  Parts time(text);
  if (take_time(time)) return time.at_end();
  Parts parts(text);
  if (!take_date(parts)) return false;
  if (parts.at_end()) return true;
  return parts.one_of("Tt ") != 0 && take_time(parts) && parts.at_end();
}

}  // namespace recombine
