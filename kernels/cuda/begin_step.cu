#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/reduce.cuh"

namespace recombine::cuda {

namespace {

/// One block, which reads the input from the host's memory once.
__global__ void __launch_bounds__(kBlockThreads) begin_step_kernel(BeginStep call) {
  using Word = std::uint64_t;
  static_assert(sizeof(StepInput) % sizeof(Word) == 0);
  StepValues& values = *call.values;
  const std::int64_t n = values.begun;
  const auto* const from = reinterpret_cast<const Word*>(call.inputs + n % call.slots);
  auto* const to = reinterpret_cast<Word*>(&values.input);
  for (unsigned w = threadIdx.x; w < sizeof(StepInput) / sizeof(Word); w += blockDim.x) to[w] = from[w];
  __syncthreads();  // every thread has read `begun`
  if (threadIdx.x > 0) return;
  if (n > 0) call.results[(n - 1) % call.slots] = values.sums;
  values.sums = {};
  values.clip_square_sum = 0;
  values.begun = n + 1;
}

struct BatchRowItem {
  const BatchOrder* order;  // null: the table's own order
  std::int64_t first;
  std::int64_t* rows;

  __device__ __forceinline__ void operator()(std::int64_t, std::int64_t r) const {
    rows[r] = order ? order->permutation(order->position + first + r) : first + r;
  }
};

}  // namespace

void begin_step(cudaStream_t stream, const BeginStep& call) {
  begin_step_kernel<<<1, kWarp, 0, stream>>>(call);
  check_launch("begin_step");
}

void batch_rows(cudaStream_t stream, const BatchRows& call) {
  for_elements(stream, "batch_rows", 1, call.rows.size,
               BatchRowItem{call.order, call.first, call.rows.as<std::int64_t>()});
}

}  // namespace recombine::cuda
