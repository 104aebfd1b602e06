#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// Different texts, in the order in which they were added. All bytes are in one string, so a new text needs no
/// allocation of its own.
class ValueTable {
 public:
  /// Adds the text if it is new; then returns true.
  bool add(std::string_view text);
  std::size_t size() const { return entries_.size(); }
  std::string_view operator[](std::size_t i) const {
    return std::string_view(bytes_).substr(entries_[i].begin, entries_[i].size);
  }

 private:
  struct Entry {
    std::uint64_t hash, begin, size;
  };

  void grow();

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  ///< index of an entry plus 1, by its hash; 0: free. At most half are used
};

/// The first different values of a column.
class ValueList {
 public:
  explicit ValueList(std::size_t limit) : limit_(limit) {}

  /// Adds a value. Returns true if it is already listed. If the list is full, the value is not looked up.
  bool add(std::string_view value);
  /// Adds a value that the caller knows to be listed already.
  void repeat() {
    if (repeated_at_ == kNever && !has_more()) repeated_at_ = table_.size();
  }
  /// Adds the values of the next chunk, as if they were added one by one.
  void add(const ValueList& later);
  void set_limit(std::size_t limit) { limit_ = limit; }

  bool has_more() const { return table_.size() > limit_; }
  bool repeats() const { return repeated_at_ != kNever; }  ///< a value was added twice before the list was full
  std::size_t size() const { return has_more() ? limit_ : table_.size(); }
  std::string_view operator[](std::size_t i) const { return table_[i]; }

 private:
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);

  std::size_t limit_;
  ValueTable table_;                  ///< up to one value more than the limit
  std::size_t repeated_at_ = kNever;  ///< how many were listed when a value was first repeated
};

}  // namespace recombine
