#pragma once

#include <functional>

#include "kernels/cuda/graph.hpp"
#include "kernels/replay.hpp"
#include "kernels/stream.hpp"

namespace recombine::cuda {

/// Work of a GPU as a CUDA graph: the host enqueues all of it with one call.
///
///     run 1   enqueue()                       libraries choose algorithms and allocate what they keep
///     run 2   capture(enqueue()), launch      the work is recorded, with its order, and then launched as a graph
///     run 3   launch
class GraphReplay final : public Replay {
 public:
  /// @param stream  of a GPU; must outlive this
  GraphReplay(Stream& stream, std::function<void()> enqueue);

  void run() override;

 private:
  Stream& stream_;
  std::function<void()> enqueue_;
  bool has_run_ = false;
  GraphExecutable executable_;
};

}  // namespace recombine::cuda
