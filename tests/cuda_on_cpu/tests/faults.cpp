// faults MODE: runs a pipeline over two streams. It is correct if MODE is none. Otherwise it contains the fault MODE.
//
//     compute        produce p |                       | wait for q, r = 2 q, reverse r twice, copy r to host
//     communication            | wait for p, q = 2 p   |
//
// After it, compute waits for a word of pinned memory, which a thread of the host writes after its data.
#include "tests/cuda_on_cpu/tests/faults.hpp"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include <cudaTypedefs.h>

namespace {

void check(cudaError_t error, cudaError_t expected = cudaSuccess) {
  if (error == expected) return;
  std::fprintf(stderr, "faults: %s\n", cudaGetErrorName(error));
  std::exit(1);
}

struct Pipeline {
  Pipeline() {
    for (cudaStream_t* stream : {&compute, &communication})
      check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
    for (cudaEvent_t* event : {&produced, &received}) check(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
    for (float** array : {&p, &q, &r})
      check(cudaMallocAsync(reinterpret_cast<void**>(array), kCount * sizeof(float), compute));
    for (float** array : {&host, &fed}) check(cudaMallocHost(reinterpret_cast<void**>(array), kCount * sizeof(float)));
    check(cudaMallocHost(reinterpret_cast<void**>(&word), sizeof *word));
    *word = 0;
  }

  ~Pipeline() {
    for (float* array : {p, q, r}) check(cudaFreeAsync(array, compute));
    for (cudaStream_t stream : {compute, communication}) check(cudaStreamDestroy(stream));
    for (cudaEvent_t event : {produced, received}) check(cudaEventDestroy(event));
    for (void* memory : {static_cast<void*>(host), static_cast<void*>(fed), static_cast<void*>(word)})
      check(cudaFreeHost(memory));
  }

  void run(const std::string& fault) {
    produce(compute, p, 1);
    check(cudaEventRecord(produced, compute));
    if (fault != "no wait of communication") check(cudaStreamWaitEvent(communication, produced, 0));
    double_of(communication, p, q);
    if (fault == "buffer reused before its event") produce(compute, p, 3);
    check(cudaEventRecord(received, communication));
    if (fault != "no wait of compute") check(cudaStreamWaitEvent(compute, received, 0));
    double_of(compute, q, r);
    fault == "no barrier" ? reverse_without_barrier(compute, r) : reverse(compute, r);
    fault == "no wait of copies" ? reverse_without_copy_wait(compute, r) : reverse_by_async_copy(compute, r);
    check(cudaMemcpyAsync(host, r, kCount * sizeof(float), cudaMemcpyDefault, compute));
    if (fault == "host reads early") seen_early = host[0];
    plant(fault);
    check(cudaStreamSynchronize(compute));
    check_result();
    feed(fault);
  }

  /// compute: wait for the word | copy `fed` to p | copy p to `host`. The feeder writes `fed`, then the word.
  void feed(const std::string& fault) {
    void* function = nullptr;
    check(cudaGetDriverEntryPointByVersion("cuStreamWaitValue32", &function, 11070, cudaEnableDefault, nullptr));
    std::uint32_t pageable = 0;
    const void* const waits_for = fault == "wait for pageable memory" ? &pageable : word;
    const CUresult result = reinterpret_cast<PFN_cuStreamWaitValue32_v11070>(function)(
        compute, reinterpret_cast<CUdeviceptr>(waits_for), 1, CU_STREAM_WAIT_VALUE_GEQ);
    if (result != CUDA_SUCCESS) {
      std::fprintf(stderr, "faults: cuStreamWaitValue32: %d\n", static_cast<int>(result));
      std::exit(1);
    }
    check(cudaMemcpyAsync(p, fed, kCount * sizeof(float), cudaMemcpyDefault, compute));
    check(cudaMemcpyAsync(host, p, kCount * sizeof(float), cudaMemcpyDefault, compute));
    std::thread feeder([&] {
      const auto show = [&] { std::atomic_ref(*word).store(1, std::memory_order_release); };
      const bool early = fault == "word before data";
      if (early) show();
      for (int i = 0; i < kCount; ++i) fed[i] = 4 * (1 + static_cast<float>(i));
      if (!early) show();
    });
    feeder.join();
    check(cudaStreamSynchronize(compute));
    check_result();
  }

  /// Faults that are not part of the pipeline.
  void plant(const std::string& fault) {
    if (fault == "out of bounds") write_beyond(compute, r);
    if (fault == "misaligned") write_misaligned(compute, r);
    if (fault == "divergent barrier") divergent_barrier(compute, p);
    if (fault == "partial collective") partial_barrier(compute, p);
    if (fault == "blocks race") write_same(compute, p);
    if (fault == "host pointer") produce(compute, unpinned, 1);
    if (fault == "freed early") check(cudaFreeAsync(std::exchange(q, nullptr), communication));
    if (fault == "host function calls") check(cudaLaunchHostFunc(compute, call_cuda, this));
    if (fault == "host function queries") check(cudaLaunchHostFunc(compute, query_event, this));
    if (fault == "shared memory") return use_shared(compute, p, 64 << 10);  // its error must be the last one
    check(cudaFuncSetAttribute(use_shared_kernel(), cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10));
    use_shared(compute, p, 64 << 10);
  }

  static void call_cuda(void* pipeline) { check(cudaEventSynchronize(static_cast<Pipeline*>(pipeline)->produced)); }
  static void query_event(void* pipeline) { check(cudaEventQuery(static_cast<Pipeline*>(pipeline)->produced)); }

  void check_result() const {
    check(cudaGetLastError());
    for (int i = 0; i < kCount; ++i)
      if (host[i] != 4 * (1 + static_cast<float>(i))) {
        std::fprintf(stderr, "faults: wrong result at %d: %g\n", i, static_cast<double>(host[i]));
        std::exit(1);
      }
  }

  cudaStream_t compute = nullptr;
  cudaStream_t communication = nullptr;
  cudaEvent_t produced = nullptr;
  cudaEvent_t received = nullptr;
  float* p = nullptr;
  float* q = nullptr;
  float* r = nullptr;
  float* host = nullptr;
  float* fed = nullptr;
  std::uint32_t* word = nullptr;
  volatile float seen_early = 0;
  float unpinned[kCount] = {};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Pipeline pipeline;
  pipeline.run(argv[1]);
  std::puts("right");
}
