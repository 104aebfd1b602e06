// Input: a machine file (the planner's constants, in JSON). If it is accepted, the planner must find a plan with it.

#include "src/report/matmul_report.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace recombine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFile file;
  file.write(fuzz::text_of(data, size));
  for (const int np : {1, 2}) {
    Machine machine;
    if (!fuzz::accepts([&] { machine = read_machine(file.path(), np, DataType::f32); })) continue;
    const std::vector<Plan> plans = plan_matmul(machine, {64, 48, 32, DataType::f32}, {});
    fuzz::insist(!plans.empty() && plans.front().seconds() >= 0, "no plan, or a plan with a negative time");
  }
  return 0;
}
