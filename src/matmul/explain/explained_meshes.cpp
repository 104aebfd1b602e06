#include "src/matmul/explain/explained_meshes.hpp"

#include <algorithm>
#include <cstdlib>

#include "distributed/matmul/planner.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

int distance_from_square(const Mesh& mesh) {
  return 2 * std::abs(mesh.extent(Axis::i) - mesh.extent(Axis::j)) + (mesh.extent(Axis::i) < mesh.extent(Axis::j));
}

/// Of the meshes with this extent along k, the one whose i and j are closest; of two, that with more rows.
Mesh squarest(const std::vector<Mesh>& meshes, int k) {
  std::vector<Mesh> with_k;
  std::ranges::copy_if(meshes, std::back_inserter(with_k), [&](const Mesh& mesh) { return mesh.extent(Axis::k) == k; });
  return std::ranges::min(with_k, {}, distance_from_square);
}

}  // namespace

std::vector<Mesh> explained_meshes(const MatmulCommand& command, int np, const MatmulShape& shape) {
  const auto fits = [&](const Mesh& mesh) { return !command.schedule || entry_of(*command.schedule).fits(mesh); };
  if (command.mesh) {
    const Mesh& mesh = *command.mesh;
    require_input(mesh.size() == np, "--mesh {}: has {} ranks; expected {}, as the job has", mesh.to_string(),
                  mesh.size(), np);
    require_input(fits(mesh), "--schedule {}: does not fit mesh {}; expected {}",
                  entry_of(command.schedule.value_or(Schedule::gather)).name, mesh.to_string(),
                  entry_of(command.schedule.value_or(Schedule::gather)).fits_text);
    return {mesh};
  }
  std::vector<Mesh> meshes = meshes_of(np);
  std::erase_if(meshes, [&](const Mesh& mesh) { return !fits(mesh); });
  std::vector<Mesh> chosen = {squarest(meshes, 1)};
  if (np == 1 || shape.k == 1) return chosen;
  int parts = np;
  for (int divisor = 2; divisor <= np; ++divisor) {
    if (np % divisor == 0 && divisor <= shape.k) parts = divisor;
  }
  chosen.push_back(squarest(meshes, parts));
  return chosen;
}

}  // namespace recombine
