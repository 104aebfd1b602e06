#include "distributed/matmul/planner.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::array<std::int64_t, 3> kPanels = {128, 512, 2048};
constexpr double kResolution = 1.05;  // the model cannot distinguish plans with a smaller ratio of times

/// A transfer that overlaps a product hides its latency (at most the product's time), but not its bytes: the cores that
/// multiply also do the copying.
void add_movement(const Machine& machine, const Mesh& mesh, const Movement& movement, double product, Plan& plan) {
  const int ranks = mesh.parts(movement.axis);
  const auto times = static_cast<double>(movement.times);
  const double latency = machine.seconds(movement.collective, ranks, 0);
  plan.communication_seconds +=
      times * machine.seconds(movement.collective, ranks, static_cast<double>(movement.bytes)) -
      static_cast<double>(movement.overlapped) * std::min(latency, product);
  plan.bytes_sent_per_rank += times * bytes_sent(movement.collective, ranks, movement.bytes);
}

std::string in_mib(double bytes) { return fmt::format("{:.1f} MiB", bytes / (1 << 20)); }

}  // namespace

double Machine::Product::seconds(std::int64_t m, std::int64_t n, std::int64_t k) const {
  const auto [dm, dn, dk] = std::array{static_cast<double>(m), static_cast<double>(n), static_cast<double>(k)};
  if (m == 0 || n == 0) return 0;
  return per_call + per_flop * 2 * dm * dn * dk + per_a * dm * dk + per_b * dk * dn + per_result * dm * dn;
}

double Machine::seconds(Collective collective, int ranks, double bytes) const {
  if (ranks == 1) return 0;
  const auto found = collectives.find({collective, ranks});
  require(found != collectives.end() && found->second.size() >= 2, "{} among {} ranks was not measured",
          name_of(collective), ranks);
  const std::vector<Sample>& samples = found->second;
  std::size_t s = 1;
  while (s + 1 < samples.size() && samples[s].bytes < bytes) ++s;
  const Sample& from = samples[s - 1];
  const Sample& to = samples[s];
  const double slope = std::max(0.0, (to.seconds - from.seconds) / (to.bytes - from.bytes));
  return std::max(from.seconds * 0.5, from.seconds + (bytes - from.bytes) * slope);
}

std::string Plan::to_string() const {
  const ScheduleEntry& entry = entry_of(schedule);
  return fmt::format("{} {}{}", mesh.to_string(), entry.name,
                     entry.takes_panels && panel > 0 ? fmt::format(" of {}", panel) : "");
}

Plan predict(const Machine& machine, const MatmulShape& shape, Plan plan) {
  const Work work = entry_of(plan.schedule).work(shape, plan.mesh, plan.panel);
  const std::int64_t result_bytes = work.m * work.n * size_of(shape.result_type());
  const double product = machine.product.seconds(work.m, work.n, work.k);
  plan.product_seconds = static_cast<double>(std::max<std::int64_t>(work.products, 1)) * product;
  plan.communication_seconds = 0;
  plan.bytes_sent_per_rank = 0;
  for (const Movement& movement : work.movements) add_movement(machine, plan.mesh, movement, product, plan);
  const Collective last = plan.c_state == State::sharded ? Collective::reduce_scatter : Collective::all_reduce;
  add_movement(machine, plan.mesh, {last, Axis::k, result_bytes}, product, plan);

  const auto rest = [&](std::int64_t width, Axis axis) {  // the largest piece of an operand
    const std::int64_t block = (shape.k + plan.mesh.parts(Axis::k) - 1) / plan.mesh.parts(Axis::k);
    const std::int64_t rows = ceil_div(block, plan.mesh.parts(axis));
    return rows * width * size_of(shape.type);
  };
  plan.peak_bytes_per_rank =
      static_cast<double>(rest(work.m, Axis::j) + rest(work.n, Axis::i) + result_bytes + work.workspace_bytes);
  return plan;
}

std::int64_t local_products(const MatmulShape& shape, const Plan& plan) {
  return entry_of(plan.schedule).work(shape, plan.mesh, plan.panel).products;
}

std::vector<Mesh> meshes_of(int np) {
  std::vector<Mesh> meshes;
  for (int i = 1; i <= np; ++i) {
    for (int j = 1; j <= np / i; ++j) {
      if (np % (i * j) == 0) meshes.emplace_back(i, j, np / (i * j));
    }
  }
  return meshes;
}

namespace {

void check_limits(const Machine& machine, const PlanLimits& limits) {
  if (!limits.mesh) return;
  require_input(limits.mesh->size() == machine.np, "--mesh {}: has {} ranks; expected {}, as the job has",
                limits.mesh->to_string(), limits.mesh->size(), machine.np);
  if (!limits.schedule) return;
  const ScheduleEntry& entry = entry_of(*limits.schedule);
  require_input(entry.fits(*limits.mesh), "--schedule {}: does not fit mesh {}; expected {}", entry.name,
                limits.mesh->to_string(), entry.fits_text);
}

/// Adds the candidates on one mesh. If no operand moves, all schedules do the same, and gather is the only candidate.
void add_plans(const Machine& machine, const MatmulShape& shape, const PlanLimits& limits, const Mesh& mesh,
               std::vector<Plan>& plans) {
  const bool moves = mesh.extent(Axis::i) > 1 || mesh.extent(Axis::j) > 1;
  for (const ScheduleEntry& entry : schedules()) {
    if (!entry.fits(mesh) || (limits.schedule && *limits.schedule != entry.schedule)) continue;
    if (!moves && !limits.schedule && entry.schedule != Schedule::gather) continue;
    std::int64_t thickest = -1;
    for (const std::int64_t panel : kPanels) {
      const std::int64_t thickness = entry.work(shape, mesh, panel).k;
      if (thickness == thickest) break;  // a thicker panel changes nothing: no piece of k is thicker
      thickest = thickness;
      plans.push_back(predict(machine, shape,
                              {.mesh = mesh,
                               .schedule = entry.schedule,
                               .panel = entry.takes_panels ? thickness : 0,
                               .c_state = limits.c_state}));
    }
  }
}

/// The fastest; of those that the model cannot tell apart, the one with the least to send, then the fewest products.
void put_best_first(const MatmulShape& shape, std::vector<Plan>& plans) {
  std::ranges::stable_sort(plans, {}, &Plan::seconds);
  const double close = plans.front().seconds() * kResolution;
  const auto end = std::ranges::find_if(plans, [&](const Plan& plan) { return plan.seconds() > close; });
  std::stable_sort(plans.begin(), end, [&](const Plan& a, const Plan& b) {
    const auto key = [&](const Plan& plan) {
      return std::pair(std::round(plan.bytes_sent_per_rank), local_products(shape, plan));
    };
    return key(a) < key(b);
  });
}

}  // namespace

std::vector<Plan> plan_matmul(const Machine& machine, const MatmulShape& shape, const PlanLimits& limits) {
  check_limits(machine, limits);
  std::vector<Plan> plans;
  for (const Mesh& mesh : limits.mesh ? std::vector{*limits.mesh} : meshes_of(machine.np)) {
    add_plans(machine, shape, limits, mesh, plans);
  }
  require_input(!plans.empty(), "--schedule: fits no mesh of {} ranks; expected another schedule", machine.np);
  if (limits.memory_bytes > 0) {
    const double least = std::ranges::min(plans, {}, &Plan::peak_bytes_per_rank).peak_bytes_per_rank;
    std::erase_if(plans, [&](const Plan& plan) { return plan.peak_bytes_per_rank > limits.memory_bytes; });
    require_input(!plans.empty(), "--memory-limit: {} per rank are too few for any plan; expected at least {}",
                  in_mib(limits.memory_bytes), in_mib(least));
  }
  put_best_first(shape, plans);
  return plans;
}

}  // namespace recombine
