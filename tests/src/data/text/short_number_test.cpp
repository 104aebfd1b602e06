#include "src/data/text/short_number.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace recombine {
namespace {

/// Every number of digits, with the decimal sign at every place, as strtod reads it.
TEST(ShortNumber, IsExact) {
  const std::string digits = "9182736450192837";
  for (std::size_t count = 1; count <= digits.size(); ++count) {
    for (std::size_t place = 0; place <= count + 1; ++place) {
      std::string text = digits.substr(0, count);
      if (place <= count) text.insert(place, ".");
      for (const std::string sign : {"", "-", "+"}) {
        const double expected = std::strtod((sign + text).c_str(), nullptr);
        const double number = short_number(sign + text, '.');
        const bool fits = text.size() <= 16 && std::stoull(digits.substr(0, count)) <= kMostExact;
        ASSERT_EQ(!std::isnan(number), fits) << sign << text;
        if (fits) {
          EXPECT_EQ(number, expected) << sign << text;
        }
      }
    }
  }
}

/// Any other character at any place: it is no short number. Characters outside the cell do not count.
TEST(ShortNumber, TakesDigitsOnly) {
  for (std::size_t count = 1; count <= 16; ++count) {
    for (std::size_t place = 0; place < count; ++place) {
      for (int c = 0; c < 256; ++c) {
        std::string text(count, '0');
        text[place] = static_cast<char>(c);
        const bool is_sign = place == 0 && count > 1 && (c == '-' || c == '+');
        const bool fits = (c >= '0' && c <= '9') || is_sign || (c == '.' && count > 1);
        const std::string around = "12" + text + "34";
        EXPECT_EQ(!std::isnan(short_number(std::string_view(around).substr(2, count), '.')), fits)
            << c << " in " << count;
      }
    }
  }
  for (const char* text : {"", "-", "+", ".", "-.", "1.2.3", "..", "--1", "+-1", "12345678.1234.56"}) {
    EXPECT_TRUE(std::isnan(short_number(text, '.'))) << text;
  }
  EXPECT_EQ(short_number("1,25", ','), 1.25);
  EXPECT_TRUE(std::isnan(short_number("1.25", ',')));
}

}  // namespace
}  // namespace recombine
