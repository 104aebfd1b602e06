// all_reduce, reduce_scatter and all_gather of f32 among ranks of one host: ours, MPI's, and the bound set by memory.
//
//     mpirun --bind-to none -np 2 ./collectives_bench [LARGEST_MIB]
//
// n bytes, P ranks, S = (P - 1) / P. Bytes that a rank must read and write:
//     all_reduce       read all P terms of its share n / P, write the sum to all P ranks  =  2 n
//     reduce_scatter   read all P terms of its share, write the sum                       =  n (1 + 1 / P)
//     all_gather       read the shares of the others, write them                          =  2 n S
// The bound is the time in which memcpy moves as many bytes. All ranks copy at the same time, each n bytes from one
// buffer to another (2 n bytes read or written).
//
// Every round runs all candidates, one after the other, so that a change of the machine's speed affects all of them.
// The time of a round is that of the slowest rank. A column has the median over rounds. Before each call every rank
// writes all of its data, untimed. Otherwise most data would stay in the caches of the ranks that summed them last.
// algbw = n / time; busbw as nccl-tests define it: 2 S algbw for all_reduce, S algbw for the other two.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <mpi.h>

#include "distributed/mesh.hpp"
#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "tests/bench/bench_cores.hpp"

namespace recombine {
namespace {

constexpr int kRounds = 15;
constexpr double kRoundSeconds = 0.004;  // in each round a candidate is repeated for about this time

class Bench {
 public:
  Bench(Session& session, std::int64_t largest)
      : session_(session),
        device_(make_device({.cores = cores_if_enough(session, 1), .progress = session.progress()})),
        world_(make_world(session)),
        stream_(device_->make_stream(StreamUse::communication)),
        memory_(world_->allocate(*device_, DataType::f32, largest, MemoryUse::buffers)),
        copy_(*device_, DataType::f32, largest) {
    std::memset(copy_.view().data, 0, static_cast<std::size_t>(copy_.view().bytes()));
  }

  enum class Operation { all_reduce, reduce_scatter, all_gather };

  void run(Operation operation, std::int64_t elements);

 private:
  struct Times {
    double ours, mpi, copy;
  };

  double ranks() const { return session_.size(); }
  double share() const { return (ranks() - 1) / ranks(); }
  double bytes_moved(Operation operation) const;  ///< per byte of data
  double bus_factor(Operation operation) const { return (operation == Operation::all_reduce ? 2 : 1) * share(); }

  void set_size(std::int64_t elements);
  void ours(Operation operation);
  void mpi(Operation operation);
  void copy() { std::memcpy(copy_.view().data, view().data, static_cast<std::size_t>(view().bytes())); }
  VectorView view() const { return memory_.view().range(0, elements_); }

  /// Mean seconds per call on the slowest rank. Before each call every rank writes its data.
  template <class Call>
  double seconds(int calls, const Call& call) const;

  Session& session_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Communicator> world_;
  std::unique_ptr<Stream> stream_;
  Buffer memory_, copy_;
  std::int64_t elements_ = 0;
  std::vector<std::int64_t> counts_;
  std::vector<int> mpi_counts_, mpi_begins_;
};

double Bench::bytes_moved(Operation operation) const {
  switch (operation) {
    case Operation::all_reduce: return 2;
    case Operation::reduce_scatter: return 1 + 1 / ranks();
    case Operation::all_gather: return 2 * share();
  }
  return 0;
}

void Bench::set_size(std::int64_t elements) {
  elements_ = elements;
  counts_.clear();
  mpi_counts_.clear();
  mpi_begins_.clear();
  for (int r = 0; r < session_.size(); ++r) {
    const Range range = split_range(elements, session_.size(), r);
    counts_.push_back(range.size());
    mpi_counts_.push_back(static_cast<int>(range.size()));
    mpi_begins_.push_back(static_cast<int>(range.begin));
  }
}

void Bench::ours(Operation operation) {
  switch (operation) {
    case Operation::all_reduce: world_->all_reduce(*stream_, view(), Reduction::sum); break;
    case Operation::reduce_scatter: world_->reduce_scatter(*stream_, view(), counts_, Reduction::sum); break;
    case Operation::all_gather: world_->all_gather(*stream_, view(), counts_); break;
  }
  stream_->synchronize();
}

void Bench::mpi(Operation operation) {
  switch (operation) {
    case Operation::all_reduce:
      MPI_Allreduce(MPI_IN_PLACE, view().data, static_cast<int>(elements_), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      break;
    case Operation::reduce_scatter:
      MPI_Reduce_scatter(MPI_IN_PLACE, view().data, mpi_counts_.data(), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      break;
    case Operation::all_gather:
      MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, view().data, mpi_counts_.data(), mpi_begins_.data(), MPI_FLOAT,
                     MPI_COMM_WORLD);
      break;
  }
}

template <class Call>
double Bench::seconds(int calls, const Call& call) const {
  double seconds = 0;
  for (int i = 0; i < calls; ++i) {
    std::fill_n(view().as<float>(), elements_, static_cast<float>(i));
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = Session::now();
    call();
    seconds += (Session::now() - start) / calls;
  }
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string_view name_of(Bench::Operation operation);

void Bench::run(Operation operation, std::int64_t elements) {
  set_size(elements);
  const auto ours_once = [&] { ours(operation); };
  const auto mpi_once = [&] { mpi(operation); };
  const auto copy_once = [&] { copy(); };
  const double once = std::max(seconds(2, ours_once), seconds(2, mpi_once));
  const int calls = std::clamp(static_cast<int>(kRoundSeconds / once), 1, 2000);
  std::vector<double> ours_times, mpi_times, copy_times;
  for (int round = 0; round < kRounds; ++round) {
    ours_times.push_back(seconds(calls, ours_once));
    copy_times.push_back(seconds(calls, copy_once));
    mpi_times.push_back(seconds(calls, mpi_once));
  }
  if (session_.rank() != 0) return;
  const Times times{median(ours_times), median(mpi_times), median(copy_times)};
  const double bytes = static_cast<double>(elements) * sizeof(float);
  const double bound = times.copy * bytes_moved(operation) / 2;
  const double algbw = bytes / times.ours * 1e-9;
  fmt::print("{:<15}{:>10.0f}{:>11.1f}{:>11.1f}{:>8.2f}{:>11.1f}{:>9.2f}{:>9.2f}\n", name_of(operation), bytes,
             times.ours * 1e6, bound * 1e6, times.ours / bound, times.mpi * 1e6, algbw, algbw * bus_factor(operation));
}

std::string_view name_of(Bench::Operation operation) {
  switch (operation) {
    case Bench::Operation::all_reduce: return "all_reduce";
    case Bench::Operation::reduce_scatter: return "reduce_scatter";
    case Bench::Operation::all_gather: return "all_gather";
  }
  return "?";
}

void run(Session& session, std::int64_t largest_bytes) {
  using enum Bench::Operation;
  std::vector<std::int64_t> sizes = {8, 64, 1024, 8192, 65536, 262144};
  for (std::int64_t bytes = 1 << 20; bytes <= largest_bytes; bytes *= 2) sizes.push_back(bytes);
  Bench bench(session, largest_bytes / static_cast<std::int64_t>(sizeof(float)));
  if (session.rank() == 0) {
    fmt::print("{} ranks\n{:<15}{:>10}{:>11}{:>11}{:>8}{:>11}{:>9}{:>9}\n", session.size(), "operation", "bytes",
               "ours us", "bound us", "ratio", "MPI us", "algbw", "busbw");
  }
  for (const Bench::Operation operation : {all_reduce, reduce_scatter, all_gather}) {
    for (const std::int64_t bytes : sizes) bench.run(operation, bytes / static_cast<std::int64_t>(sizeof(float)));
  }
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  recombine::Session session(argc, argv);
  try {
    const std::int64_t mebibytes = argc > 1 ? std::atoll(argv[1]) : 64;
    recombine::require(mebibytes >= 1 && mebibytes <= 4096, "the largest size is 1 to 4096 MiB");
    recombine::run(session, mebibytes << 20);
  } catch (const std::exception& error) {
    fmt::print(stderr, "collectives_bench: {}\n", error.what());
    recombine::Session::abort(recombine::kExitFailure);
  }
}
