#include "src/data/text/cell.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

TEST(Cell, ReadsNumbers) {
  const auto same = [](std::string_view text, double value, char decimal = '.') {
    const std::optional<double> number = number_in(text, decimal);
    ASSERT_TRUE(number.has_value()) << text;
    EXPECT_EQ(*number, value) << text;
    EXPECT_EQ(kind_of_cell(text, decimal), CellKind::number) << text;
  };
  same("1.5", 1.5), same("+1.5", 1.5), same("-1.5", -1.5), same(" \t1.5 ", 1.5), same("1e-3", 1e-3), same("1E+3", 1e3);
  same("0", 0), same("007", 7), same(".5", .5), same("5.", 5), same("-.5e1", -5), same("1e22", 1e22),
      same("1e-22", 1e-22);
  same("9007199254740993", 9007199254740992), same("123456789012345678", 123456789012345678.0);
  same("0.1234567890123456789", 0.1234567890123456789), same("1e30", 1e30), same("3.4028235e38", 3.4028235e38);
  same("1e-60", 0), same("-1e-400", 0), same("0." + std::string(400, '0') + "1", 0);
  same("1,5", 1.5, ','), same("-0,5e3", -500, ','), same("7", 7, ','),
      same("0,1234567890123456789", 0.1234567890123456789, ',');
}

TEST(Cell, RefusesWhatIsNoNumber) {
  for (const char* text :
       {"",    " ",   "+",   "-",    ".",    "e5",    "1e",    "1e+", "1.2.3",    "1,5",   "1 5",    "0x10", "1.5f",
        "--1", "+-1", "inf", "-inf", "1e60", "-1e60", "1e400", "nan", "infinity", "12abc", "1e5000", "4e38"}) {
    EXPECT_FALSE(number_in(text, '.').has_value()) << text;
  }
  for (const char* text : {"1.5", "1.234,5", "1,2,3", ","}) EXPECT_FALSE(number_in(text, ',').has_value()) << text;
}

/// All ways to read a number agree with strtod.
TEST(Cell, NumbersAreExact) {
  for (int digits = 1; digits <= 20; ++digits) {
    for (int i = 0; i < 200; ++i) {
      const double value = std::sin(i * 37.7 + digits) * std::pow(10, i % 11 - 5);
      for (const char* form : {"{:.{}e}", "{:.{}f}", "{:.{}g}"}) {
        const std::string text = fmt::format(fmt::runtime(form), value, digits);
        const double expected = std::strtod(text.c_str(), nullptr);
        const std::optional<double> number = number_in(text, '.');
        ASSERT_TRUE(number.has_value()) << text;
        ASSERT_EQ(*number, expected) << text;
      }
    }
  }
}

TEST(Cell, FindsKinds) {
  for (const char* text : {"", "  ", "NA", "na", "N/A", "NaN", "nan", "NULL", "null", "None", "none", "?", "-"}) {
    EXPECT_EQ(kind_of_cell(text, '.'), CellKind::missing) << text;
  }
  for (const char* text : {"#N/A", "#NA", "#N/A N/A", "<NA>", "<na>", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN",
                           "-1.#QNAN", "1.#qnan", "#n/a"}) {
    EXPECT_EQ(kind_of_cell(text, '.'), CellKind::missing) << text;
    EXPECT_EQ(kind_of_cell(text, ','), CellKind::missing) << text;
  }
  for (const char* text : {"true", "FALSE", "Yes", "no", " No "})
    EXPECT_EQ(kind_of_cell(text, '.'), CellKind::yes_no) << text;
  for (const char* text : {"2021-03-04",
                           "2021/3/4",
                           "2021-03-04T12:30:00",
                           "2021-03-04 12:30:00.25",
                           "2021-03-04T12:30:00Z",
                           "2021-03-04 12:30+01:00",
                           "03/04/2021",
                           "4.3.2021",
                           "31-12-1999",
                           "3/4/21",
                           "12:30",
                           "9:05:59",
                           "3/4/2021 9:05 PM",
                           "12:30:05.123",
                           "01 Jan 1990",
                           "Jan 1, 1990",
                           "January 01, 1990",
                           "1-Jan-90",
                           "Jan-90",
                           "Jan 1990",
                           "1. january 1990",
                           "01JAN1990",
                           "1/Sept/1990",
                           "1990-Jan-01",
                           "MAY 2020",
                           "Feb. 3 1990",
                           "Mon, 01 Jan 1990 12:00:00 +0000",
                           "Monday, January 1, 1990",
                           "01/Jan/1990:12:00:00 +0100",
                           "1 Jan 1990 12:30:00 GMT",
                           "Jan 1, 1990, 9:05 AM",
                           "1990-01",
                           "2021-12",
                           "00:00:00",
                           "1 days 02:00:00",
                           "-1 days +22:00:00",
                           "1 day, 2:00:00",
                           "0 days",
                           "36:15:00",
                           "120:00:00.5",
                           "0 days 00:00:00.000001000",
                           "-00:05:00"}) {
    EXPECT_EQ(kind_of_cell(text, '.'), CellKind::date) << text;
  }
  for (const char* text : {"male",
                           "A/5 21171",
                           "1.2.10",
                           "2021-13-45",
                           "99:99",
                           "nope",
                           "yesno",
                           "12-",
                           "1/2",
                           "10.0.0.1",
                           "#",
                           "2021-03-04x",
                           "0/0/2021",
                           "inf",
                           "tru",
                           "nane",
                           "May",
                           "Mayor 1990",
                           "Jan",
                           "Marc 1990x",
                           "Jan 5",
                           "40 Jan 1990",
                           "Jan 40, 1990",
                           "1990-13",
                           "1990-00",
                           "5551-10",
                           "1 dayz",
                           "days 3",
                           "3 dogs",
                           "36:15",
                           "36:75:00",
                           "Juni 1990 a",
                           "Monday",
                           "Monday 3",
                           "A 1990",
                           "mar1990a",
                           "Decimal 10",
                           "Marc32",
                           "Mar32",
                           "Marc 1990",
                           "may1990",
                           "5dec12",
                           "1-jan90",
                           "Mond, 1 Jan 1990",
                           "X1 Jan 1990",
                           "Sunset 2020",
                           "1:2:3:4"}) {
    EXPECT_EQ(kind_of_cell(text, '.'), CellKind::text) << text;
  }
}

}  // namespace
}  // namespace recombine
