#include "distributed/comparison.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

using test::session;

Statement statement(int rank, Facts facts, std::string failure = "") {
  return {.where = fmt::format("rank {} on h", rank),
          .self = {{"program", "train"}},
          .failure = std::move(failure),
          .facts = std::move(facts)};
}

TEST(FindDifference, FindsNoneBetweenEqualStatements) {
  EXPECT_EQ(find_difference({statement(0, {{"--lr", "1"}})}), std::nullopt);
  EXPECT_EQ(find_difference({statement(0, {{"--lr", "1"}}), statement(1, {{"--lr", "1"}})}), std::nullopt);
  EXPECT_EQ(find_difference({statement(0, {}, "--lr 'x': no"), statement(1, {}, "--lr 'x': no")}), std::nullopt)
      << "the same failure on all ranks is reported unchanged";
}

TEST(FindDifference, NamesTheFactTheValuesAndTheRanks) {
  const auto line =
      find_difference({statement(0, {{"--lr", "1"}, {"--seed", "3"}}), statement(1, {{"--lr", "1"}, {"--seed", "4"}}),
                       statement(2, {{"--lr", "1"}, {"--seed", "5"}})});
  EXPECT_EQ(line, "--seed: rank 1 on h (of 2 that differ) has 4, rank 0 on h has 3: expected the same on every rank");
}

TEST(FindDifference, AFactThatOneRankLacksIsADifference) {
  const auto line = find_difference({statement(0, {}), statement(1, {{"NCCL_ALGO", "Ring"}})});
  EXPECT_EQ(line, "NCCL_ALGO: rank 1 on h has Ring, rank 0 on h has none: expected the same on every rank");
}

TEST(FindDifference, ReportsAnotherProgramBeforeAFailureAndAFailureBeforeOptions) {
  Statement other = statement(2, {{"--m", "4"}});
  other.self = {{"program", "matmul"}};
  const Statement failing = statement(1, {}, "--lr 'x': expected a finite number");
  const Statement first = statement(0, {{"--lr", "1"}});
  EXPECT_EQ(find_difference({first, failing, other}),
            "program: rank 2 on h has matmul, rank 0 on h has train: expected the same on every rank");
  EXPECT_EQ(find_difference({first, failing, statement(2, {{"--lr", "2"}})}),
            "rank 1 on h: --lr 'x': expected a finite number");
}

TEST(FindDifference, ShowsThePartOfLongValuesThatDiffers) {
  const std::string same(5000, 'x');
  const auto line = find_difference({statement(0, {{"f", same + "1"}}), statement(1, {{"f", same + "2"}})});
  ASSERT_TRUE(line);
  EXPECT_LT(line->size(), 400U);
  EXPECT_NE(line->find("xx1"), std::string::npos) << *line;
  EXPECT_NE(line->find("xx2"), std::string::npos) << *line;
}

class Comparison : public ::testing::Test {
 protected:
  /// The message of the InputError that `call` throws on this rank, or "".
  template <class Call>
  static std::string refusal(const Call& call) {
    try {
      call();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  const bool last_ = session().rank() == session().size() - 1;
  const bool several_ = session().size() > 1;
};

TEST_F(Comparison, TextsOfAllRanksArriveInOrder) {
  const std::string own(static_cast<std::size_t>(session().rank()) * 1000, static_cast<char>('a' + session().rank()));
  const std::vector<std::string> all = from_every_rank(session(), own);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(session().size()));
  for (std::size_t r = 0; r < all.size(); ++r) {
    EXPECT_EQ(all[r], std::string(r * 1000, static_cast<char>('a' + r)));
  }
}

TEST_F(Comparison, DetectsADifferentTextOnOneRank) {
  EXPECT_TRUE(same_on_every_rank(session(), "a text"));
  EXPECT_TRUE(same_on_every_rank(session(), ""));
  EXPECT_EQ(same_on_every_rank(session(), last_ ? "a text" : "a test"), !several_);
  EXPECT_EQ(same_on_every_rank(session(), last_ ? "" : "a"), !several_);
}

TEST_F(Comparison, EveryRankIsRefusedWithTheSameLine) {
  const Facts facts = {{"--lr", "1"}, {"--hidden", last_ ? "" : "48"}};
  const std::string line = refusal([&] { require_same(session(), facts); });
  const std::string beginning = several_ ? fmt::format("--hidden: rank {} on ", session().size() - 1) : "";
  EXPECT_TRUE(several_ ? line.starts_with(beginning) : line.empty()) << line;
  for (const std::string& other : from_every_rank(session(), line)) EXPECT_EQ(other, line);
  require_same(session(), {{"--lr", "1"}});
}

TEST_F(Comparison, ARankThatFailsAloneIsNamed) {
  Statement own{.where = fmt::format("rank {} on h", session().rank()), .self = {{"program", "train"}}};
  if (last_) own.failure = "--lr 'x': expected a finite number";
  if (!last_) own.facts = {{"--lr", "1"}, {"--data", "a b"}};
  const std::string line = refusal([&] { require_same_start(session(), own); });
  EXPECT_EQ(line, several_ ? fmt::format("rank {} on h: {}", session().size() - 1, "--lr 'x': expected a finite number")
                           : "");
}

TEST(Libraries, AreNamedWithTheirVersions) {
  std::string names;
  for (const auto& [name, version] : libraries()) {
    names += name + " ";
    EXPECT_NE(version.find_first_of("0123456789"), std::string::npos) << name << " " << version;
  }
  EXPECT_EQ(names.find("oneDNN OpenBLAS glibc "), 0U) << names;
}

}  // namespace
}  // namespace recombine
