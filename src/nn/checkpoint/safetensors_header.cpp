#include "src/nn/checkpoint/safetensors_header.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <string_view>
#include <tuple>

#include <nlohmann/json.hpp>

#include "kernels/ceil_div.hpp"

namespace recombine {

namespace {

constexpr const char* kMetadata = "__metadata__";

DamagedFile no_tensors(const std::string& name) {
  return DamagedFile(fmt::format("{}: its header is no JSON of tensors; expected a safetensors file", name));
}

/// Builds the JSON values, and checks what the JSON library does not.
class Parser {
 public:
  explicit Parser(const std::string& name) : name_(name) {}

  nlohmann::json parse(const std::string& text) {
    return nlohmann::json::parse(text, [this](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
      if (depth > kDeepest) throw no_tensors(name_);
      using Event = nlohmann::json::parse_event_t;
      if (event == Event::object_start) keys_.emplace_back();
      if (event == Event::object_end) keys_.pop_back();
      if (event == Event::key) add(depth, value.get_ref<const std::string&>());
      return true;
    });
  }

  const std::vector<std::string>& metadata_keys() const { return metadata_keys_; }  ///< in the order of the text

 private:
  static constexpr int kDeepest = 4;

  void add(int depth, const std::string& key) {
    static constexpr std::size_t kLongest = 1000;
    const bool printable =
        std::ranges::none_of(key, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)); });
    require_whole(printable && key.size() <= kLongest,
                  "{}: its header has a name with control characters or of {} bytes; expected at most {}", name_,
                  key.size(), kLongest);
    require_whole(keys_.back().insert(key).second, "{}: its header has {} twice; expected different names", name_, key);
    if (depth == 1) top_ = key;
    if (depth == 2 && top_ == kMetadata) metadata_keys_.push_back(key);
  }

  const std::string& name_;
  std::vector<std::set<std::string>> keys_;  ///< the keys so far, of each JSON object that is not closed yet
  std::string top_;
  std::vector<std::string> metadata_keys_;
};

struct Place {
  const std::string& file;
  const std::string& key;  ///< the tensor
};

std::vector<std::int64_t> whole_numbers(const Place& place, const char* list, const nlohmann::json& value) {
  static constexpr std::size_t kMost = 64;
  static constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  require_whole(value.is_array() && value.size() <= kMost,
                "{}: tensor {}: {} is not a list, or is too long; expected at most {} numbers", place.file, place.key,
                list, kMost);
  std::vector<std::int64_t> numbers;
  for (const nlohmann::json& number : value) {
    const bool fits = number.is_number_unsigned() && number.get<std::uint64_t>() <= kLargest;
    require_whole(fits, "{}: tensor {}: {} has {}; expected whole numbers >= 0, below 2^63", place.file, place.key,
                  list, number.is_number() ? number.dump() : number.type_name());
    numbers.push_back(number.get<std::int64_t>());
  }
  return numbers;
}

StoredTensor stored_tensor(const Place& place, const nlohmann::json& value, std::int64_t data_bytes) {
  const auto offsets = whole_numbers(place, "data_offsets", value.at("data_offsets"));
  StoredTensor tensor{.type = value.at("dtype").get<std::string>(),
                      .shape = whole_numbers(place, "shape", value.at("shape"))};
  const bool plain = std::ranges::all_of(tensor.type, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  require_whole(plain && tensor.type.size() <= 32,
                "{}: tensor {}: dtype is not the name of a type; expected one such as F32", place.file, place.key);
  require_whole(offsets.size() == 2, "{}: tensor {}: data_offsets has {} numbers; expected 2", place.file, place.key,
                offsets.size());
  require_whole(offsets[0] <= offsets[1] && offsets[1] <= data_bytes,
                "{}: tensor {} lies at bytes {} to {} of the data; expected at most byte {}, where the file ends: it "
                "was cut short, or is damaged",
                place.file, place.key, offsets[0], offsets[1], data_bytes);
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  return tensor;
}

/// The tensors must lie one after the other, from the first byte after the header to the last byte of the file.
void require_covered(const std::string& name, const std::map<std::string, StoredTensor>& tensors,
                     std::int64_t data_bytes) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string_view>> ranges;
  for (const auto& [key, tensor] : tensors) ranges.emplace_back(tensor.begin, tensor.end, key);
  std::ranges::sort(ranges);
  std::int64_t end = 0;
  for (const auto& [begin, after, key] : ranges) {
    require_whole(begin == end, "{}: tensor {} begins at byte {}; expected byte {}, where the one before it ends", name,
                  key, begin, end);
    end = after;
  }
  require_whole(end == data_bytes, "{}: its tensors end at byte {}; expected byte {}, where the file ends", name, end,
                data_bytes);
}

}  // namespace

std::string safetensors_header(const Metadata& metadata, const std::vector<NamedTensor>& tensors,
                               std::int64_t multiple) {
  nlohmann::ordered_json header;
  for (const MetadataEntry& entry : metadata) header[kMetadata][entry.key] = entry.value;
  for (const auto& [name, stored] : tensors) {
    header[name] = {{"dtype", stored.type}, {"shape", stored.shape}, {"data_offsets", {stored.begin, stored.end}}};
  }
  std::string text = header.dump();
  std::string length(8, '\0');
  const auto bytes = static_cast<std::int64_t>(length.size() + text.size());
  text.append(static_cast<std::size_t>(round_up(bytes, multiple) - bytes), ' ');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return length + text;
}

SafetensorsHeader parse_safetensors_header(const std::string& name, const std::string& text, std::int64_t data_bytes) {
  SafetensorsHeader header;
  try {
    Parser parser(name);
    const nlohmann::json values = parser.parse(text);
    if (!values.is_object()) throw no_tensors(name);
    for (const auto& [key, value] : values.items()) {
      if (key != kMetadata) header.tensors.emplace(key, stored_tensor({name, key}, value, data_bytes));
    }
    if (values.contains(kMetadata) && !values[kMetadata].is_object()) throw no_tensors(name);
    for (const std::string& key : parser.metadata_keys()) {
      header.metadata.push_back({key, values[kMetadata].at(key).get<std::string>()});
    }
  } catch (const nlohmann::json::exception&) {
    throw no_tensors(name);
  }
  require_covered(name, header.tensors, data_bytes);
  return header;
}

}  // namespace recombine
