#include "distributed/observe/journal.hpp"

#include <algorithm>
#include <string_view>

#include "distributed/session.hpp"

namespace recombine {

void Journal::set_step(std::int64_t step) {
  const std::lock_guard lock(mutex_);
  step_ = step;
}

std::int64_t Journal::enqueue(JournalEntry entry) {
  entry.enqueued = Session::now();
  const std::lock_guard lock(mutex_);
  if (entry.what.step < 0) entry.what.step = step_;
  const std::string_view name = *entry.what.name == '\0' ? entry.operation : entry.what.name;
  auto found = totals_.find(name);
  if (found == totals_.end()) found = totals_.emplace(name, CollectiveTotals{}).first;
  ++found->second.calls;
  found->second.bytes += entry.bytes;
  found->second.bytes_sent += entry.bytes_sent;
  entry.id = next_++;
  kept_[static_cast<std::size_t>(entry.id) % kLatest] = {.entry = entry, .totals = &found->second};
  return entry.id;
}

Journal::Kept* Journal::find(std::int64_t id) {
  Kept& kept = kept_[static_cast<std::size_t>(id) % kLatest];
  return kept.entry.id == id ? &kept : nullptr;  // after kLatest later collectives, its times are lost
}

void Journal::begin(std::int64_t id) {
  const double now = Session::now();
  const std::lock_guard lock(mutex_);
  if (Kept* const kept = find(id)) kept->entry.begun = now;
}

void Journal::end(std::int64_t id) {
  const double now = Session::now();
  const std::lock_guard lock(mutex_);
  Kept* const kept = find(id);
  if (!kept) return;
  kept->entry.done = now;
  ++kept->totals->timed_calls;
  kept->totals->seconds += now - kept->entry.begun;
}

void Journal::repeat(const std::map<std::string, CollectiveTotals>& collectives) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, more] : collectives) {
    CollectiveTotals& totals = totals_[name];
    totals.calls += more.calls;
    totals.bytes += more.bytes;
    totals.bytes_sent += more.bytes_sent;
  }
}

std::vector<JournalEntry> Journal::latest() const {
  const std::lock_guard lock(mutex_);
  std::vector<JournalEntry> entries;
  for (std::int64_t id = std::max<std::int64_t>(0, next_ - static_cast<std::int64_t>(kLatest)); id < next_; ++id) {
    entries.push_back(kept_[static_cast<std::size_t>(id) % kLatest].entry);
  }
  return entries;
}

std::map<std::string, CollectiveTotals> Journal::totals() const {
  const std::lock_guard lock(mutex_);
  return {totals_.begin(), totals_.end()};
}

}  // namespace recombine
