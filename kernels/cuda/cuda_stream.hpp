#pragma once

#include <memory>

#include "kernels/cuda/gpu.hpp"
#include "kernels/cuda/host_waits.hpp"
#include "kernels/stream.hpp"

namespace recombine::cuda {

/// A stream of a GPU. Enqueue from one thread; its events may be asked by any.
class CudaStream final : public Stream {
 public:
  CudaStream(std::shared_ptr<Gpu> gpu, std::shared_ptr<HostWaits> host_waits, Priority priority);
  ~CudaStream() override;

  Event record() override;
  void wait(const Event& event) override;
  /// Throws as well what a communicator on this GPU has failed with meanwhile.
  void synchronize() override;

  cudaStream_t get() const { return stream_.get(); }
  Watch& watch() const { return gpu_->watch(); }  ///< of all streams of this GPU

 private:
  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<HostWaits> host_waits_;
  std::shared_ptr<StreamFailure> failure_;
  StreamHandle stream_;
};

/// The CUDA stream behind a Stream of a CUDA device. @throws Error for another device's, and for a host stream
cudaStream_t as_cuda_stream(Stream& stream);
/// What the GPU of such a stream is watched for.
Watch& watch_of(Stream& stream);

}  // namespace recombine::cuda
