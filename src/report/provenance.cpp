#include "src/report/provenance.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "distributed/comparison.hpp"
#include "src/program/build_id.hpp"
#include "src/program/command_line.hpp"

namespace recombine {

namespace {

/// The texts without repetitions, in the order of their first occurrences.
std::vector<std::string> distinct(const std::vector<std::string>& all) {
  std::vector<std::string> once;
  for (const std::string& text : all) {
    if (std::ranges::find(once, text) == once.end()) once.push_back(text);
  }
  return once;
}

}  // namespace

Provenance provenance_of(const Session& session, const Device& device) {
  const std::vector<std::string> processors = distinct(from_every_rank(session, device.description()));
  return {.version = version(),
          .build = build_id(),
          .hosts = distinct(from_every_rank(session, session.host())),
          .processor = fmt::format("{}", fmt::join(processors, "; ")),
          .libraries = libraries()};
}

nlohmann::ordered_json to_json(const Provenance& provenance) {
  nlohmann::ordered_json versions;
  for (const auto& [name, version] : provenance.libraries) versions[name] = version;
  return {{"version", provenance.version},
          {"build", provenance.build},
          {"hosts", provenance.hosts},
          {"processor", provenance.processor},
          {"libraries", versions}};
}

}  // namespace recombine
