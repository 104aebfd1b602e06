#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include <nlohmann/json.hpp>

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

Machine parse_machine(const ordered_json& object) {
  Machine machine{.np = object.at("np")};
  const ordered_json& product = object.at("product_seconds");
  machine.product = {.per_call = product.at("per_call"),
                     .per_flop = product.at("per_flop"),
                     .per_a = product.at("per_a_element"),
                     .per_b = product.at("per_b_element"),
                     .per_result = product.at("per_result_element")};
  for (const ordered_json& line : object.at("collectives")) {
    const std::string name = line.at("collective");
    for (const Collective collective : kCollectives) {
      if (name != name_of(collective)) continue;
      auto& samples = machine.collectives[{collective, line.at("ranks").get<int>()}];
      for (const ordered_json& point : line.at("bytes_and_seconds")) samples.push_back({point.at(0), point.at(1)});
    }
  }
  return machine;
}

/// What the planner asks of a machine: every collective among every number of ranks that a mesh can have
/// along an axis.
void check_complete(const std::string& path, const Machine& machine) {
  for (const Collective collective : kCollectives) {
    for (int ranks = 2; ranks <= machine.np; ++ranks) {
      if (machine.np % ranks != 0) continue;
      const auto found = machine.collectives.find({collective, ranks});
      const bool usable = found != machine.collectives.end() && found->second.size() >= 2 &&
                          std::ranges::adjacent_find(found->second, std::ranges::greater_equal(),
                                                     &Machine::Sample::bytes) == found->second.end();
      require_input(usable, "--machine {}: has no line through {} among {} ranks; calibrate again", path,
                    name_of(collective), ranks);
    }
  }
}

}  // namespace

Machine read_machine(const std::string& path, int np, DataType type) {
  std::error_code unreadable;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, unreadable)) file.open(path);  // a pipe might have no end
  require_input(file.is_open(), "--machine {}: cannot read it; a file written by --calibrate is right", path);
  try {
    const ordered_json object = ordered_json::parse(file);
    Machine machine = parse_machine(object);
    machine.type = type;
    require_input(machine.np == np && object.at("dtype") == name_of(type),
                  "--machine {}: is of {} ranks and {}, the job has {} and {}; calibrate again", path, machine.np,
                  object.at("dtype").get<std::string>(), np, name_of(type));
    check_complete(path, machine);
    return machine;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("--machine {}: is no machine file; one written by --calibrate is right", path));
  }
}

}  // namespace recombine
