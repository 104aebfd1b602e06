// A library for LD_PRELOAD: something happens to a job at one point of a run, such as its 40th product or the rename of
// a checkpoint. So tests reach moments that are too short to be hit from outside. These functions replace those of libc,
// oneDNN and OpenBLAS.

#include "tests/preload/points.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string_view>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using points::is_rank;
using points::kFiles;
using points::reached;
using points::state;

/// Called at the beginning of each product of matrices.
void count_product() {
  if (!is_rank()) return;
  std::array<void*, 48> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  for (int f = 0; f < depth; ++f) {
    const void* frame = frames[static_cast<std::size_t>(f)];
    if (state->step.has(frame)) {
      ++state->own->products;
      reached("product");
      return;
    }
    if (state->scores.has(frame)) {
      ++state->own->evaluated;
      reached("evaluation");
      return;
    }
  }
}

/// In the folder of the checkpoints: it is given as an absolute path, the program may use a relative one.
bool is_in_folder(std::string_view path) {
  const std::string_view folder = state->folder;
  if (path.starts_with('/')) return !folder.empty() && path.starts_with(folder);
  return path.substr(0, path.find('/')) == folder.substr(folder.rfind('/') + 1);
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::atomic<bool>* of_checkpoint(int file) {
  if (!is_rank() || file < 0 || file >= kFiles) return nullptr;
  return &state->is_checkpoint[static_cast<std::size_t>(file)];
}

bool is_checkpoint(int file) {
  const auto* flag = of_checkpoint(file);
  return flag != nullptr && *flag;
}

bool fails(bool here, const char* point) {
  if (!here || !reached(point)) return false;
  errno = state->plan.number;
  return true;
}

int opened(int file, const char* path, int flags) {
  auto* flag = of_checkpoint(file);
  if (flag == nullptr) return file;
  *flag = false;
  const std::string_view text = path;
  const bool unfinished = text.find(".recombine-") != text.npos && text.ends_with(".tmp");
  if (!unfinished || (flags & O_CREAT) != 0 || !is_in_folder(text)) return file;
  *flag = true;
  state->own->snapshot = 1;
  reached("snapshot");
  return file;
}

bool ends_with(const char* path, std::string_view end) { return std::string_view(path).ends_with(end); }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0;
  va_end(rest);
  return opened(static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode)), path, flags);
}

/// Of all files, the program reserves room only for checkpoints and --save.
int fallocate(int file, int mode, off_t begin, off_t size) {
  auto* flag = of_checkpoint(file);
  if (flag != nullptr) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    const ssize_t length = readlink(link.c_str(), path.data(), path.size() - 1);
    *flag = length > 0 && is_in_folder(path.data());
    if (fails(*flag, "reserve")) return -1;
  }
  const auto result = static_cast<int>(syscall(SYS_fallocate, file, mode, begin, size));
  if (is_checkpoint(file)) {
    state->own->snapshot = 1;
    reached("snapshot");
  }
  return result;
}

ssize_t pwrite(int file, const void* from, std::size_t bytes, off_t offset) {
  if (is_checkpoint(file)) {
    state->own->snapshot = 0;
    if (std::string_view(state->plan.action) == "signal" && bytes > 1)  // a signal finds half of it in the file
      syscall(SYS_pwrite64, file, from, bytes / 2, offset);
    if (fails(true, "write")) return -1;
  }
  return syscall(SYS_pwrite64, file, from, bytes, offset);
}
ssize_t pwrite64(int file, const void* from, std::size_t bytes, off_t offset) {
  return pwrite(file, from, bytes, offset);
}

int close(int file) {
  if (auto* flag = of_checkpoint(file); flag != nullptr) *flag = false;
  return static_cast<int>(syscall(SYS_close, file));
}

int fsync(int file) {
  const bool here = is_checkpoint(file);
  if (fails(here, "fsync")) return -1;
  const auto result = static_cast<int>(syscall(SYS_fsync, file));
  if (here) reached("fsynced");
  return result;
}

int rename(const char* from, const char* to) noexcept {
  const bool checkpoint = is_rank() && ends_with(to, ".safetensors") && is_in_folder(to);
  const bool latest = is_rank() && ends_with(to, "/latest") && is_in_folder(to);
  if (fails(checkpoint, "rename") || fails(latest, "latest")) return -1;
  const auto result = static_cast<int>(syscall(SYS_rename, from, to));
  if (checkpoint) {
    ++state->own->published;
    reached("renamed");
  }
  if (latest) reached("committed");
  return result;
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  if (fails(is_rank() && ends_with(path, ".safetensors"), "delete")) return -1;
  return static_cast<int>(syscall(SYS_unlinkat, folder, path, flags));
}

int dnnl_primitive_execute(const void* primitive, void* stream, int count, const void* arguments) {
  static auto* const call = next<int(const void*, void*, int, const void*)>("dnnl_primitive_execute");
  count_product();
  return call(primitive, stream, count, arguments);
}

void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a, int lda,
                 const float* b, int ldb, float beta, float* c, int ldc) {
  using Function = void(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
  static auto* const call = next<Function>("cblas_sgemm");
  count_product();
  call(order, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // extern "C"
