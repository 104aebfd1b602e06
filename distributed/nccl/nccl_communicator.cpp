#include "distributed/nccl/nccl_communicator.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <nccl.h>

#include "distributed/compared_calls.hpp"
#include "distributed/exchange_pieces.hpp"
#include "distributed/nccl/nccl_types.hpp"
#include "distributed/nccl/unfinished_calls.hpp"
#include "distributed/observe/signature.hpp"
#include "distributed/pieces.hpp"
#include "distributed/session.hpp"
#include "kernels/cpu/patience.hpp"
#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/cuda/watch.hpp"
#include "kernels/error.hpp"

namespace recombine::nccl {

namespace {

constexpr double kTimeout = 300;  // seconds that a collective may take

std::size_t count_of(ConstVectorView data) { return static_cast<std::size_t>(data.size); }

bool all_equal(std::span<const std::int64_t> counts) {
  return std::ranges::all_of(counts, [&](std::int64_t count) { return count == counts.front(); });
}

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> group, Device& device);
  /// @param comm  of the ranks of `group`; none for one rank
  NcclCommunicator(std::unique_ptr<Communicator> group, Device& device, ncclComm_t comm);
  ~NcclCommunicator() override;
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  int rank() const override { return group_->rank(); }
  int size() const override { return group_->size(); }
  void all_reduce(Stream& stream, VectorView data, Reduction reduction) override;
  void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                      Reduction reduction) override;
  void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) override;
  void broadcast(Stream& stream, VectorView data, int root) override;
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override;
  std::unique_ptr<Communicator> split(int color, int key) override;
  bool capturable() const override { return true; }
  void check_call(Stream& stream, const Signature& call) override { group_->check_call(stream, call); }

 private:
  /// True once all comparisons are done. @throws Error if the ranks' calls differ
  bool all_checked();
  /// Calls call(comm, stream), which enqueues NCCL calls. NCCL runs all of them as one group.
  template <class Call>
  void enqueue(const char* name, Stream& stream, const Call& call);
  void check(ncclResult_t result, const char* call);
  void settle(ncclResult_t result, const char* call);
  void watch();
  bool check_health();
  void abort();
  [[noreturn]] void give_up(const char* call, const std::string& reason);

  std::unique_ptr<Communicator> group_;
  Device& device_;
  ncclComm_t comm_ = nullptr;           ///< none for a group of one rank, which moves no data
  std::optional<ComparedCalls> calls_;  ///< NCCL itself compares no calls: if they differ, it hangs or moves too little
  std::shared_ptr<cuda::Watch::Check> watched_;
  const char* last_call_ = "its start";
  bool in_graph_ = false;  ///< a call was captured into a CUDA graph
  UnfinishedCalls unfinished_;
};

/// Makes NCCL launch the operations of all communicators of this GPU in the host's order, which is the same on every
/// rank. Otherwise kernels of two communicators may wait for each other's multiprocessors. NCCL reads the variable at
/// its first call. If the user has set it, that value stays.
void launch_in_the_order_of_the_host() { setenv("NCCL_LAUNCH_ORDER_IMPLICIT", "1", 0); }

bool is_captured(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cuda::check(cudaStreamIsCapturing(stream, &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

/// Nonblocking in every call: ncclCommAbort is safe only if no thread can be in a call of NCCL (NCCL's documentation,
/// "Fault Tolerance"). settle() waits until a call has enqueued all its work, also in a capture.
ncclConfig_t nonblocking() {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  return config;
}

NcclCommunicator::NcclCommunicator(std::unique_ptr<Communicator> group, Device& device)
    : group_(std::move(group)), device_(device) {
  if (size() == 1) return;
  launch_in_the_order_of_the_host();
  ncclUniqueId id{};
  if (rank() == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  calls_.emplace(*group_, device.make_stream(StreamUse::host));
  group_->broadcast(calls_->host(), vector_view(reinterpret_cast<std::uint8_t*>(id.internal), sizeof id.internal), 0);
  calls_->host().synchronize();
  ncclConfig_t config = nonblocking();
  settle(ncclCommInitRankConfig(&comm_, size(), id, rank(), &config), "ncclCommInitRank");
  watch();
}

NcclCommunicator::NcclCommunicator(std::unique_ptr<Communicator> group, Device& device, ncclComm_t comm)
    : group_(std::move(group)), device_(device), comm_(comm) {
  if (!comm_) return;
  calls_.emplace(*group_, device.make_stream(StreamUse::host));
  watch();
}

std::unique_ptr<Communicator> NcclCommunicator::split(int color, int key) {
  if (!calls_) return std::make_unique<NcclCommunicator>(group_->split(color, key), device_, nullptr);
  calls_->host().synchronize();  // finish the checks before other calls of the group
  auto part = group_->split(color, key);
  ncclConfig_t config = nonblocking();
  ncclComm_t comm = nullptr;
  settle(ncclCommSplit(comm_, part->size() == 1 ? NCCL_SPLIT_NOCOLOR : color, key, &comm, &config), "ncclCommSplit");
  return std::make_unique<NcclCommunicator>(std::move(part), device_, comm);
}

void NcclCommunicator::watch() {
  const auto stream = device_.make_stream(StreamUse::communication);
  watched_ = cuda::gpu_of(*stream)->watch().add([this] { return check_health(); });
}

NcclCommunicator::~NcclCommunicator() {
  if (!comm_) return;
  watched_.reset();
  if (std::uncaught_exceptions() > 0) {  // the other ranks may never call this destructor
    ncclCommAbort(comm_);
    return;
  }
  ncclResult_t state = ncclCommFinalize(comm_);
  cpu::Patience patience;
  while (state == ncclInProgress && ncclCommGetAsyncError(comm_, &state) == ncclSuccess) patience.wait();
  ncclCommDestroy(comm_);
}

void NcclCommunicator::abort() {
  // ncclCommAbort waits until graphs that contain calls are destroyed. So after a capture, only the destructor aborts.
  if (comm_ && !in_graph_) ncclCommAbort(std::exchange(comm_, nullptr));
}

void NcclCommunicator::give_up(const char* call, const std::string& reason) {
  abort();
  throw Error(fmt::format("NCCL, rank {} of a group of {} ranks: {}: {}", rank(), size(), call, reason));
}

void NcclCommunicator::check(ncclResult_t result, const char* call) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  const std::string more = ncclGetLastError(comm_);
  give_up(call, ncclGetErrorString(result) + (more.empty() ? "" : "; " + more));
}

void NcclCommunicator::settle(ncclResult_t result, const char* call) {
  check(result, call);
  const double start = Session::now();
  cpu::Patience patience;
  while (result == ncclInProgress) {
    check(ncclCommGetAsyncError(comm_, &result), call);
    check(result, call);
    all_checked();
    if (Session::now() - start > kTimeout) give_up(call, fmt::format("another rank did not call it in {} s", kTimeout));
    patience.wait();
  }
}

bool NcclCommunicator::all_checked() {
  try {
    return calls_->all_equal();
  } catch (const Error&) {
    abort();
    throw;
  }
}

bool NcclCommunicator::check_health() {
  if (!comm_) return true;
  ncclResult_t state = ncclSuccess;
  check(ncclCommGetAsyncError(comm_, &state), "ncclCommGetAsyncError");
  check(state, last_call_);
  if (const char* const late = unfinished_.find_late(Session::now(), kTimeout)) {
    give_up(late, fmt::format("not done after {} s: another rank is missing or late", kTimeout));
  }
  return all_checked();
}

template <class Call>
void NcclCommunicator::enqueue(const char* name, Stream& stream, const Call& call) {
  require(comm_ != nullptr, "{}: NCCL has already failed", name);
  check(ncclGroupStart(), name);
  call(comm_, cuda::as_cuda_stream(stream));
  settle(ncclGroupEnd(), name);
  last_call_ = name;
  // An event that is recorded in a capture cannot be queried, and a graph may run at any time.
  if (is_captured(cuda::as_cuda_stream(stream))) {
    in_graph_ = true;
    return;
  }
  unfinished_.add({.name = name, .end = stream.record(), .enqueued = Session::now()});
}

void NcclCommunicator::all_reduce(Stream& stream, VectorView data, Reduction reduction) {
  if (size() == 1) return;
  calls_->begin(Signature::all_reduce(data, reduction));
  if (data.size == 0) return;
  enqueue("all_reduce", stream, [&](ncclComm_t comm, cudaStream_t cuda_stream) {
    check(ncclAllReduce(data.data, data.data, count_of(data), type_of(data.type), op_of(reduction), comm, cuda_stream),
          "ncclAllReduce");
  });
}

void NcclCommunicator::reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                                      Reduction reduction) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size() == 1) return;
  calls_->begin(Signature::reduce_scatter(data, counts, reduction));
  if (data.size == 0) return;
  enqueue("reduce_scatter", stream, [&](ncclComm_t comm, cudaStream_t cuda_stream) {
    if (all_equal(counts)) {
      const VectorView own = pieces[static_cast<std::size_t>(rank())];
      return check(ncclReduceScatter(data.data, own.data, count_of(own), type_of(data.type), op_of(reduction), comm,
                                     cuda_stream),
                   "ncclReduceScatter");
    }
    for (int root = 0; root < size(); ++root) {
      const VectorView piece = pieces[static_cast<std::size_t>(root)];
      if (piece.size == 0) continue;
      check(ncclReduce(piece.data, piece.data, count_of(piece), type_of(data.type), op_of(reduction), root, comm,
                       cuda_stream),
            "ncclReduce");
    }
  });
}

void NcclCommunicator::all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size() == 1) return;
  calls_->begin(Signature::all_gather(data, counts));
  if (data.size == 0) return;
  enqueue("all_gather", stream, [&](ncclComm_t comm, cudaStream_t cuda_stream) {
    if (all_equal(counts)) {
      const VectorView own = pieces[static_cast<std::size_t>(rank())];
      return check(ncclAllGather(own.data, data.data, count_of(own), type_of(data.type), comm, cuda_stream),
                   "ncclAllGather");
    }
    for (int root = 0; root < size(); ++root) {
      const VectorView piece = pieces[static_cast<std::size_t>(root)];
      if (piece.size == 0) continue;
      check(ncclBroadcast(piece.data, piece.data, count_of(piece), type_of(data.type), root, comm, cuda_stream),
            "ncclBroadcast");
    }
  });
}

void NcclCommunicator::broadcast(Stream& stream, VectorView data, int root) {
  if (size() == 1) return;
  calls_->begin(Signature::broadcast(data, root));
  if (data.size == 0) return;
  enqueue("broadcast", stream, [&](ncclComm_t comm, cudaStream_t cuda_stream) {
    check(ncclBroadcast(data.data, data.data, count_of(data), type_of(data.type), root, comm, cuda_stream),
          "ncclBroadcast");
  });
}

void NcclCommunicator::exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) {
  const ExchangePieces pieces(out, in, rank(), size());
  for (const auto& [from, to] : pieces.own) device_.copy(stream, to, from);
  if (size() == 1) return;
  calls_->begin_exchange(Signature::exchange(out, in), pieces);
  if (pieces.out.empty() && pieces.in.empty()) return;
  enqueue("exchange", stream, [&](ncclComm_t comm, cudaStream_t cuda_stream) {
    for (const auto& [to, data] : pieces.out) {
      check(ncclSend(data.data, count_of(data), type_of(data.type), to, comm, cuda_stream), "ncclSend");
    }
    for (const auto& [from, data] : pieces.in) {
      check(ncclRecv(data.data, count_of(data), type_of(data.type), from, comm, cuda_stream), "ncclRecv");
    }
  });
}

}  // namespace

bool available() { return true; }

std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> group, Device& device) {
  return std::make_unique<NcclCommunicator>(std::move(group), device);
}

}  // namespace recombine::nccl
