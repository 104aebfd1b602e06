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
  std::vector<std::string> hosts;  ///< each once, in rank order
  std::string processor;           ///< with its instruction set, or the GPU; different ones are separated by "; "
  std::vector<Library> libraries;
};

/// Blocks; every rank calls it. @pre no communication stream has work
Provenance provenance_of(const Session& session, const Device& device);

/// The keys of `provenance` in --summary and --json.
nlohmann::ordered_json to_json(const Provenance& provenance);

}  // namespace recombine
