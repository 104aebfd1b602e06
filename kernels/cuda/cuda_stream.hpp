#pragma once

#include <memory>

#include "kernels/cuda/gpu.hpp"
#include "kernels/cuda/host_wait.hpp"
#include "kernels/stream.hpp"

namespace recombine::cuda {

/// A stream of a GPU. Only one thread may enqueue; any thread may use the events.
class CudaStream final : public Stream {
 public:
  /// @param host  for this stream alone: it waits there for events of host streams
  CudaStream(std::shared_ptr<Gpu> gpu, std::shared_ptr<StreamFailure> failure, std::unique_ptr<cpu::CpuStream> host,
             Priority priority);
  ~CudaStream() override;

  Event record() override;
  void wait(const Event& event) override;
  /// Also throws the Error of a communicator on this GPU that fails during the wait.
  void synchronize() override;

  cudaStream_t get() const { return stream_.get(); }
  const std::shared_ptr<Gpu>& gpu() const { return gpu_; }  ///< one for all streams of this GPU

 private:
  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<StreamFailure> failure_;
  HostWait host_wait_;
  StreamHandle stream_;
};

/// The CUDA stream of a Stream of a CUDA device. @throws Error for a host stream or a stream of another device
cudaStream_t as_cuda_stream(Stream& stream);
/// The GPU of a stream, with its Watch. @throws Error like as_cuda_stream()
const std::shared_ptr<Gpu>& gpu_of(Stream& stream);

}  // namespace recombine::cuda
