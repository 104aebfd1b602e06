#pragma once

#include <memory>

#include "kernels/cuda/gpu.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

/// A stream for a trial. The destructor waits for its work, and then gives the pool's unused memory back to the GPU.
class TrialStream {
 public:
  TrialStream();
  ~TrialStream();
  TrialStream(const TrialStream&) = delete;
  TrialStream& operator=(const TrialStream&) = delete;
  cudaStream_t get() const { return stream_.get(); }

 private:
  StreamHandle stream_;
};

/// A copy of a product, to measure it: with random operands and separate memory for the result. It has a separate
/// stream, because other streams may contain work that waits for the host.
class GemmTrial {
 public:
  struct Request {
    const Gemm& gemm;
    std::int64_t workspace_bytes = 0;
    std::int64_t operand_copy_bytes = 0;
  };

  /// Null if the trial would take more than half of the GPU's free memory.
  static std::unique_ptr<GemmTrial> make(const Request& request);

  cudaStream_t stream() const { return stream_.get(); }
  const Gemm& gemm() const { return gemm_; }
  void* workspace() const { return workspace_.as<void>(); }
  std::byte* operand_copies() const { return operand_copies_.as<std::byte>(); }

  /// True if C(0, 0) is NaN. Waits for the work on the stream. @pre C is f32 or bf16
  bool first_is_nan() const;

 private:
  explicit GemmTrial(const Request& request);

  TrialStream stream_;  ///< declared first: destroyed after the memory
  Scratch a_, b_, c_, bias_, workspace_, operand_copies_;
  Gemm gemm_;
};

}  // namespace recombine::cuda
