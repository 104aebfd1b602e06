// What the files of the library of points share. tests/preload/points.py describes the variables and the page.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include <sys/types.h>

namespace points {

constexpr int kRanks = 16;
constexpr int kFiles = 1024;
using Count = std::atomic<std::int32_t>;

/// In a file that all ranks and the test map.
struct Page {
  Count fired, rank;  ///< the point was reached; by which rank
  Count products;     ///< which that rank had begun by then
  Count snapshot;     ///< at a signal: the rank that sent it was still copying what it will write
  Count stalled;      ///< a rank stands still
  Count waited;       ///< meanwhile the next rank, without a product, waited for it in a collective
  struct Rank {
    Count process, products, evaluated, snapshot, published;
  };
  std::array<Rank, kRanks> ranks;
};

/// What shall happen, and where: "POINT RANK COUNT DELAY ACTION NUMBER TARGET".
struct Plan {
  char point[32] = "", action[16] = "", target[16] = "";
  int rank = -1, count = 0, delay = 0, number = 0;
};

struct Range {
  std::uintptr_t begin = 0, end = 0;
  bool has(const void* address) const {
    const auto a = reinterpret_cast<std::uintptr_t>(address);
    return a >= begin && a < end;
  }
};

struct State {
  Page* page = nullptr;
  Page::Rank* own = nullptr;
  int rank = 0;
  int ranks = 1;
  pid_t process = 0;
  Plan plan;
  Range step, scores;  ///< addresses of Trainer::step and Trainer::sum_scores
  std::string folder;  ///< of the checkpoints
  Count passed{0};
  std::array<std::atomic<bool>, kFiles> is_checkpoint{};  ///< of each descriptor
};

extern State* state;  ///< null: this process is no rank of the job

/// In the process itself, not in the child that it forks.
bool is_rank();

/// Does what is planned if this is its point. @return true if the call at this point shall fail with plan.number
bool reached(const char* point);

}  // namespace points
