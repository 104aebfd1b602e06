#pragma once

#include <limits>
#include <string>

namespace recombine {

/// How much larger than its compressed file the content may be: 1,000 times, or any factor that fits memory.
enum class Growth { thousandfold, any };

/// How much memory a data set may take.
struct DataMemory {
  double host_bytes = std::numeric_limits<double>::infinity();  ///< on each host
  Growth growth = Growth::thousandfold;
  std::string limit = "its memory";  ///< what sets host_bytes, for messages
};

/// Counts the memory of tables before it is allocated, and refuses what exceeds the limit.
class DataBudget {
 public:
  explicit DataBudget(const DataMemory& memory) : memory_(memory) {}

  Growth growth() const { return memory_.growth; }
  /// Counts `bytes` of a table twice: the rank that reads the table keeps its own copy until the copy that all ranks of
  /// the host share is complete. @throws InputError that names `source`
  void take_table(const std::string& source, double bytes) { take(source, 2 * bytes); }
  /// Counts `bytes`. @throws InputError that names `source`
  void take(const std::string& source, double bytes);
  /// True if half of the limit has room for `bytes` more.
  bool fits_half(double bytes) const { return taken_ + bytes <= memory_.host_bytes / 2; }
  /// Checks that there is room for `bytes`, such as for a line of text, but does not count them.
  /// @throws InputError that names `source`
  void require_room(const std::string& source, double bytes) const;

 private:
  DataMemory memory_;
  double taken_ = 0;
};

}  // namespace recombine
