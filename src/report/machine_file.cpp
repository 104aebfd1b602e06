#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include <nlohmann/json.hpp>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"
#include "src/report/matmul_report.hpp"

namespace recombine {

using nlohmann::ordered_json;

void write_machine(OutputFile& file, const Machine& machine) {
  ordered_json lines = ordered_json::array();
  for (const auto& [key, samples] : machine.collectives) {
    ordered_json points = ordered_json::array();
    for (const Machine::Sample& sample : samples) points.push_back({sample.bytes, sample.seconds});
    lines.push_back({{"collective", name_of(key.first)}, {"ranks", key.second}, {"bytes_and_seconds", points}});
  }
  const Machine::Product& product = machine.product;
  const ordered_json object{{"np", machine.np},
                            {"dtype", name_of(machine.type)},
                            {"product_seconds",
                             {{"per_call", product.per_call},
                              {"per_flop", product.per_flop},
                              {"per_a_element", product.per_a},
                              {"per_b_element", product.per_b},
                              {"per_result_element", product.per_result}}},
                            {"collectives", lines}};
  file.write(object.dump(2) + "\n");
  file.commit();
}

namespace {

/// The JSON of the file. ordered_json would be slow: for each new key it searches all keys of the object.
nlohmann::json read_json(const std::string& path) {
  static constexpr std::uintmax_t kLargest = 4 << 20;
  require_regular(fmt::format("--machine {}", path), path, "a regular file written by --calibrate");
  std::error_code unreadable;
  std::ifstream file;
  if (std::filesystem::file_size(path, unreadable) <= kLargest && !unreadable) file.open(path);
  require_input(file.is_open(), "--machine {}: cannot read it; expected a file written by --calibrate", path);
  return nlohmann::json::parse(file);
}

/// A number of ranks, 0 if it does not fit an int: a conversion would wrap it to another number.
int ranks_of(const nlohmann::json& value) {
  const auto ranks = value.get<double>();
  return ranks >= 1 && ranks <= std::numeric_limits<int>::max() ? static_cast<int>(ranks) : 0;
}

Machine parse_machine(const std::string& path, const nlohmann::json& object) {
  const auto cost = [&](const nlohmann::json& value) {
    const auto number = value.get<double>();
    require_input(number >= 0 && std::isfinite(number), "--machine {}: {} is not a cost; expected a number >= 0", path,
                  number);
    return number;
  };
  Machine machine{.np = ranks_of(object.at("np"))};
  const nlohmann::json& product = object.at("product_seconds");
  machine.product = {.per_call = cost(product.at("per_call")),
                     .per_flop = cost(product.at("per_flop")),
                     .per_a = cost(product.at("per_a_element")),
                     .per_b = cost(product.at("per_b_element")),
                     .per_result = cost(product.at("per_result_element"))};
  for (const nlohmann::json& line : object.at("collectives")) {
    const auto name = line.at("collective").get<std::string>();
    for (const Collective collective : kCollectives) {
      if (name != name_of(collective)) continue;
      auto& samples = machine.collectives[{collective, ranks_of(line.at("ranks"))}];
      for (const nlohmann::json& point : line.at("bytes_and_seconds")) {
        samples.push_back({cost(point.at(0)), cost(point.at(1))});
      }
    }
  }
  return machine;
}

/// Checks that the file has the times of each collective among each number of ranks that an axis of a mesh can have.
/// @throws InputError
void check_complete(const std::string& path, const Machine& machine) {
  for (const Collective collective : kCollectives) {
    for (int ranks = 2; ranks <= machine.np; ++ranks) {
      if (machine.np % ranks != 0) continue;
      const auto found = machine.collectives.find({collective, ranks});
      const bool usable = found != machine.collectives.end() && found->second.size() >= 2 &&
                          std::ranges::adjacent_find(found->second, std::ranges::greater_equal(),
                                                     &Machine::Sample::bytes) == found->second.end();
      require_input(usable, "--machine {}: lacks the times of {} among {} ranks; expected a new file by --calibrate",
                    path, name_of(collective), ranks);
    }
  }
}

}  // namespace

Machine read_machine(const std::string& path, int np, DataType type) {
  try {
    const nlohmann::json object = read_json(path);
    Machine machine = parse_machine(path, object);
    machine.type = type;
    require_input(machine.np == np && object.at("dtype") == name_of(type),
                  "--machine {}: was measured on {} ranks with {}; expected {} ranks with {}: --calibrate again", path,
                  machine.np, object.at("dtype").get<std::string>(), np, name_of(type));
    check_complete(path, machine);
    return machine;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("--machine {}: is not a machine file; expected a file written by --calibrate", path));
  }
}

}  // namespace recombine
