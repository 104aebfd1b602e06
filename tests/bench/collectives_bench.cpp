// all_reduce, reduce_scatter and all_gather of f32 among ranks of one host: ours, MPI's, and what memory allows.
//
//     mpirun --bind-to none -np 2 ./collectives_bench [LARGEST_MIB]
//
// n bytes, P ranks, S = (P - 1) / P. Bytes that a rank must move, reads and writes:
//     all_reduce       read own n, write own n, read the others' parts of the own share n S    =  n (2 + S)
//     reduce_scatter   read own n, write the own share n / P, read the others' parts n S       =  2 n
//     all_gather       read the own share n / P, read the others' shares n S, write them n S   =  n (1 + S)
// The bound is the time in which memcpy moves as many bytes, all ranks copying at once, each n bytes from one buffer
// to another (2 n bytes read or written). No process can do quite that: what crosses from one to another is first
// written to memory that they share. With those bytes, each written once and read once, it is
//     all_reduce       also write parts n S, write the sum n / P, read the others' sums n S    =  n (2 + 3 S + 1 / P)
//     reduce_scatter   read n, write parts n S, read them n S, write the own share n / P    =  n (1 + 2 S + 1 / P)
//     all_gather       also write the own share n / P                                          =  n (2 S + 2 / P)
// and "shared" is the ratio of our time to the time of so many bytes.
//
// Every round runs all candidates, one after the other, so that a change of the machine's speed meets all of them;
// a round's time is that of the slowest rank, a column's the median of rounds. algbw = n / time; busbw as nccl-tests
// define it: 2 S algbw for all_reduce, S algbw for the other two.

#include <fmt/core.h>
#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "distributed/mesh.hpp"
#include "distributed/session.hpp"
#include "kernels/error.hpp"

namespace recombine {
namespace {

constexpr int kRounds = 15;
constexpr double kRoundSeconds = 0.004;  // a candidate is repeated for about so long in each round

class Bench {
 public:
  Bench(Session& session, std::int64_t largest)
      : session_(session),
        device_(make_device({.progress = session.progress()})),
        world_(make_world(session)),
        stream_(device_->make_stream(StreamUse::communication)),
        data_(static_cast<std::size_t>(largest), 1.0F),
        copy_(data_) {}

  enum class Operation { all_reduce, reduce_scatter, all_gather };

  void run(Operation operation, std::int64_t elements);

 private:
  struct Times {
    double ours, mpi, copy;
  };

  double ranks() const { return session_.size(); }
  double share() const { return (ranks() - 1) / ranks(); }
  double bytes_moved(Operation operation) const;  ///< for each byte of data
  double bytes_through_shared_memory(Operation operation) const;
  double bus_factor(Operation operation) const { return (operation == Operation::all_reduce ? 2 : 1) * share(); }

  void set_size(std::int64_t elements);
  void ours(Operation operation);
  void mpi(Operation operation);
  void copy() { std::memcpy(copy_.data(), data_.data(), static_cast<std::size_t>(view().bytes())); }
  VectorView view() { return vector_view(data_.data(), elements_); }

  /// Seconds of one call, of `calls` in a row, on the slowest rank.
  template <class Call>
  double seconds(int calls, const Call& call) const;

  Session& session_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Communicator> world_;
  std::unique_ptr<Stream> stream_;
  std::vector<float> data_, copy_;
  std::int64_t elements_ = 0;
  std::vector<std::int64_t> counts_;
  std::vector<int> mpi_counts_, mpi_begins_;
};

double Bench::bytes_moved(Operation operation) const {
  switch (operation) {
    case Operation::all_reduce: return 2 + share();
    case Operation::reduce_scatter: return 2;
    case Operation::all_gather: return 1 + share();
  }
  return 0;
}

double Bench::bytes_through_shared_memory(Operation operation) const {
  switch (operation) {
    case Operation::all_reduce: return 2 + 3 * share() + 1 / ranks();
    case Operation::reduce_scatter: return 1 + 2 * share() + 1 / ranks();
    case Operation::all_gather: return 2 * share() + 2 / ranks();
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
  std::fill(data_.begin(), data_.end(), 0.0F);  // repeated sums of it stay what they are
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
      MPI_Allreduce(MPI_IN_PLACE, data_.data(), static_cast<int>(elements_), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      break;
    case Operation::reduce_scatter:
      MPI_Reduce_scatter(MPI_IN_PLACE, data_.data(), mpi_counts_.data(), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      break;
    case Operation::all_gather:
      MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data_.data(), mpi_counts_.data(), mpi_begins_.data(),
                     MPI_FLOAT, MPI_COMM_WORLD);
      break;
  }
}

template <class Call>
double Bench::seconds(int calls, const Call& call) const {
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = Session::now();
  for (int i = 0; i < calls; ++i) call();
  double seconds = (Session::now() - start) / calls;
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
  const double shared = times.copy * bytes_through_shared_memory(operation) / 2;
  const double algbw = bytes / times.ours * 1e-9;
  fmt::print("{:<15}{:>10.0f}{:>11.1f}{:>11.1f}{:>8.2f}{:>8.2f}{:>11.1f}{:>9.2f}{:>9.2f}\n", name_of(operation), bytes,
             times.ours * 1e6, bound * 1e6, times.ours / bound, times.ours / shared, times.mpi * 1e6, algbw,
             algbw * bus_factor(operation));
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
    fmt::print("{} ranks\n{:<15}{:>10}{:>11}{:>11}{:>8}{:>8}{:>11}{:>9}{:>9}\n", session.size(), "operation",
               "bytes", "ours us", "bound us", "ratio", "shared", "MPI us", "algbw", "busbw");
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
