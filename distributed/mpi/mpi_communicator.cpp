#include "distributed/mpi/mpi_communicator.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "distributed/mpi/hierarchical_all_reduce.hpp"
#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/pieces.hpp"
#include "distributed/ring.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

constexpr int kTag = 0;

void submit(Stream& stream, std::unique_ptr<cpu::Task> task) { cpu::as_cpu_stream(stream).submit(std::move(task)); }

void submit(Stream& stream, std::function<void(std::vector<MPI_Request>&)> post) {
  submit(stream, request_task(std::move(post)));
}

}  // namespace

MpiCommunicator::MpiCommunicator(MPI_Comm comm, Options options) : comm_(comm), options_(options) {
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
  hosts_ = std::make_unique<HostGroups>(comm_, options_.host);
  if (on_one_host() || hosts_->route() == Route::hierarchical) {
    exchange_ = std::make_unique<HostExchange>(hosts_->inside());
  }
}

MpiCommunicator::~MpiCommunicator() {
  exchange_.reset();
  hosts_.reset();
  MPI_Comm_free(&comm_);
}

template <class Byte, class Call>
void MpiCommunicator::for_each_piece(BasicVectorView<Byte> data, const Call& call) const {
  for (std::int64_t begin = 0; begin < data.size; begin += options_.largest_piece) {
    const auto piece = data.range(begin, std::min(data.size, begin + options_.largest_piece));
    call(piece.data, static_cast<int>(piece.size));
  }
}

void MpiCommunicator::all_reduce(Stream& stream, VectorView data, Reduction reduction) {
  if (size_ == 1 || data.size == 0) return;
  if (on_one_host()) return submit(stream, exchange_->all_reduce(data, reduction));
  if (exchange_) {
    return submit(stream,
                  hierarchical_all_reduce(*exchange_, hosts_->between(), data, reduction, options_.largest_piece));
  }
  submit(stream, [=, this](auto& requests) {
    for_each_piece(data, [&](std::byte* at, int count) {
      check(MPI_Iallreduce(MPI_IN_PLACE, at, count, type_of(data.type), op_of(reduction), comm_,
                           &requests.emplace_back()),
            "MPI_Iallreduce");
    });
  });
}

void MpiCommunicator::reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                                     Reduction reduction) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size_ == 1) return;
  if (on_one_host()) return submit(stream, exchange_->reduce_scatter(pieces, reduction));
  submit(stream, [=, this](auto& requests) {
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
  if (on_one_host()) return submit(stream, exchange_->all_gather(pieces));
  submit(stream, [=, this](auto& requests) {
    for (int root = 0; root < size_; ++root) {
      for_each_piece(pieces[static_cast<std::size_t>(root)], [&](std::byte* at, int count) {
        check(MPI_Ibcast(at, count, moved_type_of(data.type), root, comm_, &requests.emplace_back()), "MPI_Ibcast");
      });
    }
  });
}

void MpiCommunicator::broadcast(Stream& stream, VectorView data, int root) {
  if (size_ == 1) return;
  if (on_one_host()) return submit(stream, exchange_->broadcast(data, root));
  submit(stream, [=, this](auto& requests) {
    for_each_piece(data, [&](std::byte* at, int count) {
      check(MPI_Ibcast(at, count, moved_type_of(data.type), root, comm_, &requests.emplace_back()), "MPI_Ibcast");
    });
  });
}

void MpiCommunicator::send(Stream& stream, ConstVectorView data, int to) {
  submit(stream, [=, this](auto& requests) {
    for_each_piece(data, [&](const std::byte* at, int count) {
      check(MPI_Isend(at, count, moved_type_of(data.type), to, kTag, comm_, &requests.emplace_back()), "MPI_Isend");
    });
  });
}

void MpiCommunicator::recv(Stream& stream, VectorView data, int from) {
  submit(stream, [=, this](auto& requests) {
    for_each_piece(data, [&](std::byte* at, int count) {
      check(MPI_Irecv(at, count, moved_type_of(data.type), from, kTag, comm_, &requests.emplace_back()), "MPI_Irecv");
    });
  });
}

void MpiCommunicator::shift(Stream& stream, ConstVectorView out, VectorView in, int distance) {
  if (on_one_host()) return submit(stream, exchange_->shift(out, in, distance));
  const int to = ring_rank(rank_, distance, size_);
  const int from = ring_rank(rank_, -distance, size_);
  submit(stream, [=, this](auto& requests) {
    for_each_piece(in, [&](std::byte* at, int count) {
      check(MPI_Irecv(at, count, moved_type_of(in.type), from, kTag, comm_, &requests.emplace_back()), "MPI_Irecv");
    });
    for_each_piece(out, [&](const std::byte* at, int count) {
      check(MPI_Isend(at, count, moved_type_of(out.type), to, kTag, comm_, &requests.emplace_back()), "MPI_Isend");
    });
  });
}

Buffer MpiCommunicator::allocate(Device& device, DataType type, std::int64_t size) {
  auto common = on_one_host() ? exchange_->allocate(type, size) : std::nullopt;
  return common ? std::move(*common) : Communicator::allocate(device, type, size);
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) {
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(comm_, color, key, &part), "MPI_Comm_split");
  return std::make_unique<MpiCommunicator>(part, options_);
}

}  // namespace recombine::mpi
