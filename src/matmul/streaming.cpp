#include <algorithm>

#include "distributed/session.hpp"
#include "src/matmul/execute.hpp"

namespace recombine {

namespace {

/// Input of the verification: the operands, read again from their sources, and C from the file that was written.
Verification streamed_verification(const MatmulJob& job, Stream& io, const StreamedMatmul& call,
                                   const MatrixSource& written) {
  const MatmulShape& shape = call.shape;
  RankContext& context = job.context;
  Verification what = verification_of(job);
  const Range k = split_range(shape.k, job.world.size(), job.world.rank());
  const Range block_rows = split_range(shape.m, context.mesh().parts(Axis::i), context.coord()[Axis::i]);
  const Range cols = split_range(shape.n, context.mesh().parts(Axis::j), context.coord()[Axis::j]);
  const Range share = split_range(block_rows.size(), context.mesh().parts(Axis::k), context.coord()[Axis::k]);
  const Range rows{block_rows.begin + share.begin, block_rows.begin + share.end};
  const auto bands = [&context, &io](Range of_rows, Range of_cols, DataType type, StreamedMatmul::Read read) {
    return [=, &context, &io](const Visitor& visit) {
      visit_bands({context, io, type, read}, of_rows, of_cols, visit);
    };
  };
  what.a = bands(k, {0, shape.m}, shape.type, call.a);
  what.b = bands(k, {0, shape.n}, shape.type, call.b);
  if (call.c0) what.c0 = bands(rows, cols, shape.result_type(), call.c0);
  what.c =
      bands(rows, cols, shape.result_type(), [&context, &written](Stream& stream, Range r, Range c, MatrixView to) {
        written.read(context, stream, r, c, Transpose::no, to);
      });
  return what;
}

}  // namespace

MatmulResult multiply_streaming(const MatmulJob& job, const Tiles& tiles) {
  RankContext& context = job.context;
  const auto io = context.device().make_stream(StreamUse::host);
  Workspace scratch;
  StreamedMatmul call{.shape = job.problem.shape,
                      .tiles = tiles,
                      .alpha = job.command.alpha,
                      .beta = job.command.beta,
                      .a = read_from(context, job.problem.a, Transpose::yes),
                      .b = read_from(context, job.problem.b, Transpose::no)};
  if (job.problem.c0) call.c0 = read_from(context, *job.problem.c0, Transpose::no);
  if (job.problem.shape.type == DataType::bf16) call.round = [&](MatrixView c) { round_to_bf16(context, scratch, c); };
  call.write = [&](Stream& stream, Range rows, Range cols, ConstMatrixView from) {
    job.out->write(stream, rows, cols, from);
  };
  MatmulResult result;
  for (int run = 0; run < job.command.repeat; ++run) {
    times_of_all(job, *io, {});
    const double start = Session::now();
    const double waited = context.exposed_seconds();
    const bool sums = context.mesh().extent(Axis::k) > 1;
    MatmulTimes times{.io = multiply_streamed(context, call), .recombine = sums ? kUnknown : 0};
    times.total = Session::now() - start;
    times.exposed = context.exposed_seconds() - waited;
    times.product = times.total - times.exposed - times.io;
    result.runs.push_back(times_of_all(job, *io, times));
  }
  if (job.command.verify) {
    const MatrixSource c = MatrixSource::from_file("out", job.out->temporary_path(), Transpose::no);
    verify(job, *io, streamed_verification(job, *io, call, c), result);
  }
  const double written = Session::now();
  job.out->commit(*io);
  result.store_seconds = Session::now() - written;
  return result;
}

}  // namespace recombine
