#include "src/explain/same_numbers.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

constexpr Rounding kF32{DataType::f32, 10};

TEST(SameNumbers, RoundingIsAllowed) {
  EXPECT_NO_THROW(require_same("c11", 1, 1 + 1e-6, kF32));
  EXPECT_NO_THROW(require_same("c11", 1, 1.1, Rounding{DataType::bf16, 10}));
}

TEST(SameNumbers, LargerDifferenceFailsAndIsNamed) {
  try {
    require_same("c11", 15, 16, kF32);
    FAIL() << "15 and 16 are the same";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("c11: its terms give 15, but the matrix has 16"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(require_same("c11", 1, 1 + 1e-6, Rounding{DataType::f64, 10}), Error);
  EXPECT_THROW(require_same("c11", 1, std::numeric_limits<double>::quiet_NaN(), kF32), Error);
}

TEST(SameNumbers, MatricesAreComparedByElement) {
  const Numbers a{2, 2, {1, 2, 3, 4}};
  Numbers b = a;
  EXPECT_NO_THROW(require_same("C", a, b, {}));  // no rounding at all
  b.values[2] = 3.5;
  try {
    require_same("C", a, b, kF32);
    FAIL() << "3 and 3.5 are the same";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("C, row 2, column 1"), std::string::npos) << error.what();
  }
  EXPECT_THROW(require_same("C", a, Numbers{1, 4, a.values}, kF32), Error);
}

TEST(Numbers, PartHasItsRowsAndColumns) {
  const Numbers all{2, 3, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(all.part({{1, 2}, {1, 3}}).values, (std::vector<double>{5, 6}));
  EXPECT_EQ(all.part({{0, 2}, {2, 2}}).values.size(), 0U);
}

}  // namespace
}  // namespace recombine
