#include "src/matmul/execute.hpp"

#include <algorithm>

#include "kernels/error.hpp"
#include "src/program/host_copy.hpp"

namespace recombine {

void round_to_bf16(RankContext& context, Workspace& scratch, MatrixView c) {
  static constexpr std::int64_t kElements = std::int64_t{1} << 20;
  const std::int64_t band = std::max<std::int64_t>(1, kElements / std::max<std::int64_t>(c.cols, 1));
  for (std::int64_t begin = 0; begin < c.rows; begin += band) {
    const MatrixView rows = c.block(begin, 0, std::min(band, c.rows - begin), c.cols);
    const MatrixView narrow =
        as_matrix(scratch.get(context.device(), 0, DataType::bf16, rows.rows * rows.cols), rows.rows, rows.cols);
    context.math().cast(context.compute(), rows, narrow);
    context.math().cast(context.compute(), narrow, rows);
  }
}

MatmulTimes times_of_all(const MatmulJob& job, Stream& stream, const MatmulTimes& times) {
  static constexpr std::size_t kValues = 5;
  const auto ranks = static_cast<std::size_t>(job.world.size());
  std::vector<double> values(ranks * kValues);
  const std::array<double, kValues> own = {times.total, times.product, times.exposed, times.io, times.recombine};
  std::ranges::copy(own, values.begin() + job.world.rank() * static_cast<std::ptrdiff_t>(kValues));
  const std::vector<std::int64_t> counts(ranks, kValues);
  job.world.all_gather(stream, vector_view(values.data(), values.size()), counts);
  stream.synchronize();
  std::vector<MatmulTimes> all;
  for (auto at = values.begin(); at != values.end(); at += kValues) all.push_back({at[0], at[1], at[2], at[3], at[4]});
  return over_ranks(all);
}

void verify(const MatmulJob& job, Stream& stream, const Verification& what, MatmulResult& result) {
  const auto insist = [](const Verdict& verdict) {
    if (verdict.failure) throw AgreedError("--verify: " + *verdict.failure);
    return verdict;
  };
  result.by_vectors = insist(verify_by_vectors(job.world, stream, what));
  if (small_enough_for_loops(what.shape)) result.by_loops = insist(verify_by_loops(job.world, stream, what));
}

StreamedMatmul::Read read_from(RankContext& context, const MatrixSource& source, Transpose transpose) {
  return [&context, &source, transpose](Stream& stream, Range rows, Range cols, MatrixView to) {
    if (transpose == Transpose::yes) std::swap(rows, cols);
    source.read(context, stream, rows, cols, transpose, to);
  };
}

void visit_bands(const BandReader& reader, Range rows, Range cols, const Visitor& visit) {
  static constexpr std::int64_t kElements = std::int64_t{1} << 22;
  const std::int64_t band = std::max<std::int64_t>(1, kElements / std::max<std::int64_t>(cols.size(), 1));
  const Buffer memory(reader.context.device(), reader.type, std::min(band, rows.size()) * cols.size());
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += band) {
    const Range some{begin, std::min(rows.end, begin + band)};
    const MatrixView view = memory.matrix(some.size(), cols.size());
    reader.read(reader.io, some, cols, view);
    reader.io.synchronize();
    visit(some, cols, HostCopy(reader.context, view).view());
  }
}

Verification verification_of(const MatmulJob& job) {
  const MatmulShape& shape = job.problem.shape;
  return {.shape = shape,
          .mesh = job.plan.mesh,
          .alpha = job.command.alpha,
          .beta = job.command.beta,
          .stored = shape.type == DataType::bf16 ? DataType::bf16 : shape.result_type()};
}

}  // namespace recombine
