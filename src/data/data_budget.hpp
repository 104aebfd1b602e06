#pragma once

#include <limits>
#include <string>

namespace recombine {

/// How much larger than its packed file a content may be: 1,000 times, or as memory allows.
enum class Growth { thousandfold, any };

/// What a data set may take.
struct DataMemory {
  double host_bytes = std::numeric_limits<double>::infinity();  ///< of the memory of each host
  Growth growth = Growth::thousandfold;
};

/// Counts what tables take, before they take it.
class DataBudget {
 public:
  explicit DataBudget(const DataMemory& memory) : memory_(memory) {}

  Growth growth() const { return memory_.growth; }
  /// Counts `bytes` more of a table, twice: the rank that reads it holds it until all ranks of the host have it.
  /// @throws InputError naming `source`
  void take_table(const std::string& source, double bytes) { take(source, 2 * bytes); }
  /// Counts `bytes` more. @throws InputError naming `source`
  void take(const std::string& source, double bytes);
  /// Refuses `bytes` for a while, such as for a line, if there is no room for them. @throws InputError naming `source`
  void require_room(const std::string& source, double bytes) const;

 private:
  DataMemory memory_;
  double taken_ = 0;
};

}  // namespace recombine
