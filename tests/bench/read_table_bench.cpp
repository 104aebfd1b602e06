/// Measures how fast tables of text are read: the pass that profiles the columns, and a pass that reads every cell as a
/// number. Prints MB/s of text for both, and for both in a row; the best of several rounds.
///
///     ./read_table_bench FILE.csv [ROUNDS]
///     taskset -c 0,1 ./read_table_bench FILE.csv      # on two cores

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>

#include <fmt/core.h>

#include "kernels/error.hpp"
#include "src/data/text/cell.hpp"
#include "src/data/text/on_threads.hpp"
#include "src/data/text/profile.hpp"

using namespace recombine;

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Of all threads: on a busy machine these vary less than the time.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void measure(const std::string& path, int rounds) {
  DataBudget budget({});
  const TextFile text(path, budget);
  double profiling = 1e30, reading = 1e30, computing = 1e30;
  std::atomic<std::int64_t> numbers = 0;
  TableProfile table;
  for (int round = 0; round < rounds; ++round) {
    const double start = seconds(), cpu_start = cpu_seconds();
    Dialect dialect = find_dialect(text, {});
    table = profile_table(text, dialect);
    const double middle = seconds();
    numbers = 0;
    for_each_chunk(text, dialect, table.chunks, [&](std::size_t /*chunk*/, RowReader& rows) {
      std::int64_t found = 0;
      for (std::vector<std::string_view> cells; rows.next(cells);) {
        for (const std::string_view cell : cells) found += number_in(cell, dialect.decimal).has_value() ? 1 : 0;
      }
      numbers += found;
    });
    profiling = std::min(profiling, middle - start);
    reading = std::min(reading, seconds() - middle);
    computing = std::min(computing, cpu_seconds() - cpu_start);
  }
  const double megabytes = static_cast<double>(text.bytes()) / 1e6;
  fmt::print("{}: {:.0f} MB, {} rows of {} columns, {} numbers, {} cores\n", path, megabytes, table.rows,
             table.columns.size(), numbers.load(), usable_cores());
  fmt::print("profile {:.0f} MB/s, numbers {:.0f} MB/s, both {:.0f} MB/s; both {:.0f} MB in a second of one core\n",
             megabytes / profiling, megabytes / reading, megabytes / (profiling + reading), megabytes / computing);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} FILE.csv [ROUNDS]\n", argv[0]);
    return kExitBadInput;
  }
  try {
    measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 3);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kExitFailure;
  }
  return kExitSuccess;
}
