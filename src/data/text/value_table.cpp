#include "src/data/text/value_table.hpp"

#include <algorithm>
#include <cstring>

namespace recombine {

namespace {

/// Multiplies and folds 8 bytes at a time.
std::uint64_t hash_of(std::string_view text) {
  static constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;
  std::uint64_t hash = text.size();
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 32;
  };
  std::uint64_t word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    mix(word);
  }
  word = 0;
  for (const char c : text) word = word << 8 | static_cast<std::uint8_t>(c);
  mix(word);
  return hash;
}

}  // namespace

void ValueTable::grow() {
  static constexpr std::size_t kFirst = 16;
  slots_.assign(std::max(kFirst, 2 * slots_.size()), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

bool ValueTable::add(std::string_view text) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(text);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t i = slots_[slot] - 1;
    if (entries_[i].hash == hash && (*this)[i] == text) return false;
  }
  entries_.push_back({hash, bytes_.size(), text.size()});
  bytes_ += text;
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return true;
}

bool ValueList::add(std::string_view value) {
  if (has_more() || table_.add(value)) return false;
  repeat();
  return true;
}

void ValueList::add(const ValueList& later) {
  for (std::size_t i = 0; i <= later.table_.size() && !has_more(); ++i) {
    if (i == later.repeated_at_ && repeated_at_ == kNever) repeated_at_ = table_.size();
    if (i < later.table_.size()) add(later.table_[i]);
  }
}

}  // namespace recombine
