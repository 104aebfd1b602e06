#include "distributed/comparison.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

#include <fmt/ranges.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::size_t kLongest = 160;  // characters of a value in a message

/// The value; of a long value only the part around its first difference from `other`.
std::string shown(const std::string& value, const std::string& other) {
  if (value.size() <= kLongest) return value;
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(value, other).in1 - value.begin());
  const std::size_t begin = at < kLongest / 2 ? 0 : at - kLongest / 2;
  return (begin > 0 ? "..." : "") + value.substr(begin, kLongest) + (begin + kLongest < value.size() ? "..." : "");
}

const std::string& value_of(const Facts& facts, const std::string& name) {
  static const std::string kNone = "none";
  const auto found = std::ranges::find(facts, name, &Fact::name);
  return found == facts.end() ? kNone : found->value;
}

/// Compares every rank with rank 0, fact by fact.
std::optional<std::string> find_difference(const std::vector<Statement>& statements, Facts Statement::*part) {
  const Statement& first = statements.front();
  Facts names = first.*part;
  for (const Statement& statement : statements) {  // a fact that rank 0 lacks is a difference too
    if ((statement.*part).size() > names.size()) names = statement.*part;
  }
  for (const Fact& fact : names) {
    const std::string& expected = value_of(first.*part, fact.name);
    const auto differs = [&](const Statement& other) { return value_of(other.*part, fact.name) != expected; };
    const auto found = std::ranges::find_if(statements, differs);
    if (found == statements.end()) continue;
    const std::string& value = value_of((*found).*part, fact.name);
    const auto all = std::ranges::count_if(statements, differs);
    return fmt::format("{}: {}{} has {}, {} has {}: expected the same on every rank", fact.name, found->where,
                       all == 1 ? "" : fmt::format(" (of {} that differ)", all), shown(value, expected), first.where,
                       shown(expected, value));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_difference(const std::vector<Statement>& statements) {
  if (auto difference = find_difference(statements, &Statement::self)) return difference;
  const auto failed = std::ranges::find_if(statements, std::not_fn(&std::string::empty), &Statement::failure);
  if (failed == statements.end()) return find_difference(statements, &Statement::facts);
  const bool everywhere = std::ranges::all_of(
      statements, [&](const std::string& failure) { return failure == failed->failure; }, &Statement::failure);
  if (everywhere) return std::nullopt;
  return fmt::format("{}: {}", failed->where, failed->failure);
}

void require_same(const Session& session, const Facts& facts) {
  require_same_start(session, {.where = Session::place(), .facts = facts});
}

std::vector<std::string> share_lines(const Session& session, const std::vector<std::string>& lines) {
  std::istringstream shared(from_every_rank(session, fmt::format("{}", fmt::join(lines, "\n"))).front());
  std::vector<std::string> all;
  for (std::string line; std::getline(shared, line);) all.push_back(line);
  return all;
}

}  // namespace recombine
