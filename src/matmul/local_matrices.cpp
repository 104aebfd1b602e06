#include "src/matmul/local_matrices.hpp"

#include "distributed/io/convert.hpp"
#include "distributed/recombine.hpp"
#include "distributed/session.hpp"
#include "src/program/host_copy.hpp"

namespace recombine {

LocalMatrices::LocalMatrices(const MatmulJob& job)
    : a(job.context, {job.problem.shape.k, job.problem.shape.m}, kPlaceA, job.problem.shape.type),
      b(job.context, {job.problem.shape.k, job.problem.shape.n}, kPlaceB, job.problem.shape.type),
      c(OwnedMatrix::summed_over(Axis::k, job.context, {job.problem.shape.m, job.problem.shape.n}, kPlaceC,
                                 job.problem.shape.result_type())),
      job_(job) {}

/// A block of A^T is the transpose of A's rectangle block.cols x block.rows (distributed/matmul/matmul.hpp says why A
/// is held as A^T).
void LocalMatrices::load_operands(Stream& io) {
  for (const Block& block : a.blocks()) {
    job_.problem.a.read(job_.context, io, block.cols, block.rows, Transpose::yes, block.view);
  }
  for (const Block& block : b.blocks()) {
    job_.problem.b.read(job_.context, io, block.rows, block.cols, Transpose::no, block.view);
  }
  io.synchronize();
}

void LocalMatrices::load_result(Stream& io) {
  if (!job_.problem.c0) return;
  for (const Block& block : c.blocks()) {
    job_.problem.c0->read(job_.context, io, block.rows, block.cols, Transpose::no, block.view);
  }
  io.synchronize();
}

void LocalMatrices::write_result(Stream& io, NpyWriter& out) const {
  for (const Block& block : c.blocks()) {
    const HostCopy own(job_.context, rows_of(block, own_rows(block)));
    out.write(io, own_rows(block), block.cols, own.view());
    io.synchronize();
  }
}

std::vector<double> LocalMatrices::small_result(Communicator& world, Stream& io) const {
  std::vector<double> all(static_cast<std::size_t>(c.rows() * c.cols()));
  const MatrixView whole = as_matrix(vector_view(all.data(), c.rows() * c.cols()), c.rows(), c.cols());
  for (const Block& block : c.blocks()) {
    const Range rows = own_rows(block);
    const HostCopy own(job_.context, rows_of(block, rows));
    convert(own.view(), Transpose::no, whole.block(rows.begin, block.cols.begin, rows.size(), block.cols.size()));
  }
  world.all_reduce(io, vector_view(all.data(), static_cast<std::int64_t>(all.size())), Reduction::sum);
  io.synchronize();
  return all;
}

Verification LocalMatrices::verification(Stream& io) const {
  Verification what = verification_of(job_);
  what.a = again(io, job_.problem.a, Transpose::yes, a);
  what.b = again(io, job_.problem.b, Transpose::no, b);
  if (job_.problem.c0) what.c0 = again(io, *job_.problem.c0, Transpose::no, c);
  what.c = [this](const Visitor& visit) {
    const bool sharded = c.placement()[Axis::k] == State::sharded;
    for (const Block& block : c.blocks()) {
      const Range rows = sharded ? own_rows(block) : block.rows;
      visit(rows, block.cols, HostCopy(job_.context, rows_of(block, rows)).view());
    }
  };
  return what;
}

/// This rank's elements of `matrix`, read again. Each element belongs to one rank only; for that, the ranks along k
/// divide the rows of C.
Pieces LocalMatrices::again(Stream& io, const MatrixSource& source, Transpose transpose,
                            const DistMatrix& matrix) const {
  return [=, this, &io, &matrix, read = read_from(job_.context, source, transpose)](const Visitor& visit) {
    for (const Block& block : matrix.blocks()) {
      const Range rows = &matrix == &c ? own_rows(block) : block.rows;
      visit_bands({job_.context, io, block.view.type, read}, rows, block.cols, visit);
    }
  };
}

/// This rank's share, along k, of the rows of a block of C.
Range LocalMatrices::own_rows(const Block& block) const {
  const Range shard = row_shard_of(block, job_.context.mesh().parts(Axis::k), job_.context.coord()[Axis::k]);
  return {block.rows.begin + shard.begin, block.rows.begin + shard.end};
}

MatmulTimes multiply_once(const MatmulJob& job, LocalMatrices& matrices, Workspace& workspace) {
  RankContext& context = job.context;
  const double start = Session::now();
  const double waited = context.exposed_seconds();
  entry_of(job.plan.schedule)
      .run(context, {.a = matrices.a,
                     .b = matrices.b,
                     .c = matrices.c,
                     .alpha = job.command.alpha,
                     .beta = job.command.beta,
                     .panel = job.plan.panel,
                     .workspace = workspace});
  const double multiplied = Session::now();
  recombine(context, matrices.c, Axis::k, job.plan.c_state, {.name = "sum C over k"});
  const double summed = Session::now();
  if (job.problem.shape.type == DataType::bf16) {
    for (const Block& block : matrices.c.blocks()) round_to_bf16(context, workspace, block.view);
  }
  context.compute().synchronize();
  MatmulTimes times{.total = Session::now() - start};
  if (context.device().kind() == DeviceKind::cuda) {  // the host waits for all parts at once, and cannot time them
    times.product = times.exposed = times.recombine = kUnknown;
    return times;
  }
  times.exposed = context.exposed_seconds() - waited;
  times.product = times.total - times.exposed;
  times.recombine = summed - multiplied;
  return times;
}

}  // namespace recombine
