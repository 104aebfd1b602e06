#include "distributed/mpi/mpi_communicator.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <numeric>
#include <vector>

#include "distributed/exchange_pieces.hpp"
#include "distributed/mpi/hierarchical_all_reduce.hpp"
#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/pieces.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

constexpr int kTag = 0;

void copy_own(const ExchangePieces& pieces) {
  for (const auto& [from, to] : pieces.own) std::memcpy(to.data, from.data, static_cast<std::size_t>(from.bytes()));
}

void submit(Stream& stream, std::unique_ptr<cpu::Task> task) { cpu::as_cpu_stream(stream).submit(std::move(task)); }

}  // namespace

MpiCommunicator::MpiCommunicator(MPI_Comm comm, Options options) : comm_(comm), options_(options) {
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
  hosts_ = std::make_unique<HostGroups>(comm_, options_.host);
  if (on_one_host() || hosts_->route() == Route::hierarchical) {
    exchange_ = std::make_unique<HostExchange>(hosts_->inside());
  }
  if (size_ > 1) checker_ = std::make_unique<CallChecker>(comm_);
}

MpiCommunicator::~MpiCommunicator() {
  try {
    end_calls();
  } catch (const Error&) {  // the other ranks throw this error too, and end the job
  }
  exchange_.reset();
  checker_.reset();
  hosts_.reset();
  MPI_Comm_free(&comm_);
}

void MpiCommunicator::end_calls() {
  if (on_one_host()) return exchange_->show_end(next(Signature::end()));
  // After an exception on this rank the other ranks may never call this, so do not wait for them.
  if (std::uncaught_exceptions() == 0) check_now(Signature::end());
}

Signature MpiCommunicator::next(Signature call) {
  call.sequence = calls_made_++;
  return call;
}

void MpiCommunicator::check_now(const Signature& call) { check_call(*cpu::make_inline_stream(), call); }

void MpiCommunicator::check_call(Stream& stream, const Signature& call) {
  if (size_ == 1) return;
  submit(stream, on_one_host() ? exchange_->check_call(next(call)) : checker_->check(next(call)));
}

void MpiCommunicator::submit_checked(Stream& stream, const Signature& call, std::unique_ptr<cpu::Task> operation) {
  submit(stream, checker_ ? checked_task(checker_->check(call), std::move(operation)) : std::move(operation));
}

void MpiCommunicator::submit_checked(Stream& stream, const Signature& call,
                                     std::function<void(std::vector<MPI_Request>&)> post) {
  submit_checked(stream, call, request_task(std::move(post)));
}

template <class Byte, class Call>
void MpiCommunicator::for_each_piece(BasicVectorView<Byte> data, const Call& call) const {
  for (std::int64_t begin = 0; begin < data.size; begin += options_.largest_piece) {
    const auto piece = data.range(begin, std::min(data.size, begin + options_.largest_piece));
    call(piece.data, static_cast<int>(piece.size));
  }
}

void MpiCommunicator::all_reduce(Stream& stream, VectorView data, Reduction reduction) {
  if (size_ == 1) return;
  const Signature call = next(Signature::all_reduce(data, reduction));
  if (on_one_host()) return submit(stream, exchange_->all_reduce(data, reduction, call));
  // On the hierarchical route, exchange_ and between() exist. On the plain route, each rank counts as one host.
  MPI_Comm between = exchange_ ? hosts_->between() : comm_;
  submit_checked(stream, call,
                 hierarchical_all_reduce(exchange_.get(), between, data, reduction, options_.largest_piece));
}

void MpiCommunicator::reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                                     Reduction reduction) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size_ == 1) return;
  const Signature call = next(Signature::reduce_scatter(data, counts, reduction));
  if (on_one_host()) return submit(stream, exchange_->reduce_scatter(pieces, reduction, &call));
  submit_checked(stream, call, [=, this](auto& requests) {
    for (int root = 0; root < size_; ++root) {
      for_each_piece(pieces[static_cast<std::size_t>(root)], [&](std::byte* at, int count) {
        const void* from = root == rank_ ? MPI_IN_PLACE : at;
        check(MPI_Ireduce(from, at, count, type_of(data.type), op_of(reduction), root, comm_, &requests.emplace_back()),
              "MPI_Ireduce");
      });
    }
  });
}

void MpiCommunicator::all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size_ == 1) return;
  const Signature call = next(Signature::all_gather(data, counts));
  if (on_one_host()) return submit(stream, exchange_->all_gather(pieces, &call));
  submit_checked(stream, call, [=, this](auto& requests) {
    for (int root = 0; root < size_; ++root) {
      for_each_piece(pieces[static_cast<std::size_t>(root)], [&](std::byte* at, int count) {
        check(MPI_Ibcast(at, count, moved_type_of(data.type), root, comm_, &requests.emplace_back()), "MPI_Ibcast");
      });
    }
  });
}

void MpiCommunicator::broadcast(Stream& stream, VectorView data, int root) {
  if (size_ == 1) return;
  const Signature call = next(Signature::broadcast(data, root));
  if (on_one_host()) return submit(stream, exchange_->broadcast(data, root, call));
  submit_checked(stream, call, [=, this](auto& requests) {
    for_each_piece(data, [&](std::byte* at, int count) {
      check(MPI_Ibcast(at, count, moved_type_of(data.type), root, comm_, &requests.emplace_back()), "MPI_Ibcast");
    });
  });
}

void MpiCommunicator::exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) {
  ExchangePieces pieces(out, in, rank_, size_);
  if (size_ == 1)
    return cpu::submit_call(cpu::as_cpu_stream(stream), [pieces = std::move(pieces)] { copy_own(pieces); });
  const Signature call = next(Signature::exchange(out, in));
  if (on_one_host()) return submit(stream, exchange_->exchange(pieces, call));
  auto check_both = checker_->check_exchange(call, pieces.traffic);
  submit(stream, checked_task(std::move(check_both), request_task([pieces = std::move(pieces), this](auto& requests) {
                                for (const Piece& piece : pieces.in) {
                                  for_each_piece(piece.data, [&](std::byte* at, int count) {
                                    check(MPI_Irecv(at, count, moved_type_of(piece.data.type), piece.peer, kTag, comm_,
                                                    &requests.emplace_back()),
                                          "MPI_Irecv");
                                  });
                                }
                                for (const Piece& piece : pieces.out) {
                                  for_each_piece(piece.data, [&](const std::byte* at, int count) {
                                    check(MPI_Isend(at, count, moved_type_of(piece.data.type), piece.peer, kTag, comm_,
                                                    &requests.emplace_back()),
                                          "MPI_Isend");
                                  });
                                }
                                copy_own(pieces);
                              })));
}

Buffer MpiCommunicator::allocate(Device& device, DataType type, std::int64_t size, MemoryUse use) {
  check_now(Signature::allocate(type, size));
  const auto common = on_one_host() ? exchange_->allocate(size * size_of(type)) : nullptr;
  if (!common) return Communicator::allocate(device, type, size, use);
  return {device, common, {common->own(), size, type}, use};
}

SharedPieces MpiCommunicator::share_memory(std::int64_t bytes) {
  check_now(Signature::allocate(DataType::u8, bytes));
  const auto common = on_one_host() ? exchange_->allocate(bytes) : nullptr;
  if (!common) return {};
  SharedPieces pieces{.owner = common, .of = {}, .bytes = bytes};
  for (int r = 0; r < size_; ++r) pieces.of.push_back(common->of(static_cast<std::size_t>(r)));
  return pieces;
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) {
  check_now(Signature::split());
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(comm_, color, key, &part), "MPI_Comm_split");
  return std::make_unique<MpiCommunicator>(part, options_);
}

}  // namespace recombine::mpi
