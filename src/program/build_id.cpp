#include "src/program/build_id.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

namespace recombine {

namespace {

constexpr std::size_t aligned(std::size_t size) { return (size + 3) / 4 * 4; }

/// The build-id from the notes of a PT_NOTE segment, or "".
std::string find_id(const char* notes, std::size_t size) {
  using Header = ElfW(Nhdr);
  for (const char* const end = notes + size; notes + sizeof(Header) <= end;) {
    Header header;
    std::memcpy(&header, notes, sizeof header);
    const std::string_view name(notes + sizeof header, header.n_namesz);
    const char* const content = notes + sizeof header + aligned(header.n_namesz);
    if (header.n_type == NT_GNU_BUILD_ID && name == std::string_view("GNU\0", 4)) {
      std::string id;
      for (std::size_t i = 0; i < header.n_descsz; ++i)
        id += fmt::format("{:02x}", static_cast<unsigned char>(content[i]));
      return id;
    }
    notes = content + aligned(header.n_descsz);
  }
  return "";
}

}  // namespace

std::string build_id() {
  std::string id;
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t /*size*/, void* to) {
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = object->dlpi_phdr[i];
          if (segment.p_type != PT_NOTE) continue;
          const auto* notes = reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr);
          std::string found = find_id(notes, segment.p_memsz);
          if (found.empty()) continue;
          *static_cast<std::string*>(to) = std::move(found);
          break;
        }
        return 1;  // stop: the first object is the program itself, then come its libraries
      },
      &id);
  return id.empty() ? "unknown" : id;
}

}  // namespace recombine
