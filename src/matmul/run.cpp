#include "src/matmul/run.hpp"

#include <algorithm>

#include "distributed/matmul/calibrate.hpp"
#include "kernels/error.hpp"
#include "src/matmul/execute.hpp"
#include "src/matmul/explain/explain.hpp"
#include "src/program/byte_text.hpp"
#include "src/program/rank_device.hpp"
#include "src/program/same_files.hpp"
#include "src/report/matmul_words.hpp"
#include "src/report/peak.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

/// The planner's constants: from --machine, or measured now.
Machine machine_of(const MatmulCommand& command, DataType type, Communicator& world, Stream& stream,
                   const RankDevice& rank_device) {
  if (command.machine.empty()) return measure_machine(world, *rank_device.device, type, rank_device.collectives);
  Machine machine;
  agree(world, stream, [&] { machine = read_machine(command.machine, world.size(), type); });
  return machine;
}

/// The plan for operands that do not fit in memory. Each rank reads its own panels from files; the mesh is the one
/// whose ranks read the fewest bytes.
struct StreamedPlan {
  Plan plan;
  Tiles tiles;
};
StreamedPlan plan_streaming(const MatmulCommand& command, const MatmulShape& shape, const Machine& machine) {
  require_input(
      !command.schedule,
      "--schedule {}: its operands do not fit --memory-limit; expected no --schedule: then panels stream from files",
      entry_of(command.schedule.value_or(Schedule::gather)).name);
  require_input(!command.out.empty() || command.action == MatmulCommand::Action::plan,
                "--memory-limit: C does not fit either; expected --out C.npy, the file for C");
  const auto needs = [&](const Mesh& mesh) { return smallest_tiles(shape, mesh).bytes(shape); };
  const std::vector<Mesh> meshes = command.mesh ? std::vector{*command.mesh} : meshes_of(machine.np);
  const Mesh modest = std::ranges::min(meshes, {}, needs);
  std::optional<StreamedPlan> best;
  double least = 0;
  for (const Mesh& mesh : meshes) {
    if (needs(mesh) > *command.memory_limit && mesh != modest) continue;
    const Tiles tiles = choose_tiles(shape, mesh, *command.memory_limit);
    const double bytes = bytes_read(shape, mesh, tiles);
    if (best && bytes >= least) continue;
    least = bytes;
    best =
        StreamedPlan{predict(machine, shape, {.mesh = mesh, .panel = tiles.panel, .c_state = State::sharded}), tiles};
  }
  best->plan.peak_bytes_per_rank = best->tiles.bytes(shape);
  return *best;
}

/// The host memory that a rank may use. A GPU's own memory is not checked here, and --plan may be for another machine.
struct Memory {
  DeviceKind kind = DeviceKind::cpu;
  double share = 0;  ///< of the host's memory, in bytes
  /// @throws InputError if a plan that --memory-limit allows does not fit the host
  void require(const MatmulCommand& command, const Plan& plan) const {
    if (kind == DeviceKind::cuda || command.action == MatmulCommand::Action::plan) return;
    require_input(plan.peak_bytes_per_rank <= share,
                  "--memory-limit: the plan takes {} on each rank, but a rank's share of the host's memory is {}; "
                  "expected at most that share",
                  byte_text(plan.peak_bytes_per_rank), byte_text(share));
  }
  std::optional<double> limit(const MatmulCommand& command) const {
    const bool elsewhere = kind == DeviceKind::cuda || command.action == MatmulCommand::Action::plan;
    return command.memory_limit || elsewhere ? command.memory_limit : share;
  }
};

/// The candidates, best first. `tiles`: no candidate fits in memory, so the only plan streams its operands.
struct Choice {
  std::vector<Plan> plans;
  std::optional<Tiles> tiles;
  Operands operands() const { return tiles ? Operands::streamed : Operands::in_memory; }
};
Choice choose(const MatmulCommand& command, const MatmulShape& shape, const Machine& machine, const Memory& memory) {
  PlanLimits limits{.mesh = command.mesh, .schedule = command.schedule, .c_state = command.c_state};
  Choice choice{.plans = plan_matmul(machine, shape, limits)};
  const std::optional<double> limit = memory.limit(command);
  const auto [smallest, largest] = std::ranges::minmax(choice.plans, {}, &Plan::peak_bytes_per_rank);
  if (!limit || largest.peak_bytes_per_rank <= *limit) return choice;
  const double least = smallest.peak_bytes_per_rank;
  if (least > *limit) {
    require_input(
        command.memory_limit.has_value(),
        "--memory-limit: in memory this product takes {} on each rank, but a rank's share of the host's memory is "
        "{}; expected this option: then panels stream from files",
        byte_text(least), byte_text(*limit));
    require_input(
        memory.kind == DeviceKind::cpu,
        "--memory-limit: only CPUs stream operands that do not fit; expected at least {:.0f} bytes, or --device cpu",
        least);
    const StreamedPlan streamed = plan_streaming(command, shape, machine);
    return {{streamed.plan}, streamed.tiles};
  }
  limits.memory_bytes = *limit;
  return {.plans = plan_matmul(machine, shape, limits)};
}

}  // namespace

void run_matmul(Session& session, const MatmulCommand& command) {
  // --out may be the file of --c: C0 is read before C gets its name.
  agree(session, [&] {
    require_apart({{"out", command.out}, {"json", command.json}, {"calibrate", command.calibrate}},
                  {{"a", command.a}, {"b", command.b}, {"machine", command.machine}, {"config", command.config}});
  });
  require_same_files(session, {{"a", command.a}, {"b", command.b}, {"c", command.c}, {"machine", command.machine}},
                     command.verify ? Compared::all_bytes : Compared::places);
  if (!command.quiet) warn_if_bound(session, "matmul");
  DeviceCommand device_command = command.device;
  if (!command.quiet && session.rank() == 0) {
    device_command.note = [](const std::string& note) { print_note("matmul", note); };
  }
  const RankDevice rank_device = make_rank_device(session, device_command);
  Device& device = *rank_device.device;
  const Memory memory{device.kind(), memory_share(session)};
  const auto world = make_world(session);
  const auto stream = device.make_stream(StreamUse::host);
  const bool root = session.rank() == 0;
  const bool multiplies = command.action == MatmulCommand::Action::multiply;

  std::optional<MatmulProblem> problem;
  agree(*world, *stream, [&] { problem.emplace(command); });
  if (command.explain) {
    explain_matmul({session, command, *problem, *world, device, rank_device.collectives});
    return;
  }
  std::optional<OutputFile> constants, json;
  on_root(*world, *stream, [&] {
    if (!command.calibrate.empty()) constants.emplace("calibrate", command.calibrate);
    if (!command.json.empty() && multiplies) json.emplace("json", command.json);
  });
  const Machine machine = machine_of(command, problem->shape.type, *world, *stream, rank_device);
  const Choice choice = choose(command, problem->shape, machine, memory);
  memory.require(command, choice.plans.front());
  std::optional<NpyWriter> out;
  if (!command.out.empty() && multiplies) {
    out.emplace(*world, *stream, "out", command.out, problem->shape.result_type(),
                DistMatrix::Shape{problem->shape.m, problem->shape.n});
  }
  on_root(*world, *stream, [&] {  // all inputs are accepted: files may be written from here on
    if (!command.quiet) {
      print_note("matmul", constants ? constants->note() : "");
      print_note("matmul", json ? json->note() : "");
      print_note("matmul", out ? out->note() : "");
    }
    if (constants) write_machine(*constants, machine);
  });
  if (!multiplies) {
    const bool several = !command.mesh && session.size() > 1;
    const std::string reason = !choice.tiles ? reason_text(problem->shape, choice.plans)
                                             : fmt::format("streamed through memory{}",
                                                           several ? ", by the mesh that reads least from files" : "");
    if (root) print_plans(problem->shape, choice.plans, reason);
    return;
  }
  RankContext context(choice.plans.front().mesh, *world, device, rank_device.collectives);
  const MatmulDescription run{.np = session.size(),
                              .threads = rank_device.threads,
                              .device = device.description(),
                              .collectives = rank_device.collectives_name(),
                              .kernel = command.kernel,
                              .shape = problem->shape,
                              .conversions = problem->conversions,
                              .plan = choice.plans.front(),
                              .operands = choice.operands(),
                              .peak = measure_peak(context, *world, *stream, problem->shape.type),
                              .provenance = provenance_of(session, device)};
  if (root && !command.quiet) print_matmul_start(run);
  const MatmulJob job{command, *problem, run.plan, context, *world, out ? &*out : nullptr};
  const MatmulResult result = choice.tiles ? multiply_streaming(job, *choice.tiles) : multiply_in_memory(job);
  on_root(*world, *stream, [&] {
    if (!command.quiet) print_matmul_result(run, result);
    if (json) write_matmul_json(*json, run, result);
  });
}

}  // namespace recombine
