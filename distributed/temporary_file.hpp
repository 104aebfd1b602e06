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

  /// For rank_watcher.cpp: the process, before it forks its watcher, shares the list of its files under construction
  /// with it; the watcher removes them once the process has ended. @throws Error if there is no memory to share
  static void share_with_children();
  static void remove_all_of_ended_process() noexcept;

 private:
  void forget() noexcept;

  std::string place_, path_;
  std::size_t slot_;
};

/// @throws InputError, which begins with `name`, where something is at `place` that is no plain file
void require_replaceable(std::string_view name, const std::string& place);

}  // namespace recombine
