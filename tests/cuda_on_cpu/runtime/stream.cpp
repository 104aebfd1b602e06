#include "tests/cuda_on_cpu/runtime/stream.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

namespace {

struct Streams {
  std::mutex mutex;
  std::set<CUstream_st*> all;
};

Streams& streams() {
  static auto* streams = new Streams;  // never destroyed: a program may not destroy all its streams
  return *streams;
}

}  // namespace

void Completion::set() {
  release(&token_);
  const Hidden hidden;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
    time_ = std::chrono::steady_clock::now();
  }
  changed_.notify_all();
}

void Completion::wait() {
  {
    const Hidden hidden;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }
  acquire(&token_);
}

bool Completion::done() {
  bool done = false;
  {
    const Hidden hidden;
    const std::lock_guard lock(mutex_);
    done = done_;
  }
  if (done) acquire(&token_);
  return done;
}

std::chrono::steady_clock::time_point Completion::time() {
  const Hidden hidden;
  const std::lock_guard lock(mutex_);
  return time_;
}

bool& in_host_function() {
  static thread_local bool inside = false;
  return inside;
}

void refuse_in_host_function(const char* call) {
  if (in_host_function()) fail(std::string("a function of cudaLaunchHostFunc calls CUDA, which may deadlock: ") + call);
}

CUstream_st& own_stream(cudaStream_t stream) {
  if (!stream || stream == cudaStreamLegacy || stream == cudaStreamPerThread)
    fail("the default stream is not emulated: create a stream");
  return *stream;
}

void synchronize_device() {
  std::vector<CompletionPtr> ends;
  {
    const Hidden hidden;
    const std::lock_guard lock(streams().mutex);
    for (CUstream_st* stream : streams().all)
      if (stream->device() == current_device())
        if (auto last = stream->last()) ends.push_back(std::move(last));
  }
  for (const auto& end : ends) end->wait();
}

}  // namespace emulated

using emulated::Hidden;

CUstream_st::CUstream_st(int device) : device_(device) {
  const Hidden hidden;
  thread_ = std::thread([this] { run(); });
  const std::lock_guard lock(emulated::streams().mutex);
  emulated::streams().all.insert(this);
}

CUstream_st::~CUstream_st() {
  const Hidden hidden;
  {
    const std::lock_guard lock(emulated::streams().mutex);
    emulated::streams().all.erase(this);
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

emulated::CompletionPtr CUstream_st::push(std::function<void()> work) {
  std::unique_ptr<Item> item;
  emulated::CompletionPtr end;
  {
    const Hidden hidden;
    item = std::make_unique<Item>();
    item->work = std::move(work);
    item->end = end = std::make_shared<emulated::Completion>();
  }
  emulated::release(&item->token);
  const Hidden hidden;
  {
    const std::lock_guard lock(mutex_);
    last_ = end;
    items_.push_back(std::move(item));
  }
  changed_.notify_all();
  return end;
}

emulated::CompletionPtr CUstream_st::last() {
  const Hidden hidden;
  const std::lock_guard lock(mutex_);
  return last_;
}

std::unique_ptr<CUstream_st::Item> CUstream_st::next() {
  const Hidden hidden;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !items_.empty(); });
  if (items_.empty()) return nullptr;
  auto item = std::move(items_.front());
  items_.pop_front();
  return item;
}

void CUstream_st::run() {
  emulated::current_device() = device_;
  while (auto item = next()) {
    emulated::acquire(&item->token);
    item->work();
    item->end->set();
    const Hidden hidden;
    item.reset();
  }
}
