#include "src/nn/replicas.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "distributed/recombine.hpp"
#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "src/nn/replica_differences.hpp"

namespace recombine {

namespace {

using Words = std::vector<std::int64_t>;  // sums of i64 wrap around

/// A copy of `words` in the device's memory. Later work on the compute stream sees the complete copy.
Buffer on_device(RankContext& context, const Words& words) {
  const auto size = static_cast<std::int64_t>(words.size());
  Buffer buffer(context.device(), DataType::i64, size);
  context.device().copy(context.compute(), buffer.view(), vector_view(words.data(), size));
  return buffer;
}

Words on_host(RankContext& context, const Buffer& buffer) {
  Words words(static_cast<std::size_t>(buffer.view().size));
  context.device().copy(context.compute(), vector_view(words.data(), buffer.view().size), buffer.view());
  context.compute().synchronize();
  return words;
}

/// The fingerprints of this rank's parts, by tensor.
Words own_sums(RankContext& context, const TrainedTensors& tensors) {
  const Buffer sums = on_device(context, Words(tensors.size()));
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    const DistMatrix matrix = tensors.matrix(n);
    for (const Block& block : matrix.blocks()) {
      context.math().fingerprint(context.compute(), {.block = block.view,
                                                     .tensor = n,
                                                     .first_row = block.rows.begin,
                                                     .first_col = block.cols.begin,
                                                     .global_cols = matrix.cols(),
                                                     .sum = sums.view().as<std::int64_t>() + n});
    }
  }
  return on_host(context, sums);
}

/// The sum of `words` over all ranks of the mesh.
Words sum_over_mesh(RankContext& context, const Words& words) {
  const Buffer sums = on_device(context, words);
  sum_over_axes(context, kAxes, sums.view(), {.name = "compare replicas"});
  return on_host(context, sums);
}

/// Every rank's `own`, in the order of the ranks.
std::vector<Words> gather_over_mesh(RankContext& context, const Words& own) {
  const auto rank = static_cast<std::size_t>(context.mesh().rank_of(context.coord()));
  Words all(own.size() * static_cast<std::size_t>(context.mesh().size()));
  std::ranges::copy(own, all.begin() + static_cast<std::ptrdiff_t>(rank * own.size()));
  all = sum_over_mesh(context, all);
  std::vector<Words> ranks;
  for (std::size_t begin = 0; begin < all.size(); begin += own.size()) {
    ranks.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(begin),
                       all.begin() + static_cast<std::ptrdiff_t>(begin + own.size()));
  }
  return ranks;
}

/// Session::place() of every rank; long texts are cut.
std::vector<std::string> gather_places(RankContext& context) {
  const std::string own = Session::place();
  Words text(16);
  std::memcpy(text.data(), own.data(), std::min(own.size(), text.size() * sizeof text[0] - 1));
  std::vector<std::string> places;
  for (const Words& place : gather_over_mesh(context, text)) {
    places.emplace_back(reinterpret_cast<const char*>(place.data()));
  }
  return places;
}

[[noreturn]] void throw_differences(RankContext& context, const TrainedTensors& tensors, const Words& own,
                                    std::int64_t step) {
  RanksSums ranks{.places = gather_places(context)};
  for (const Words& sums : gather_over_mesh(context, own)) ranks.sums.emplace_back(sums.begin(), sums.end());
  throw AgreedError(fmt::format("step {}: {}; expected equal bits: the memory or the arithmetic of a rank is faulty",
                                step, describe_differences(context.mesh(), tensors, ranks)));
}

}  // namespace

std::vector<std::uint64_t> compare_replicas(RankContext& context, const TrainedTensors& tensors, std::int64_t step) {
  const Words own = own_sums(context, tensors);
  // For each tensor: the sum over all ranks, and over one holder of each part.
  const std::size_t count = tensors.size();
  Words sums = own;
  sums.resize(2 * count);
  for (std::size_t n = 0; n < count; ++n) {
    if (in_one_replica(tensors.parameter(n).placement, context.coord(), Coord{})) sums[count + n] = own[n];
  }
  sums = sum_over_mesh(context, sums);
  std::vector<std::uint64_t> fingerprints(sums.begin() + static_cast<std::ptrdiff_t>(count), sums.end());
  for (std::size_t n = 0; n < count; ++n) {
    const Placement& placement = tensors.parameter(n).placement;
    const std::size_t copies = ranks_with_blocks_of(context.mesh(), context.coord(), placement).size();
    if (static_cast<std::uint64_t>(sums[n]) != copies * fingerprints[n]) throw_differences(context, tensors, own, step);
  }
  return fingerprints;
}

}  // namespace recombine
