#include "distributed/session.hpp"
#include "src/matmul/local_matrices.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kSmall = 64;  // a C of at most so many elements is printed

}  // namespace

MatmulResult multiply_in_memory(const MatmulJob& job) {
  const auto io = job.context.device().make_stream(StreamUse::host);
  MatmulResult result;
  double start = Session::now();
  LocalMatrices matrices(job);
  matrices.load_operands(*io);
  result.load_seconds = Session::now() - start;

  Workspace workspace;
  const int warm_up = job.command.repeat > 1 ? 1 : 0;  // a run that is not counted prepares libraries and memory
  for (int run = -warm_up; run < job.command.repeat; ++run) {
    matrices.load_result(*io);
    times_of_all(job, *io, {});  // a barrier: all ranks begin at the same time
    const MatmulTimes times = times_of_all(job, *io, multiply_once(job, matrices, workspace));
    if (run >= 0) result.runs.push_back(times);
  }
  if (job.command.verify) verify(job, *io, matrices.verification(*io), result);
  if (job.problem.shape.m * job.problem.shape.n <= kSmall) result.small_c = matrices.small_result(job.world, *io);
  if (job.out) {
    start = Session::now();
    matrices.write_result(*io, *job.out);
    job.out->commit(*io);
    result.store_seconds = Session::now() - start;
  }
  return result;
}

}  // namespace recombine
