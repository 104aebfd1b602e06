#include "distributed/matmul/schedule.hpp"

#include <algorithm>

#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The largest local blocks of a product.
struct Blocks {
  Blocks(const MatmulShape& shape, const Mesh& mesh)
      : i(mesh.parts(Axis::i)),
        j(mesh.parts(Axis::j)),
        m(ceil_div(shape.m, i)),
        n(ceil_div(shape.n, j)),
        k(ceil_div(shape.k, mesh.parts(Axis::k))),
        element(size_of(shape.type)) {}
  int i, j;
  std::int64_t m, n, k, element;
};

Work gather_work(const MatmulShape& shape, const Mesh& mesh, std::int64_t /*panel*/) {
  const Blocks b(shape, mesh);
  Work work{.m = b.m, .n = b.n, .k = b.k};
  const auto collect = [&](Axis axis, std::int64_t width) {
    if (mesh.parts(axis) == 1) return;
    work.movements.push_back({Collective::all_gather, axis, b.k * width * b.element});
    work.workspace_bytes += b.k * width * b.element;
  };
  collect(Axis::j, b.m);
  collect(Axis::i, b.n);
  return work;
}

Work panels_work(const MatmulShape& shape, const Mesh& mesh, std::int64_t panel) {
  const Blocks b(shape, mesh);
  // Steps end at the ends of panels, and at the ends of the pieces of both operands' owners.
  const std::int64_t thickest = std::min(panel > 0 ? panel : b.k, ceil_div(b.k, std::max(b.i, b.j)));
  const std::int64_t steps = thickest > 0 ? ceil_div(b.k, thickest) : 0;
  Work work{.products = steps, .m = b.m, .n = b.n, .k = thickest};
  const auto travel = [&](Axis axis, std::int64_t width) {
    if (mesh.parts(axis) == 1) return;
    const std::int64_t bytes = thickest * width * b.element;
    work.movements.push_back({Collective::broadcast, axis, bytes, steps, std::max<std::int64_t>(steps - 1, 0)});
    work.workspace_bytes += 2 * bytes;
  };
  travel(Axis::j, b.m);
  travel(Axis::i, b.n);
  return work;
}

Work shift_work(const MatmulShape& shape, const Mesh& mesh, std::int64_t /*panel*/) {
  const Blocks b(shape, mesh);
  const int steps = std::max(b.i, b.j);
  const std::int64_t piece = ceil_div(b.k, steps);
  Work work{.products = steps, .m = b.m, .n = b.n, .k = piece};
  const bool skewed = b.i > 1 && b.j > 1;
  const auto travel = [&](Axis axis, std::int64_t width) {
    if (mesh.parts(axis) == 1) return;
    const std::int64_t bytes = piece * width * b.element;
    work.movements.push_back({Collective::shift, axis, bytes, steps - 1 + (skewed ? 1 : 0), steps - 1});
    work.workspace_bytes += 2 * bytes;
  };
  travel(Axis::j, b.m);
  travel(Axis::i, b.n);
  return work;
}

bool fits_all(const Mesh& /*mesh*/) { return true; }

bool fits_shift(const Mesh& mesh) {
  const int i = mesh.extent(Axis::i);
  const int j = mesh.extent(Axis::j);
  return i == j || i == 1 || j == 1;
}

bool moves_nothing(const Mesh& mesh) { return mesh.extent(Axis::i) == 1 && mesh.extent(Axis::j) == 1; }

/// The same in each layer of ranks with equal k, whose C are then summed.
std::string in_layers(const Mesh& mesh, std::string_view name) {
  if (moves_nothing(mesh)) return "split-K";
  return fmt::format("{}{}", name, mesh.extent(Axis::k) > 1 ? ", then a sum over k" : "");
}

std::string gather_name(const Mesh& mesh) {
  const bool rows = mesh.extent(Axis::i) > 1, cols = mesh.extent(Axis::j) > 1;
  if (rows && cols) return mesh.extent(Axis::k) > 1 ? "3-D, Agarwal et al. 1995" : "2-D, by all-gather";
  return in_layers(mesh, rows ? "row blocks" : "column blocks");
}

std::string panels_name(const Mesh& mesh) { return in_layers(mesh, "SUMMA, van de Geijn and Watts 1997"); }

std::string shift_name(const Mesh& mesh) {
  const bool ring = mesh.extent(Axis::i) == 1 || mesh.extent(Axis::j) == 1;
  return in_layers(mesh, ring ? "a ring" : "Cannon 1969");
}

constexpr std::array kSchedules = {
    ScheduleEntry{Schedule::gather, "gather", "any mesh", fits_all, gather_name, false, gather_work, multiply_gather},
    ScheduleEntry{Schedule::panels, "panels", "any mesh", fits_all, panels_name, true, panels_work, multiply_panels},
    ScheduleEntry{Schedule::shift, "shift", "a mesh with i = j, i = 1 or j = 1", fits_shift, shift_name, false,
                  shift_work, multiply_shift},
};

}  // namespace

std::span<const ScheduleEntry> schedules() { return kSchedules; }

const ScheduleEntry& entry_of(Schedule schedule) {
  const auto entry = std::ranges::find(kSchedules, schedule, &ScheduleEntry::schedule);
  require(entry != kSchedules.end(), "no schedule number {}", static_cast<int>(schedule));
  return *entry;
}

}  // namespace recombine
