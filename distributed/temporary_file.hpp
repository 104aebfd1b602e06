#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace recombine {

/// A file under construction: it lies beside its place as PLACE.PID.tmp until rename() puts it there, and is removed
/// in every other end that a process can still do something about.
class TemporaryFile {
 public:
  /// Makes no file yet: whoever does, makes it at path().
  explicit TemporaryFile(std::string place);
  ~TemporaryFile();  ///< removes the file, unless it was renamed
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  static std::string path_of(const std::string& place, std::int64_t process);

  /// Replaces what is at its place. @throws Error, which begins with `name`
  void rename(std::string_view name);

  /// Removes all there are, for an end without unwinding. Safe in a signal handler.
  static void remove_all() noexcept;
  /// From now on SIGTERM, which a job's end sends to its ranks, SIGINT and SIGHUP call remove_all() before they end the
  /// process. For programs; what is ignored stays ignored.
  static void remove_on_signals();

 private:
  void forget() noexcept;

  std::string place_, path_;
  std::size_t slot_;
};

}  // namespace recombine
