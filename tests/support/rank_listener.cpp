#include "tests/support/rank_listener.hpp"

#include <fmt/core.h>
#include <mpi.h>

namespace recombine::test {

void RankListener::OnTestPartResult(const ::testing::TestPartResult& result) {
  if (!result.failed()) return;
  failures_ +=
      fmt::format("{}:{}: {}\n", result.file_name() ? result.file_name() : "?", result.line_number(), result.message());
}

void RankListener::OnTestEnd(const ::testing::TestInfo& info) {
  int rank = 0;
  int size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const auto length = static_cast<int>(failures_.size());
  std::vector<int> lengths(static_cast<std::size_t>(size));
  MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, MPI_COMM_WORLD);
  for (int from = 0; from < size; ++from) {
    const int bytes = lengths[static_cast<std::size_t>(from)];
    if (bytes == 0) continue;
    any_failed_ = true;
    std::string text = from == rank ? failures_ : std::string(static_cast<std::size_t>(bytes), ' ');
    MPI_Bcast(text.data(), bytes, MPI_CHAR, from, MPI_COMM_WORLD);
    if (rank == 0) fmt::print("{}.{}, rank {}: {}", info.test_suite_name(), info.name(), from, text);
  }
  failures_.clear();
}

}  // namespace recombine::test
