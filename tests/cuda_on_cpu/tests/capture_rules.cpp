// Makes each call that CUDA refuses while a stream captures, and compares the error code with the expected one. It also
// runs on a GPU: rules that only the emulation has are left out there.
//
//     nvcc -std=c++20 -I. tests/cuda_on_cpu/tests/{capture_rules.cpp,faults.cu} tests/support/cuda_counts.cpp
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include <cudaTypedefs.h>

#include "tests/cuda_on_cpu/tests/faults.hpp"
#include "tests/support/cuda_counts.hpp"

namespace {

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "capture_rules: %s\n", cudaGetErrorName(error));
  std::exit(1);
}

/// What a rule's call may use: `stream` captures, `other` does not.
struct Scene {
  explicit Scene(cudaStreamCaptureMode mode) {
    for (cudaStream_t* one : {&stream, &other}) check(cudaStreamCreateWithFlags(one, cudaStreamNonBlocking));
    for (cudaEvent_t* event : {&inside, &outside}) check(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
    check(cudaMalloc(reinterpret_cast<void**>(&array), sizeof pageable));
    check(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof pageable));
    check(cudaEventRecord(outside, other));
    check(cudaStreamBeginCapture(stream, mode));
    produce(stream, array, 1);
    check(cudaEventRecord(inside, stream));
  }

  /// `other` joins the capture.
  void fork() const {
    check(cudaStreamWaitEvent(other, inside, 0));
    double_of(other, array, array);
  }

  cudaError_t end(cudaStream_t of) {
    cudaGraph_t graph = nullptr;
    const cudaError_t error = cudaStreamEndCapture(of, &graph);
    if (graph) check(cudaGraphDestroy(graph));
    return error;
  }

  cudaStream_t stream = nullptr;
  cudaStream_t other = nullptr;
  cudaEvent_t inside = nullptr;
  cudaEvent_t outside = nullptr;
  float* array = nullptr;
  float* pinned = nullptr;
  float pageable[kCount] = {};
};

enum class Of { cuda, emulation };

struct Rule {
  const char* call;
  cudaError_t error;  ///< of the call
  cudaError_t end;    ///< of cudaStreamEndCapture after it
  std::function<cudaError_t(Scene&)> run;
  Of of = Of::cuda;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal;
};

template <class Call>
cudaError_t in_another_thread(const Call& call) {
  cudaError_t error = cudaSuccess;
  std::thread([&] { error = call(); }).join();
  return error;
}

cudaError_t wait_value(Scene& scene) {
  void* function = nullptr;
  check(cudaGetDriverEntryPointByVersion("cuStreamWaitValue32", &function, 11070, cudaEnableDefault, nullptr));
  return static_cast<cudaError_t>(reinterpret_cast<PFN_cuStreamWaitValue32_v11070>(function)(
      scene.stream, reinterpret_cast<CUdeviceptr>(scene.pinned), 0, CU_STREAM_WAIT_VALUE_GEQ));
}

constexpr auto kUnsupported = cudaErrorStreamCaptureUnsupported;
constexpr auto kInvalidated = cudaErrorStreamCaptureInvalidated;

const Rule kRules[] = {
    {"nothing", cudaSuccess, cudaSuccess, [](Scene&) { return cudaSuccess; }},
    {"cudaStreamSynchronize", kUnsupported, kInvalidated, [](Scene& x) { return cudaStreamSynchronize(x.stream); }},
    {"cudaStreamQuery", kUnsupported, kInvalidated, [](Scene& x) { return cudaStreamQuery(x.stream); }},
    {"cudaStreamSynchronize, another stream", kUnsupported, kInvalidated,
     [](Scene& x) { return cudaStreamSynchronize(x.other); }},
    {"cudaStreamQuery, another stream", kUnsupported, kInvalidated, [](Scene& x) { return cudaStreamQuery(x.other); }},
    {"cudaStreamSynchronize, another stream and thread", cudaSuccess, cudaSuccess,
     [](Scene& x) { return in_another_thread([&] { return cudaStreamSynchronize(x.other); }); }},
    {"cudaDeviceSynchronize", kUnsupported, kInvalidated, [](Scene&) { return cudaDeviceSynchronize(); }},
    {"cudaDeviceSynchronize, another thread", kUnsupported, kInvalidated,
     [](Scene&) { return in_another_thread([] { return cudaDeviceSynchronize(); }); }},
    {"cudaEventQuery, captured", cudaErrorCapturedEvent, kInvalidated,
     [](Scene& x) { return cudaEventQuery(x.inside); }},
    {"cudaEventSynchronize, captured", cudaErrorCapturedEvent, kInvalidated,
     [](Scene& x) { return cudaEventSynchronize(x.inside); }},
    {"cudaEventQuery, not captured", kUnsupported, kInvalidated, [](Scene& x) { return cudaEventQuery(x.outside); }},
    {"cudaEventQuery, not captured, another thread", cudaSuccess, cudaSuccess,
     [](Scene& x) {
       return in_another_thread([&] {
         while (cudaEventQuery(x.outside) == cudaErrorNotReady) std::this_thread::yield();
         return cudaEventQuery(x.outside);
       });
     }},
    {"cudaEventQuery after the end, captured", cudaErrorInvalidValue, cudaErrorIllegalState,
     [](Scene& x) {
       check(x.end(x.stream));
       return cudaEventQuery(x.inside);
     }},
    {"cudaStreamWaitEvent after the end, captured", cudaErrorInvalidValue, cudaErrorIllegalState,
     [](Scene& x) {
       check(x.end(x.stream));
       return cudaStreamWaitEvent(x.other, x.inside, 0);
     }},
    {"cudaStreamWaitEvent, not captured", cudaErrorStreamCaptureIsolation, kInvalidated,
     [](Scene& x) { return cudaStreamWaitEvent(x.stream, x.outside, 0); }},
    {"cudaStreamWaitEvent, never recorded", cudaSuccess, cudaSuccess,
     [](Scene& x) {
       cudaEvent_t event = nullptr;
       check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
       return cudaStreamWaitEvent(x.stream, event, 0);
     }},
    {"cudaStreamWaitEvent, another capture's", cudaErrorStreamCaptureMerge, kInvalidated,
     [](Scene& x) {
       check(cudaStreamBeginCapture(x.other, cudaStreamCaptureModeThreadLocal));
       const cudaError_t error = cudaStreamWaitEvent(x.other, x.inside, 0);
       x.end(x.other);
       return error;
     }},
    {"cudaStreamBeginCapture, twice", cudaErrorIllegalState, cudaSuccess,
     [](Scene& x) { return cudaStreamBeginCapture(x.stream, cudaStreamCaptureModeThreadLocal); }},
    {"cudaStreamEndCapture, no capture", cudaErrorIllegalState, cudaSuccess, [](Scene& x) { return x.end(x.other); }},
    {"cudaStreamEndCapture, on the fork", cudaErrorStreamCaptureUnmatched, kInvalidated,
     [](Scene& x) {
       x.fork();
       return x.end(x.other);
     }},
    {"cudaStreamEndCapture, another thread", cudaErrorStreamCaptureWrongThread, cudaErrorIllegalState,
     [](Scene& x) { return in_another_thread([&] { return x.end(x.stream); }); }},
    {"a fork without a join", cudaSuccess, cudaErrorStreamCaptureUnjoined,
     [](Scene& x) {
       x.fork();
       return cudaSuccess;
     }},
    {"a fork without work", cudaSuccess, cudaSuccess,
     [](Scene& x) { return cudaStreamWaitEvent(x.other, x.inside, 0); }},
    {"a launch after a refusal", kInvalidated, kInvalidated,
     [](Scene& x) {
       static_cast<void>(cudaStreamQuery(x.stream));
       static_cast<void>(cudaGetLastError());
       produce(x.stream, x.array, 1);
       return cudaGetLastError();
     }},
    {"cudaMalloc", kUnsupported, kInvalidated,
     [](Scene&) {
       void* memory = nullptr;
       return cudaMalloc(&memory, 64);
     }},
    {"cudaMalloc, relaxed", cudaSuccess, cudaSuccess,
     [](Scene&) {
       auto mode = cudaStreamCaptureModeRelaxed;
       check(cudaThreadExchangeStreamCaptureMode(&mode));
       void* memory = nullptr;
       const cudaError_t error = cudaMalloc(&memory, 64);
       check(cudaThreadExchangeStreamCaptureMode(&mode));
       return error;
     }},
    {"cudaMalloc, another thread", cudaSuccess, cudaSuccess,
     [](Scene&) {
       void* memory = nullptr;
       return in_another_thread([&] { return cudaMalloc(&memory, 64); });
     }},
    {"cudaMalloc, another thread, global capture", kUnsupported, kInvalidated,
     [](Scene&) {
       void* memory = nullptr;
       return in_another_thread([&] { return cudaMalloc(&memory, 64); });
     },
     Of::cuda, cudaStreamCaptureModeGlobal},
    {"cudaMalloc, relaxed capture", cudaSuccess, cudaSuccess,
     [](Scene&) {
       void* memory = nullptr;
       return cudaMalloc(&memory, 64);
     },
     Of::cuda, cudaStreamCaptureModeRelaxed},
    {"cudaStreamEndCapture, another thread, relaxed capture", cudaSuccess, cudaErrorIllegalState,
     [](Scene& x) { return in_another_thread([&] { return x.end(x.stream); }); }, Of::cuda,
     cudaStreamCaptureModeRelaxed},
    {"cudaFree", kUnsupported, kInvalidated, [](Scene& x) { return cudaFree(x.array); }},
    {"cudaMallocHost", kUnsupported, kInvalidated,
     [](Scene&) {
       void* memory = nullptr;
       return cudaMallocHost(&memory, 64);
     }},
    {"cudaFreeHost", kUnsupported, kInvalidated, [](Scene& x) { return cudaFreeHost(x.pinned); }},
    {"cudaMallocAsync", kUnsupported, kInvalidated,
     [](Scene& x) {
       void* memory = nullptr;
       return cudaMallocAsync(&memory, 64, x.stream);
     },
     Of::emulation},
    {"a copy from pageable memory", kUnsupported, kInvalidated,
     [](Scene& x) { return cudaMemcpyAsync(x.array, x.pageable, sizeof x.pageable, cudaMemcpyDefault, x.stream); },
     Of::emulation},
    {"cudaLaunchHostFunc", kUnsupported, kInvalidated,
     [](Scene& x) {
       return cudaLaunchHostFunc(
           x.stream, [](void*) {}, nullptr);
     },
     Of::emulation},
    {"cuStreamWaitValue32", kUnsupported, kInvalidated, wait_value, Of::emulation},
};

}  // namespace

int main() {
  int wrong = 0;
  for (const Rule& rule : kRules) {
    if (rule.of == Of::emulation && !recombine::test::cuda_counts()) continue;
    Scene scene(rule.mode);
    const cudaError_t error = rule.run(scene);
    const cudaError_t end = scene.end(scene.stream);
    static_cast<void>(cudaGetLastError());
    const bool holds = error == rule.error && end == rule.end;
    if (!holds) ++wrong;
    std::printf("%s %s: %s, then %s", holds ? " " : "!", rule.call, cudaGetErrorName(error), cudaGetErrorName(end));
    if (!holds) std::printf(", expected %s, then %s", cudaGetErrorName(rule.error), cudaGetErrorName(rule.end));
    std::puts("");
  }
  std::puts(wrong == 0 ? "all right" : "some rules differ");
  return wrong == 0 ? 0 : 1;
}
