#include "src/program/parse.hpp"

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(Parse, Durations) {
  EXPECT_EQ(parse_duration("time-limit", "90s"), 90);
  EXPECT_EQ(parse_duration("time-limit", "55m"), 3300);
  EXPECT_EQ(parse_duration("time-limit", "2h"), 7200);
  EXPECT_EQ(parse_duration("time-limit", "1h30m"), 5400);
  EXPECT_EQ(parse_duration("time-limit", "1d12h0m1s"), 129601);
  EXPECT_EQ(parse_duration("time-limit", "3650d"), 3650 * 86400.0);
}

TEST(Parse, ADurationNeedsItsUnits) {
  for (const char* text : {"", "55", "m", "0s", "1.5h", "-1m", "1h30", "30m1h", "1m1m", "1h 30m", "55M", "3650d1s",
                           "9999999999999999999s", "nan", "+1s"}) {
    try {
      parse_duration("time-limit", text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const InputError& error) {
      EXPECT_EQ(error.what(),
                fmt::format("--time-limit '{}': expected a duration from 1s to 3650d, such as 90s, 55m or "
                            "1h30m",
                            text));
    }
  }
}

TEST(Parse, Floats) {
  EXPECT_EQ(parse_floats("init", "0.5,-0.7"), (std::vector<float>{0.5F, -0.7F}));
  EXPECT_EQ(parse_floats("init", "1e3, 2"), (std::vector<float>{1000, 2}));
  for (const char* text : {"", ",", "1,", "1,,2", "x", "1 2", "nan", "inf", "-inf", "1e39", "0x1"}) {
    EXPECT_THROW(parse_floats("init", text), InputError) << text;
  }
}

}  // namespace
}  // namespace recombine
