#include <optional>
#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "distributed/nccl/nccl_communicator.hpp"
#include "tests/support/rank_listener.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine::test {

namespace {

constexpr int kExitSkipped = 77;

std::optional<Session>& the_session() {
  static std::optional<Session> session;
  return session;
}

/// Why this machine cannot run the tests on their device, or "".
std::string reason_to_skip() {
  if (device_kind() == DeviceKind::cpu) return "";
  const int gpus = cuda_device_count();
  if (!session().on_every_rank(gpus > 0)) return "no GPU here, or a build without CUDA";
  if (collectives() != Collectives::nccl || session().size() == 1) return "";
  if (!nccl::available()) return "a build without NCCL";
  if (!session().on_every_rank(session().local_size() <= gpus)) {
    return fmt::format("NCCL needs a GPU for each rank: {} ranks, {} GPUs", session().local_size(), gpus);
  }
  return "";
}

int run() {
  if (const std::string reason = reason_to_skip(); !reason.empty()) {
    if (session().rank() == 0) fmt::print(stderr, "skipped: {}\n", reason);
    return kExitSkipped;
  }
  auto* const listener = new RankListener;  // owned by GoogleTest
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  listeners.Append(listener);
  if (session().rank() != 0) delete listeners.Release(listeners.default_result_printer());
  const int result = RUN_ALL_TESTS();
  const auto& tests = *::testing::UnitTest::GetInstance();
  if (result != 0 || listener->any_failed()) return 1;
  if (tests.test_to_run_count() == 0) {
    fmt::print(stderr, "no test was run\n");
    return 1;
  }
  return tests.skipped_test_count() == tests.test_to_run_count() ? kExitSkipped : 0;
}

}  // namespace

Session& session() { return *the_session(); }

}  // namespace recombine::test

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  recombine::test::the_session().emplace(argc, argv);
  const int code = recombine::test::run();
  recombine::test::the_session().reset();
  return code;
}
