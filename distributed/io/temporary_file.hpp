#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "distributed/io/output_place.hpp"

namespace recombine {

/// An unfinished file. It has a random name in the folder of its final path `place`, so that other users cannot guess
/// the name, until publish() gives it its final path. If the process ends earlier, the file is removed; a finished file
/// is never removed. Messages of errors begin with `name`.
class TemporaryFile {
 public:
  /// Makes the file. @throws InputError if `place` cannot take one
  TemporaryFile(std::string name, const std::string& place);
  ~TemporaryFile();  ///< removes the file, unless publish() was called
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }  ///< the temporary path, until publish()
  std::uint64_t inode() const;                       ///< other ranks recognize the file at path() by it
  /// What a user should know before the run, if rename() cannot replace the file at `place`. "": nothing
  std::string note() const;

  /// Claims room for `bytes` in all, so that a full disk is reported before the run. @throws InputError
  void reserve(std::int64_t bytes);
  void write(std::string_view bytes);  ///< appends. @throws Error
  /// @throws Error if the file was removed or moved, for example together with its folder
  void require_there() const;

  /// Gives the file its final path; later writes go to that file. @throws Error that says where the file is kept
  void publish();
  void commit();  ///< frees reserved room that write() has not used, writes the file to disk, then publish()

  /// For rank_watcher.cpp. Before the process forks its watcher, it shares the list of its unfinished files with the
  /// watcher. The watcher removes these files once the process has ended. @throws Error if no memory can be shared
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
  std::size_t slot_;  ///< index in the list that the watcher shares, until publish()
  FileDescriptor file_;
};

}  // namespace recombine
