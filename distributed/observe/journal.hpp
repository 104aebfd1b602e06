#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "distributed/mesh.hpp"
#include "distributed/observe/what.hpp"

namespace recombine {

/// One collective of this rank. Times are from Session::now(). 0: not yet, or the device does not report it.
struct JournalEntry {
  std::int64_t id = -1;  ///< number of the collective, over all axes
  What what;
  const char* operation = "";  ///< "all_reduce"
  Axis axis = Axis::i;
  std::int64_t bytes = 0;  ///< of this rank's data
  /// To other ranks: of an exchange, what this rank sends; of a collective, the mean over the group (collective.hpp).
  double bytes_sent = 0;
  int peer = -1;  ///< rank along `axis`: the root of a broadcast; to which an exchange of one piece sends; else -1
  double enqueued = 0;
  double begun = 0;
  double done = 0;
};

/// The cost of all collectives with the same name on this rank.
struct CollectiveTotals {
  std::int64_t calls = 0;
  std::int64_t bytes = 0;
  double bytes_sent = 0;
  std::int64_t timed_calls = 0;  ///< calls with a begin and an end reported by the device
  double seconds = 0;            ///< from begin to end of the timed calls; includes waiting for other ranks
};

/// The collectives that this rank has enqueued through its RankContext: an entry for each of the latest ones, and
/// totals per name over all of them. Reports, traces and watchers read it. Safe to use from several threads.
class Journal {
 public:
  static constexpr std::size_t kLatest = 256;  ///< entries that are kept

  /// Collectives that are enqueued from now on belong to this step, unless their What has a step.
  void set_step(std::int64_t step);
  /// Adds `entry`, sets its id and the time at which it was enqueued, and returns the id.
  std::int64_t enqueue(JournalEntry entry);
  void begin(std::int64_t id);
  void end(std::int64_t id);

  /// Adds the calls, bytes and bytes_sent of collectives that a device repeats. They get no entries and no times.
  void repeat(const std::map<std::string, CollectiveTotals>& collectives);

  std::vector<JournalEntry> latest() const;  ///< the oldest first
  std::map<std::string, CollectiveTotals> totals() const;

 private:
  struct Kept {
    JournalEntry entry;
    CollectiveTotals* totals = nullptr;
  };
  Kept* find(std::int64_t id);

  mutable std::mutex mutex_;
  std::array<Kept, kLatest> kept_;
  std::map<std::string, CollectiveTotals, std::less<>> totals_;
  std::int64_t next_ = 0;
  std::int64_t step_ = -1;
};

}  // namespace recombine
