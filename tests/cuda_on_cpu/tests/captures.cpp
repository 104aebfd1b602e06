// captures MODE: captures a step over two streams, and replays it. It is correct if MODE is none. Otherwise it contains
// the fault MODE.
//
//     compute        copy fed to p | r = 2 p               | wait for q, s = q + r, copy s to host
//     communication                | wait for p, q = 2 p   |
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "tests/cuda_on_cpu/tests/faults.hpp"
#include "tests/support/cuda_counts.hpp"

namespace {

constexpr int kReplays = 10;
constexpr std::size_t kBytes = kCount * sizeof(float);

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "captures: %s\n", cudaGetErrorName(error));
  std::exit(1);
}

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "captures: %s\n", what);
  std::exit(1);
}

class Step {
 public:
  explicit Step(std::string fault) : fault_(std::move(fault)) {
    for (cudaStream_t* stream : {&compute_, &communication_})
      check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
    for (cudaEvent_t* event : {&fork_, &join_}) check(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
    for (float** array : {&p_, &q_, &r_, &s_}) check(cudaMalloc(reinterpret_cast<void**>(array), kBytes));
    for (float** array : {&fed_, &host_}) check(cudaMallocHost(reinterpret_cast<void**>(array), kBytes));
  }

  void run() {
    capture();
    const auto before = recombine::test::cuda_counts();
    for (int replay = 1; replay <= kReplays; ++replay) {
      feed(static_cast<float>(replay));
      check(cudaGraphLaunch(executable_, compute_));
      if (fault_ == "fed again too early") feed(0);
      if (fault_ == "host reads early") seen_early_ = host_[0];
      if (fault_ == "no wait for the replay") double_of(communication_, s_, q_);
      check(cudaStreamSynchronize(compute_));
      check_result(static_cast<float>(replay));
      if (fault_ == "freed before the replay" && r_) check(cudaFree(std::exchange(r_, nullptr)));
    }
    if (before) check_counts(*recombine::test::cuda_counts() - *before);
    replay_on_another_stream();
    check(cudaGraphExecDestroy(executable_));
  }

 private:
  void capture() {
    cudaGraph_t graph = nullptr;
    check(cudaStreamBeginCapture(compute_, cudaStreamCaptureModeThreadLocal));
    feed(-1);
    record();
    check(cudaStreamEndCapture(compute_, &graph));
    std::size_t nodes = 0;
    check(cudaGraphGetNodes(graph, nullptr, &nodes));
    check(nodes == 5, "expected 5 nodes");
    check(cudaGraphInstantiate(&executable_, graph, 0));
    check(cudaGraphDestroy(graph));
  }

  void record() {
    const bool early = fault_ == "missing edge to the fork";
    if (early) check(cudaEventRecord(fork_, compute_));
    if (fault_ == "replay that reads a host scalar") {
      produce(compute_, p_, scalar_);
    } else {
      check(cudaMemcpyAsync(p_, fed_, kBytes, cudaMemcpyDefault, compute_));
    }
    if (!early) check(cudaEventRecord(fork_, compute_));
    check(cudaStreamWaitEvent(communication_, fork_, 0));
    double_of(communication_, p_, q_);
    check(cudaEventRecord(join_, communication_));
    double_of(compute_, p_, r_);
    const bool late = fault_ == "missing edge to the join";
    if (!late && fault_ != "missing join") check(cudaStreamWaitEvent(compute_, join_, 0));
    add(compute_, q_, r_, s_);
    check(cudaMemcpyAsync(host_, s_, kBytes, cudaMemcpyDefault, compute_));
    if (late) check(cudaStreamWaitEvent(compute_, join_, 0));
    check(cudaGetLastError());
  }

  void feed(float value) {
    scalar_ = value;
    for (int i = 0; i < kCount; ++i) fed_[i] = value + static_cast<float>(i);
  }

  void check_result(float value) const {
    for (int i = 0; i < kCount; ++i) check(host_[i] == 4 * (value + static_cast<float>(i)), "wrong result");
  }

  static void check_counts(const recombine::test::CudaCounts& counts) {
    check(counts.kernel_launches == 3 * kReplays && counts.graph_launches == kReplays, "wrong counts of launches");
    check(counts.copies == 2 * kReplays && counts.pageable_copies == 0, "wrong counts of copies");
    check(counts.host_synchronisations == kReplays && counts.allocations == 0, "wrong counts of host calls");
  }

  /// Launches of one graph in two streams run one after the other.
  void replay_on_another_stream() {
    check(cudaGraphLaunch(executable_, compute_));
    check(cudaGraphLaunch(executable_, communication_));
    check(cudaStreamSynchronize(communication_));
    check_result(scalar_);
  }

  const std::string fault_;
  cudaStream_t compute_ = nullptr;
  cudaStream_t communication_ = nullptr;
  cudaEvent_t fork_ = nullptr;
  cudaEvent_t join_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
  float* p_ = nullptr;
  float* q_ = nullptr;
  float* r_ = nullptr;
  float* s_ = nullptr;
  float* fed_ = nullptr;
  float* host_ = nullptr;
  float scalar_ = 0;
  volatile float seen_early_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Step step(argv[1]);
  step.run();
  std::puts("right");
}
