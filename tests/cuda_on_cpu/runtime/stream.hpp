#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include <cuda_runtime_api.h>

namespace emulated {

/// The end of a piece of work. A thread that has seen it also sees the results of the work.
class Completion {
 public:
  void set();
  void wait();
  bool done();
  std::chrono::steady_clock::time_point time();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::chrono::steady_clock::time_point time_;
  char token_ = 0;
};

using CompletionPtr = std::shared_ptr<Completion>;

struct CapturedPoint;

/// True on the thread of a stream while it runs cudaLaunchHostFunc's function, which may not call CUDA.
bool& in_host_function();

/// Ends the program, with the name `call`, if called from a host function.
void refuse_in_host_function(const char* call);

/// Ends the program if `stream` is the default stream, which is not emulated.
CUstream_st& own_stream(cudaStream_t stream);

/// Waits for everything enqueued on every stream of the current device.
void synchronize_device();

}  // namespace emulated

/// A queue of work, and the thread that runs it.
struct CUstream_st {
 public:
  explicit CUstream_st(int device);
  ~CUstream_st();
  /// Enqueues `work` and returns its end.
  emulated::CompletionPtr push(std::function<void()> work);
  /// The end of the work that was pushed last; null if there is none.
  emulated::CompletionPtr last();
  int device() const { return device_; }

 private:
  struct Item {
    std::function<void()> work;
    emulated::CompletionPtr end;
    char token = 0;
  };
  std::unique_ptr<Item> next();
  void run();

  const int device_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Item>> items_;
  bool stopping_ = false;
  emulated::CompletionPtr last_;
  std::thread thread_;
};

/// The end of the work that was enqueued before the latest record.
struct CUevent_st {
  std::mutex mutex;
  emulated::CompletionPtr recorded;
  std::shared_ptr<emulated::CapturedPoint> captured;  ///< instead, if it was recorded on a capturing stream
  int device = 0;
  bool timing = true;
};
