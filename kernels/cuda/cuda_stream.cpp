#include "kernels/cuda/cuda_stream.hpp"

#include <utility>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

class CudaEvent final : public EventState {
 public:
  CudaEvent(std::shared_ptr<Gpu> gpu, std::shared_ptr<StreamFailure> failure, cudaStream_t stream)
      : gpu_(std::move(gpu)), failure_(std::move(failure)), event_(gpu_->take_event()) {
    check(cudaEventRecord(event_.get(), stream), "cudaEventRecord");
  }
  /// The CUDA event can be recorded again: a stream that waits keeps the work of the first record.
  ~CudaEvent() override { gpu_->give_back(std::move(event_)); }

  void synchronize() override {
    gpu_->use();
    gpu_->wait_until([&] { return done(); });
  }

  bool done() override {
    gpu_->use();
    if (!is_ready(cudaEventQuery(event_.get()), "cudaEventQuery")) return false;
    failure_->rethrow();
    return true;
  }

  cudaEvent_t get() const { return event_.get(); }

 private:
  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<StreamFailure> failure_;
  EventHandle event_;
};

}  // namespace

CudaStream::CudaStream(std::shared_ptr<Gpu> gpu, std::shared_ptr<StreamFailure> failure,
                       std::unique_ptr<cpu::CpuStream> host, Priority priority)
    : gpu_(std::move(gpu)),
      failure_(std::move(failure)),
      host_wait_(*gpu_, std::move(host), failure_),
      stream_(gpu_->make_stream(priority)) {
  gpu_->add_stream(stream_.get());
}

CudaStream::~CudaStream() {
  try {
    gpu_->wait_for(stream_.get());
  } catch (...) {  // a destructor cannot throw
  }
  gpu_->remove_stream(stream_.get());
}

Event CudaStream::record() {
  failure_->rethrow();
  return std::make_shared<CudaEvent>(gpu_, failure_, stream_.get());
}

void CudaStream::wait(const Event& event) {
  failure_->rethrow();
  if (const auto* const cuda = dynamic_cast<const CudaEvent*>(event.get())) {
    check(cudaStreamWaitEvent(stream_.get(), cuda->get(), 0), "cudaStreamWaitEvent");
  } else if (event->done()) {
    event->synchronize();  // returns at once; throws the Error of the event's work
  } else {
    host_wait_.enqueue(stream_.get(), event);
  }
}

void CudaStream::synchronize() {
  gpu_->wait_for(stream_.get());
  failure_->rethrow();
}

namespace {

CudaStream& to_cuda(Stream& stream) {
  auto* const cuda = dynamic_cast<CudaStream*>(&stream);
  require(cuda != nullptr, "this stream belongs to the host or to another device; expected a stream of the GPU");
  return *cuda;
}

}  // namespace

cudaStream_t as_cuda_stream(Stream& stream) { return to_cuda(stream).get(); }

const std::shared_ptr<Gpu>& gpu_of(Stream& stream) { return to_cuda(stream).gpu(); }

}  // namespace recombine::cuda
