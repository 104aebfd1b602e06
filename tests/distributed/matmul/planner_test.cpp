#include "distributed/matmul/planner.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

constexpr std::array kMeshSizes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/// A machine that multiplies at 10 GFLOP/s. A collective takes `latency` seconds, plus the bytes that a rank sends
/// divided by `bandwidth` (bytes per second).
Machine machine_of(int np, double latency, double bandwidth) {
  Machine machine{.np = np, .product = {.per_call = 1e-6, .per_flop = 1e-10}};
  for (const Collective collective : kCollectives) {
    for (int ranks = 2; ranks <= np; ++ranks) {
      auto& line = machine.collectives[{collective, ranks}];
      for (const std::int64_t bytes : {std::int64_t{1} << 10, std::int64_t{1} << 30}) {
        line.push_back({static_cast<double>(bytes), latency + bytes_sent(collective, ranks, bytes) / bandwidth});
      }
    }
  }
  return machine;
}

const Plan& best_of(const std::vector<Plan>& plans) { return plans.front(); }

template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(MeshesOf, HasEveryFactorisationOnce) {
  for (const int np : kMeshSizes) {
    const std::vector<Mesh> meshes = meshes_of(np);
    std::size_t expected = 0;
    for (int i = 1; i <= np; ++i) {
      for (int j = 1; j <= np; ++j) {
        for (int k = 1; k <= np; ++k) {
          if (i * j * k != np) continue;
          ++expected;
          EXPECT_EQ(std::ranges::count(meshes, Mesh(i, j, k)), 1) << Mesh(i, j, k).to_string();
        }
      }
    }
    EXPECT_EQ(meshes.size(), expected);
  }
}

/// Expects plans sorted by time. Plans within 5% of the fastest come first, sorted by bytes sent.
void expect_best_first(const std::vector<Plan>& plans) {
  const double close = 1.05 * std::ranges::min(plans, {}, &Plan::seconds).seconds();
  const auto end = std::ranges::find_if(plans, [&](const Plan& plan) { return plan.seconds() > close; });
  EXPECT_TRUE(std::ranges::is_sorted(plans.begin(), end, {}, &Plan::bytes_sent_per_rank));
  EXPECT_TRUE(std::ranges::is_sorted(end, plans.end(), {}, &Plan::seconds));
}

TEST(Planner, CandidatesFitAndTheBestComesFirst) {
  for (const int np : kMeshSizes) {
    const auto plans = plan_matmul(machine_of(np, 1e-5, 1e9), {300, 200, 100, DataType::f32}, {});
    expect_best_first(plans);
    for (const Plan& plan : plans) {
      EXPECT_EQ(plan.mesh.size(), np);
      EXPECT_TRUE(entry_of(plan.schedule).fits(plan.mesh)) << plan.to_string();
      EXPECT_GT(plan.seconds(), 0);
      EXPECT_GE(plan.communication_seconds, 0);
      EXPECT_GT(plan.peak_bytes_per_rank, 0);
      EXPECT_EQ(plan.panel > 0, entry_of(plan.schedule).takes_panels);
    }
    for (const Mesh& mesh : meshes_of(np)) {
      for (const ScheduleEntry& entry : schedules()) {
        // If no operand moves, all schedules are equal, and only gather is a candidate.
        const bool moves = mesh.extent(Axis::k) < np || entry.schedule == Schedule::gather;
        const bool there = std::ranges::any_of(
            plans, [&](const Plan& plan) { return plan.mesh == mesh && plan.schedule == entry.schedule; });
        EXPECT_EQ(there, moves && entry.fits(mesh)) << mesh.to_string() << ' ' << entry.name;
      }
    }
  }
}

/// No name of a paper whose algorithm needs another mesh.
TEST(Schedules, HaveTheirNamesInTheLiterature) {
  using Names = std::array<std::string, 3>;  // gather, panels, shift
  const auto names = [](const Mesh& mesh) {
    Names found;
    for (const ScheduleEntry& entry : schedules()) {
      if (entry.fits(mesh)) found[static_cast<std::size_t>(entry.schedule)] = entry.known_as(mesh);
    }
    return found;
  };
  static constexpr const char* kSumma = "SUMMA, van de Geijn and Watts 1997";
  const std::string summed = kSumma + std::string(", then a sum over k");
  EXPECT_EQ(names({4, 1, 1}), (Names{"row blocks", kSumma, "a ring"}));
  EXPECT_EQ(names({1, 4, 1}), (Names{"column blocks", kSumma, "a ring"}));
  EXPECT_EQ(names({1, 1, 4}), (Names{"split-K", "split-K", "split-K"}));
  EXPECT_EQ(names({2, 2, 1}), (Names{"2-D, by all-gather", kSumma, "Cannon 1969"}));
  EXPECT_EQ(names({2, 3, 1}), (Names{"2-D, by all-gather", kSumma, ""}));
  EXPECT_EQ(names({1, 2, 2}), (Names{"column blocks, then a sum over k", summed, "a ring, then a sum over k"}));
  EXPECT_EQ(names({2, 2, 2}), (Names{"3-D, Agarwal et al. 1995", summed, "Cannon 1969, then a sum over k"}));
}

/// A panel has at most the rows of a rank's piece of k, so that its name is what happens.
TEST(Planner, PanelsAreNotWiderThanAPiece) {
  for (const Plan& plan :
       plan_matmul(machine_of(4, 1e-5, 1e9), {600, 500, 2000, DataType::f32}, {.schedule = Schedule::panels})) {
    const int cuts = plan.mesh.extent(Axis::k) * std::max(plan.mesh.extent(Axis::i), plan.mesh.extent(Axis::j));
    EXPECT_LE(plan.panel, 2000 / cuts) << plan.to_string();
  }
  const auto plans = plan_matmul(machine_of(2, 1e-5, 1e9), {600, 500, 2000, DataType::f32},
                                 {.mesh = Mesh(1, 1, 2), .schedule = Schedule::panels});
  EXPECT_TRUE(std::ranges::any_of(plans, [](const Plan& plan) { return plan.to_string() == "1x1x2 panels of 1000"; }));
}

TEST(Planner, AmongEqualSecondsFewerBytesComeFirst) {
  Machine machine = machine_of(6, 0, 1e9);
  machine.product = {};
  for (auto& [key, line] : machine.collectives) line = {{1, 0}, {2, 0}};  // nothing takes time
  const auto plans = plan_matmul(machine, {60, 60, 60, DataType::f32}, {});
  EXPECT_TRUE(std::ranges::is_sorted(plans, {}, &Plan::bytes_sent_per_rank));
}

TEST(Planner, ASlowNetworkChoosesFewerBytes) {
  for (const auto& [m, n, k] : {std::array{2000, 2000, 2000}, {8000, 300, 300}, {300, 300, 8000}, {64, 4096, 512}}) {
    for (const int np : {4, 6, 8, 12}) {
      const MatmulShape shape{m, n, k, DataType::f32};
      const Plan quick = best_of(plan_matmul(machine_of(np, 1e-6, 1e12), shape, {}));
      const auto slow = plan_matmul(machine_of(np, 1e-6, 1e4), shape, {});
      EXPECT_LE(best_of(slow).bytes_sent_per_rank, quick.bytes_sent_per_rank);
      const double least = std::ranges::min(slow, {}, &Plan::bytes_sent_per_rank).bytes_sent_per_rank;
      EXPECT_NEAR(best_of(slow).bytes_sent_per_rank, least, 1e-3 * least);
    }
  }
}

TEST(Planner, CutsTheLongestDimension) {
  static constexpr std::int64_t kLong = 1 << 20;
  for (const int np : {2, 3, 4, 7, 8}) {
    const Machine machine = machine_of(np, 1e-5, 1e8);
    EXPECT_EQ(best_of(plan_matmul(machine, {64, 64, kLong, DataType::f32}, {})).mesh, Mesh(1, 1, np));
    EXPECT_EQ(best_of(plan_matmul(machine, {kLong, 64, 64, DataType::f32}, {})).mesh, Mesh(np, 1, 1));
    EXPECT_EQ(best_of(plan_matmul(machine, {64, kLong, 64, DataType::f32}, {})).mesh, Mesh(1, np, 1));
  }
}

TEST(Planner, PlansKeepToTheMemoryLimit) {
  const Machine machine = machine_of(8, 1e-5, 1e8);
  const MatmulShape shape{900, 700, 500, DataType::f32};
  const auto all = plan_matmul(machine, shape, {});
  const double least = std::ranges::min(all, {}, &Plan::peak_bytes_per_rank).peak_bytes_per_rank;
  const double most = std::ranges::max(all, {}, &Plan::peak_bytes_per_rank).peak_bytes_per_rank;
  ASSERT_LT(least, most);
  for (const double limit : {least, (least + most) / 2, most}) {
    const auto plans = plan_matmul(machine, shape, {.memory_bytes = limit});
    EXPECT_EQ(static_cast<std::ptrdiff_t>(plans.size()),
              std::ranges::count_if(all, [&](const Plan& plan) { return plan.peak_bytes_per_rank <= limit; }));
    for (const Plan& plan : plans) EXPECT_LE(plan.peak_bytes_per_rank, limit);
  }
  EXPECT_NE(refusal([&] { plan_matmul(machine, shape, {.memory_bytes = least - 1}); }).find("--memory-limit"),
            std::string::npos);
}

TEST(Planner, PlansKeepToTheUsersChoices) {
  const Machine machine = machine_of(6, 1e-5, 1e8);
  const MatmulShape shape{90, 70, 50, DataType::f64};
  for (const Plan& plan : plan_matmul(machine, shape, {.mesh = Mesh(2, 3, 1)})) EXPECT_EQ(plan.mesh, Mesh(2, 3, 1));
  for (const Plan& plan : plan_matmul(machine, shape, {.schedule = Schedule::shift})) {
    EXPECT_EQ(plan.schedule, Schedule::shift);
  }
  for (const Plan& plan : plan_matmul(machine, shape, {.c_state = State::sharded}))
    EXPECT_EQ(plan.c_state, State::sharded);
}

TEST(Planner, ImpossibleRequestsAreRefused) {
  const Machine machine = machine_of(6, 1e-5, 1e8);
  const MatmulShape shape{90, 70, 50, DataType::f32};
  const std::string ranks = refusal([&] { plan_matmul(machine, shape, {.mesh = Mesh(2, 2, 1)}); });
  EXPECT_NE(ranks.find("--mesh 2x2x1: has 4 ranks; expected 6, as the job has"), std::string::npos) << ranks;
  const std::string form =
      refusal([&] { plan_matmul(machine, shape, {.mesh = Mesh(2, 3, 1), .schedule = Schedule::shift}); });
  EXPECT_NE(form.find("--schedule shift: does not fit mesh 2x3x1"), std::string::npos) << form;
}

/// Of two plans with the same mesh and schedule, the one that moves more bytes takes longer.
TEST(Predict, TimeGrowsWithBytes) {
  const Machine machine = machine_of(8, 1e-5, 1e8);
  for (const Mesh& mesh : meshes_of(8)) {
    for (const ScheduleEntry& entry : schedules()) {
      if (!entry.fits(mesh)) continue;
      Plan before;
      for (const std::int64_t side : {32, 64, 128, 256, 512, 1024}) {
        const Plan plan =
            predict(machine, {side, side, side, DataType::f32}, {.mesh = mesh, .schedule = entry.schedule});
        EXPECT_GT(plan.bytes_sent_per_rank, before.bytes_sent_per_rank) << plan.to_string();
        EXPECT_GT(plan.communication_seconds, before.communication_seconds) << plan.to_string();
        EXPECT_GT(plan.product_seconds, before.product_seconds) << plan.to_string();
        EXPECT_GT(plan.peak_bytes_per_rank, before.peak_bytes_per_rank) << plan.to_string();
        before = plan;
      }
    }
  }
}

TEST(Predict, BytesDependOnTypeAndRecombination) {
  const Machine machine = machine_of(4, 0, 1e8);
  const auto sent = [&](DataType type, State result) {
    return predict(machine, {64, 64, 64, type}, {.mesh = Mesh(1, 1, 4), .c_state = result}).bytes_sent_per_rank;
  };
  const double block = 64 * 64 * 4 * 0.75;  // bytes: C is f32, and three quarters of it travel
  EXPECT_DOUBLE_EQ(sent(DataType::f32, State::sharded), block);
  EXPECT_DOUBLE_EQ(sent(DataType::f32, State::replicated), 2 * block);
  EXPECT_DOUBLE_EQ(sent(DataType::bf16, State::replicated), 2 * block);  // C is summed in f32
  EXPECT_DOUBLE_EQ(sent(DataType::f64, State::replicated), 4 * block);
}

TEST(Predict, EmptyProductsTakeNoTimeToMultiply) {
  const Machine machine = machine_of(4, 1e-5, 1e8);
  for (const Mesh& mesh : meshes_of(4)) {
    for (const ScheduleEntry& entry : schedules()) {
      if (!entry.fits(mesh)) continue;
      const Plan plan = predict(machine, {0, 7, 3, DataType::f32}, {.mesh = mesh, .schedule = entry.schedule});
      EXPECT_EQ(plan.product_seconds, 0);
      EXPECT_TRUE(std::isfinite(plan.seconds()));
    }
  }
}

}  // namespace
}  // namespace recombine
