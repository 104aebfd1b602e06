#include "src/program/rank_device.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>

#include "distributed/nccl/nccl_communicator.hpp"
#include "kernels/error.hpp"
#include "src/program/parse.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

/// The first number of OMP_NUM_THREADS, which can be a list for nested regions such as "2,1". None if the variable is
/// unset or empty. @throws InputError
std::optional<int> threads_of_environment() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  const std::string_view list = text ? text : "";
  if (list.empty()) return std::nullopt;
  static constexpr Whole kBounds{1, kMostThreads};
  std::optional<int> first;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::optional<std::int64_t> count = whole_from(trimmed(list.substr(begin, end - begin)), kBounds);
    require_input(count.has_value(), "OMP_NUM_THREADS '{}': expected {}", list, kBounds.to_string());
    if (!first) first = static_cast<int>(*count);
    begin = end + 1;
  }
  return first;
}

DeviceKind kind_of(Session& session, DeviceCommand::Kind kind) {
  if (kind == DeviceCommand::Kind::cpu) return DeviceKind::cpu;
  const int own = cuda_device_count();
  const bool everywhere = session.on_every_rank(own > 0);
  if (kind == DeviceCommand::Kind::automatic) return everywhere ? DeviceKind::cuda : DeviceKind::cpu;
  if (everywhere) return DeviceKind::cuda;
  agree(session, [&] {  // a rank without a GPU throws, and says why
    if (own == 0) make_device({.kind = DeviceKind::cuda});
  });
  return DeviceKind::cuda;
}

Collectives collectives_of(Session& session, DeviceCommand::Route route, DeviceKind kind) {
  using Route = DeviceCommand::Route;
  if (kind == DeviceKind::cpu) {
    require_input(route == Route::automatic, "--collectives: is only for --device cuda; expected auto here");
    return Collectives::mpi;
  }
  const int gpus = cuda_device_count();
  const bool own_gpu = session.on_every_rank(session.local_size() <= gpus);
  if (route == Route::staged) return Collectives::mpi;
  if (route == Route::automatic) return own_gpu && nccl::available() ? Collectives::nccl : Collectives::mpi;
  require_input(nccl::available(), "--collectives nccl: this build has no NCCL; expected staged");
  agree(session, [&] {
    require_input(
        session.local_size() <= gpus,
        "--collectives nccl: NCCL takes one rank per GPU, but a host has {} ranks and {} GPUs; expected fewer ranks, "
        "or --collectives staged",
        session.local_size(), gpus);
  });
  return Collectives::nccl;
}

}  // namespace

int threads_for(const Session& session, std::optional<int> asked) {
  if (asked) return *asked;
  if (const std::optional<int> threads = threads_of_environment()) return *threads;
  return session.host_share().threads();
}

RankDevice make_rank_device(Session& session, const DeviceCommand& command) {
  int threads = 1;
  agree(session, [&] { threads = threads_for(session, command.threads); });
  const DeviceKind kind = kind_of(session, command.kind);
  RankDevice rank_device{.threads = threads, .collectives = collectives_of(session, command.collectives, kind)};
  agree(session, [&] {
    rank_device.device = make_device({.kind = kind,
                                      .threads = threads,
                                      .cores = cores_for(session, threads, command.bind),
                                      .progress = session.progress(),
                                      .local_rank = session.local_rank(),
                                      .kernel = command.kernel,
                                      .f32_products = command.f32_products,
                                      .note = command.note});
  });
  return rank_device;
}

std::string RankDevice::collectives_name() const {
  if (collectives == Collectives::nccl) return "nccl";
  return device->kind() == DeviceKind::cuda ? "staged" : "mpi";
}

void warn_if_bound(const Session& session, std::string_view program) {
  const HostShare& share = session.host_share();
  const auto bound = static_cast<int>(share.bound().size());
  if (session.rank() != 0 || bound >= share.unbound_threads()) return;
  print_error(
      fmt::format("{}: mpirun has bound a rank to {} cores, but its share is {}; expected mpirun --bind-to none",
                  program, bound, share.unbound_threads()));
}

}  // namespace recombine
