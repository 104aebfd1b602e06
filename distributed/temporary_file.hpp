#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "distributed/output_place.hpp"

namespace recombine {

/// A file under construction: it lies in the folder of its place, under a random name that nobody can plant, until
/// publish() puts it there. It is removed in every other end that a process can still do something about, but never
/// once it is finished. Errors begin with `name`.
class TemporaryFile {
 public:
  /// Makes the file. @throws InputError if `place` cannot take one
  TemporaryFile(std::string name, const std::string& place);
  ~TemporaryFile();  ///< removes the file, unless publish() was called
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }  ///< until publish()
  std::uint64_t inode() const;                       ///< by which others recognise the file at path()
  /// What a user should know before the work: how the place will be taken, if not by rename(). "": nothing
  std::string note() const;

  /// Claims the room for all that will be written, so that a full disk is told before the work. @throws InputError
  void reserve(std::int64_t bytes);
  void write(std::string_view bytes);  ///< behind what was written. @throws Error
  /// @throws Error if the file was removed or moved, with its folder perhaps
  void require_there() const;

  /// Takes the place; what is written from then on is written there. @throws Error, which says where the file is kept
  void publish();
  void commit();  ///< cuts off room that write() has not used; to the disk; publish()

  /// For rank_watcher.cpp: the process, before it forks its watcher, shares the list of its files under construction
  /// with it; the watcher removes them once the process has ended. @throws Error if there is no memory to share
  static void share_with_children();
  static void remove_all_of_ended_process() noexcept;

 private:
  bool is_at_path() const;
  void copy_to_place();
  void forget() noexcept;
  [[noreturn]] void fail_kept(std::string_view what, int reason);

  std::string name_;
  OutputPlace place_;
  std::string path_;
  std::size_t slot_;  ///< in the list that the watcher has, until publish()
  FileDescriptor file_;
};

}  // namespace recombine
