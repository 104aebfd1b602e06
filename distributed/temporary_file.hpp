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

  /// From now on files under construction are removed by whatever ends this process, SIGKILL too: a child process waits
  /// for that end. For programs, before MPI_Init and the first thread. @throws Error when there can be no child
  static void remove_when_process_ends();

 private:
  void forget() noexcept;

  std::string place_, path_;
  std::size_t slot_;
};

/// @throws InputError, which begins with `name`, where something is at `place` that is no plain file
void require_replaceable(std::string_view name, const std::string& place);

}  // namespace recombine
