// Input: a safetensors file, read as it is, and again with the length and the SHA-256 that its header needs: otherwise
// hardly a mutated checkpoint would be read beyond its checksum. What is accepted must come back from what we write.

#include <algorithm>
#include <vector>

#include "src/nn/checkpoint/checkpoint_header.hpp"
#include "src/nn/digest.hpp"
#include "src/train/saved_model.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

namespace {

constexpr std::size_t kLength = 8;

/// The file with a length and a SHA-256 that fit. The header is taken to end with the last brace and spaces after it.
std::string repaired(std::string_view file) {
  static constexpr std::string_view kSha256 = "\"header_sha256\":\"";
  static constexpr std::size_t kDigits = 64;
  std::string text(file.substr(std::min(kLength, file.size())));
  const std::size_t end = std::min(text.find_first_not_of(' ', text.rfind('}') + 1), text.size());
  const std::string data = text.substr(end);
  text.resize(end);
  if (const std::size_t at = text.find(kSha256);
      at != std::string::npos && text.size() > at + kSha256.size() + kDigits) {
    text.replace(at + kSha256.size(), kDigits, kDigits, '0');
    Digest digest;
    digest.add(text.data(), text.size());
    text.replace(at + kSha256.size(), kDigits, digest.finish());
  }
  std::string length(kLength, '\0');
  for (std::size_t i = 0; i < kLength; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return length + text + data;
}

std::vector<NamedTensor> in_file_order(const SafetensorsFile& file) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, stored] : file.tensors()) tensors.push_back({name, stored});
  std::ranges::stable_sort(tensors, {}, [](const NamedTensor& tensor) { return tensor.stored.begin; });
  return tensors;
}

void read(std::string_view bytes) {
  static const fuzz::MemoryFile file;
  file.write(bytes);
  const auto rewrite = [&](std::string_view from) {
    std::string header;
    fuzz::accepts([&] {
      const SafetensorsFile stored("resume", file.path());
      std::int64_t end = 0;
      for (const NamedTensor& tensor : in_file_order(stored)) {
        fuzz::insist(tensor.stored.begin == end && tensor.stored.begin <= tensor.stored.end, "a gap or an overlap");
        end = tensor.stored.end;
      }
      const std::size_t begin = kLength + stored.header_text().size();
      fuzz::insist(begin + static_cast<std::size_t>(end) == from.size(), "the tensors do not fill the file");
      header = checkpoint_header(in_file_order(stored), read_checkpoint_info(stored)) + std::string(from.substr(begin));
    });
    return header;
  };
  fuzz::accepts([] { read_saved_model("load", file.path()); });
  const std::string ours = rewrite(bytes);
  if (ours.empty()) return;
  file.write(ours);
  fuzz::insist(rewrite(ours) == ours, "a checkpoint does not come back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read(fuzz::text_of(data, size));
  read(repaired(fuzz::text_of(data, size)));
  return 0;
}
