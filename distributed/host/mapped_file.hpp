#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/mman.h>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// The first bytes of a file, mapped for reading and writing. All processes that map the file see the same bytes.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(const FileDescriptor& file, std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)) {
    void* const memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory != MAP_FAILED) data_ = static_cast<std::byte*>(memory);
  }
  MappedFile(MappedFile&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }

  std::byte* data() const { return data_; }  ///< null: it could not be mapped

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace recombine
