#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "distributed/session.hpp"
#include "kernels/libraries.hpp"

namespace recombine {

/// Where a result comes from: together with options, data and np, these determine the result's last bits.
struct Provenance {
  std::string version, build;
  std::vector<std::string> hosts;  ///< in the order of their first ranks
  std::string processor;           ///< and its instruction set, or the GPU; several kinds with "; " between
  std::vector<Library> libraries;
};

/// Blocks; every rank calls it. @pre no communication stream has work
Provenance provenance_of(const Session& session, const Device& device);

/// The keys that --summary and --json contain.
nlohmann::ordered_json to_json(const Provenance& provenance);

}  // namespace recombine
