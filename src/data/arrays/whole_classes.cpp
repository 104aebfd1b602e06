#include "src/data/arrays/whole_classes.hpp"

#include <charconv>

namespace recombine {

WholeClasses::WholeClasses(const std::set<std::int64_t>& numbers) {
  for (const std::int64_t number : numbers) {
    classes_[number] = static_cast<std::int32_t>(names_.size());
    names_.push_back(std::to_string(number));
  }
}

WholeClasses::WholeClasses(const std::vector<std::string>& names) : names_(names) {
  for (std::size_t c = 0; c < names.size(); ++c) {
    const char* const end = names[c].data() + names[c].size();
    std::int64_t number = 0;
    const auto [at, error] = std::from_chars(names[c].data(), end, number);
    if (error == std::errc{} && at == end) classes_.emplace(number, static_cast<std::int32_t>(c));
  }
}

std::optional<std::int32_t> WholeClasses::class_of(std::int64_t number) const {
  const auto at = classes_.find(number);
  return at == classes_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace recombine
