#include "src/nn/checkpoint/checkpoint_header.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "distributed/io/shared_file.hpp"
#include "src/nn/checkpoint/read_tensor.hpp"
#include "src/nn/digest.hpp"

namespace recombine {

namespace {

constexpr std::string_view kVersion = "recombine_checkpoint", kSha256 = "header_sha256", kOption = "option.",
                           kModel = "recombine.";
constexpr std::int64_t kOwnVersion = 2;
constexpr std::size_t kDigits = 16;  ///< of a fingerprint
constexpr std::size_t kShaDigits = 64;

/// Encodes bytes as ASCII text; decoded() returns the same bytes.
std::string encoded(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte >= 0x20 && byte < 0x7F && c != '%' ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return text;
}

/// Decodes what encoded() returns. Empty if encoded() cannot return this text.
std::string decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = static_cast<unsigned char>(text[at]);
    if (text[at] == '%') {
      const std::string_view digits = text.substr(at + 1, 2);
      std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      at += digits.size();
    }
    bytes += static_cast<char>(byte);
  }
  return encoded(bytes) == text ? bytes : "";
}

/// SHA-256 of a header's JSON text, with zeros in place of the stored SHA-256, which begins at `begin`.
std::string sha256_of(std::string_view text, std::size_t begin) {
  Digest digest;
  const std::string zeros(kShaDigits, '0');
  digest.add(text.data(), begin);
  digest.add(zeros.data(), zeros.size());
  digest.add(text.data() + begin + kShaDigits, text.size() - begin - kShaDigits);
  return digest.finish();
}

/// Where the SHA-256 begins in a header's JSON text; npos if the text has none, or two. JSON escapes quotes inside
/// strings, so only a key can match.
std::size_t find_sha256(std::string_view text) {
  const std::string key = fmt::format("\"{}\":\"", kSha256);
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos || text.find(key, at + 1) != std::string_view::npos) return std::string_view::npos;
  const std::size_t begin = at + key.size();
  return text.size() >= begin + kShaDigits ? begin : std::string_view::npos;
}

/// Reads the entries of the metadata in the order of the file.
class MetadataReader {
 public:
  explicit MetadataReader(const SafetensorsFile& file) : file_(file) {}

  const std::string& take(std::string_view key) {
    require_whole(!at_end() && next().key == key, "{}: its next metadata entry is {}; expected {}", file_.name(),
                  at_end() ? "missing" : next().key, key);
    return file_.metadata()[at_++].value;
  }

  template <class T>
  T number(std::string_view key, T least, T most = std::numeric_limits<T>::max()) {
    const std::string& text = take(key);
    T value{};
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    // from_chars() accepts more texts than checkpoint_header() writes. The comparison with the text refuses these.
    require_whole(end.ec == std::errc() && fmt::format("{}", value) == text && value >= least && value <= most,
                  "{}: {} is {}; expected a number from {} to {}", file_.name(), key, encoded(text.substr(0, 40)),
                  least, most);
    return value;
  }

  Metadata model() {
    Metadata entries;
    while (!at_end() && next().key.starts_with(kModel)) entries.push_back(file_.metadata()[at_++]);
    return entries;
  }

  Facts options() {
    Facts facts;
    while (!at_end() && next().key.starts_with(kOption)) {
      const MetadataEntry& entry = file_.metadata()[at_++];
      const std::string name = decoded(entry.key.substr(kOption.size())), value = decoded(entry.value);
      require_whole(!name.empty() && value.empty() == entry.value.empty(),
                    "{}: {} is damaged; expected ASCII, with %XX for other bytes", file_.name(), entry.key);
      facts.push_back({name, value});
    }
    return facts;
  }

  std::vector<std::uint64_t> fingerprints() {
    const std::string& text = take("fingerprints");
    const std::size_t tensors = file_.tensors().size();
    require_whole(text.size() == tensors * kDigits,
                  "{}: fingerprints have {} digits; expected {} for each of {} tensors", file_.name(), text.size(),
                  kDigits, tensors);
    std::vector<std::uint64_t> values(tensors);
    for (std::size_t t = 0; t < tensors; ++t) {
      const char* const begin = text.data() + t * kDigits;
      const auto end = std::from_chars(begin, begin + kDigits, values[t], 16);
      require_whole(end.ec == std::errc() && end.ptr == begin + kDigits,
                    "{}: fingerprint {} is damaged; expected hexadecimal digits", file_.name(), t);
    }
    return values;
  }

  void finish() const {
    require_whole(at_end(), "{}: its metadata have one more entry, {}; expected none", file_.name(),
                  at_end() ? "" : next().key);
  }

 private:
  bool at_end() const { return at_ == file_.metadata().size(); }
  const MetadataEntry& next() const { return file_.metadata()[at_]; }

  const SafetensorsFile& file_;
  std::size_t at_ = 0;
};

/// Refuses a header that was changed, or whose version this program cannot read.
void require_known(const SafetensorsFile& file) {
  const auto version = std::ranges::find(file.metadata(), kVersion, &MetadataEntry::key);
  require_whole(version != file.metadata().end(), "{}: is no checkpoint; expected a file that --checkpoint wrote",
                file.name());
  const std::string& text = file.header_text();
  const std::size_t begin = find_sha256(text);
  require_whole(begin != std::string::npos && sha256_of(text, begin) == text.substr(begin, kShaDigits),
                "{}: its header does not match the checksum stored in it; expected an unchanged file", file.name());
  std::int64_t number = 0;
  const std::string& digits = version->value;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  require_whole(number >= 1 && digits == fmt::format("{}", number), "{}: its version is not a number; expected {}",
                file.name(), kOwnVersion);
  if (number > kOwnVersion) {
    throw NewerCheckpoint(
        fmt::format("{}: is of version {}; this program reads version {}; expected a checkpoint of "
                    "that version, or a newer program",
                    file.name(), number, kOwnVersion));
  }
}

}  // namespace

std::string checkpoint_header(const std::vector<NamedTensor>& tensors, const CheckpointInfo& info) {
  require(info.fingerprints.size() == tensors.size(), "{} fingerprints for {} tensors", info.fingerprints.size(),
          tensors.size());
  const auto text_of = [](auto value) { return fmt::format("{}", value); };
  const TrainState& state = info.state;
  Metadata metadata = {{"format", "pt"},
                       {std::string(kVersion), text_of(kOwnVersion)},
                       {"state.step", text_of(state.step)},
                       {"state.epoch", text_of(state.epoch)},
                       {"state.position", text_of(state.position)},
                       {"state.epoch_loss_sum", text_of(state.epoch_loss_sum)},
                       {"state.samples", text_of(state.samples)},
                       {"state.best_loss", text_of(state.best_loss)},
                       {"state.epochs_without_better", text_of(state.epochs_without_better)},
                       {"state.best_epoch", text_of(state.best_epoch)},
                       {"seed", text_of(info.seed)}};
  for (const MetadataEntry& entry : info.model) {
    require(entry.key.starts_with(kModel), "metadata entry {} of a checkpoint's model", entry.key);
    metadata.push_back(entry);
  }
  for (const Fact& fact : info.options) {
    metadata.push_back({std::string(kOption) + encoded(fact.name), encoded(fact.value)});
  }
  std::string fingerprints;
  for (const std::uint64_t value : info.fingerprints) fingerprints += fmt::format("{:016x}", value);
  metadata.push_back({"fingerprints", fingerprints});
  metadata.push_back({std::string(kSha256), std::string(kShaDigits, '0')});
  std::string header = safetensors_header(metadata, tensors, SharedFile::kBlock);  // see Snapshot::Piece
  constexpr std::size_t kLength = 8;
  const std::string_view text = std::string_view(header).substr(kLength);
  const std::size_t begin = find_sha256(text);
  return header.replace(kLength + begin, kShaDigits, sha256_of(text, begin));
}

CheckpointInfo read_checkpoint_info(const SafetensorsFile& file) {
  require_known(file);
  for (const auto& [name, tensor] : file.tensors()) require_f32(file, name);
  static constexpr double kLargest = std::numeric_limits<double>::max();
  MetadataReader reader(file);
  CheckpointInfo info;
  require_whole(reader.take("format") == "pt", "{}: its format is unknown; expected pt", file.name());
  const bool first_version = reader.take(kVersion) == "1";
  info.state.step = reader.number<std::int64_t>("state.step", 0);
  info.state.epoch = reader.number<std::int64_t>("state.epoch", 1);
  info.state.position = reader.number<std::int64_t>("state.position", 0);
  info.state.epoch_loss_sum = reader.number<double>("state.epoch_loss_sum", -kLargest, kLargest);
  info.state.samples = reader.number<std::int64_t>("state.samples", 0);
  info.state.best_loss = reader.number<double>("state.best_loss", -kLargest, std::numeric_limits<double>::infinity());
  info.state.epochs_without_better = reader.number<std::int64_t>("state.epochs_without_better", 0);
  if (!first_version) info.state.best_epoch = reader.number<std::int64_t>("state.best_epoch", 0);
  info.seed = reader.number<std::uint64_t>("seed", 0);
  info.model = reader.model();
  info.options = reader.options();
  info.fingerprints = reader.fingerprints();
  reader.take(kSha256);
  reader.finish();
  return info;
}

}  // namespace recombine
