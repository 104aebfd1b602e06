#include "distributed/mpi/host/host_exchange.hpp"

#include <new>

#include "distributed/mesh.hpp"
#include "distributed/mpi/mpi_calls.hpp"

namespace recombine::mpi {

namespace {

/// From this size on, two waits for the other ranks cost less than the extra copy through slots.
constexpr std::int64_t kDirectBytes = std::int64_t{32} << 10;

/// A rank's part of the window.
struct Memory {
  Channel::Segment parts;
  Channel::Segment sums;
  Barrier::Counter barrier;
  Calls::Board calls;
};

/// A call that moves no data: it only compares the calls of the ranks.
class CheckTask final : public cpu::Task {
 public:
  explicit CheckTask(const Call& call) : call_(call) {}
  State advance() override { return finished_or_waiting(call_.agreed()); }
  State begin() override { return advance(); }
  cpu::Doorbell* doorbell() const override { return call_.doorbell(); }

 private:
  Call call_;
};

Memory* memory_of(const SharedWindow& window, int rank) {
  const std::span<std::byte> piece = window.of(rank);
  void* base = piece.data();
  std::size_t space = piece.size();
  return static_cast<Memory*>(std::align(alignof(Memory), sizeof(Memory), base, space));
}

void start_at_zero(Channel::Segment& segment) { new (&segment.counters) Channel::Counters{}; }

}  // namespace

HostExchange::HostExchange(MPI_Comm comm) : comm_(comm), window_(comm, sizeof(Memory) + alignof(Memory)) {
  int rank = 0;
  int size = 0;
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  std::vector<Channel::Segment*> parts;
  std::vector<Channel::Segment*> sums;
  std::vector<Barrier::Counter*> arrivals;
  std::vector<Calls::Board*> boards;
  for (int r = 0; r < size; ++r) {
    Memory* memory = memory_of(window_, r);
    parts.push_back(&memory->parts);
    sums.push_back(&memory->sums);
    arrivals.push_back(&memory->barrier);
    boards.push_back(&memory->calls);
  }
  // Do not write the slots: each page is allocated on the NUMA node of the rank that first writes it.
  const auto index = static_cast<std::size_t>(rank);
  start_at_zero(*parts[index]);
  start_at_zero(*sums[index]);
  new (arrivals[index]) Barrier::Counter{};
  new (boards[index]) Calls::Board{};
  const std::vector<int> ranks = ranks_in_job(comm);
  const Doorbells doorbells = HostDoorbells::of(index, ranks);
  parts_.emplace(index, std::move(parts), doorbells);
  sums_.emplace(index, std::move(sums), doorbells);
  barrier_.emplace(index, std::move(arrivals), doorbells);
  calls_.emplace(index, std::move(boards), ranks, doorbells);
  check(MPI_Barrier(comm), "MPI_Barrier");
}

std::shared_ptr<const CommonMemory> HostExchange::allocate(std::int64_t bytes) {
  const auto memory = CommonMemory::make(comm_, std::max<std::int64_t>(bytes, 1));
  std::erase_if(memories_, [](const Numbered& old) { return old.memory.expired(); });
  if (memory) memories_.push_back({memories_made_++, memory});
  return memory;
}

std::optional<DirectTask::Data> HostExchange::find(VectorView data) const {
  if (data.bytes() < kDirectBytes) return std::nullopt;
  for (const Numbered& one : memories_) {
    const auto memory = one.memory.lock();
    const auto offset = memory ? memory->offset_of(data) : std::nullopt;
    if (offset) return DirectTask::Data{memory, {one.number, *offset}, data};
  }
  return std::nullopt;
}

Call HostExchange::call_of(const Signature* signature, const std::optional<DirectTask::Data>& there) {
  if (signature == nullptr) return {};
  return {*calls_, *signature, there ? there->place : Place()};
}

std::unique_ptr<cpu::Task> HostExchange::check_call(const Signature& signature) {
  return std::make_unique<CheckTask>(Call(*calls_, signature));
}

void HostExchange::show_end(const Signature& signature) { calls_->show(signature, {}); }

VectorView whole_of(std::span<const VectorView> pieces) {
  VectorView whole = pieces.front();
  for (const VectorView& piece : pieces.subspan(1)) whole.size += piece.size;
  return whole;
}

std::vector<VectorView> even_pieces(VectorView data, std::size_t count) {
  std::vector<VectorView> pieces;
  for (std::size_t r = 0; r < count; ++r) {
    const Range range = split_range(data.size, static_cast<std::int64_t>(count), static_cast<std::int64_t>(r));
    pieces.push_back(data.range(range.begin, range.end));
  }
  return pieces;
}

}  // namespace recombine::mpi
