#include "src/matmul/options.hpp"

#include <sstream>

#include "src/program/compared_options.hpp"
#include "src/program/device_options.hpp"

namespace recombine {

namespace {

po::options_description product_options() {
  po::options_description group("Product: C = alpha op(A) op(B) + beta C");
  group.add_options()("m", text_option("M"),
                      "rows of C; without files, each element is computed from its global index")(
      "n", text_option("N"), "columns of C")("k", text_option("K"), "the contracted dimension")(
      "a", text_option("A.npy"), "operand A from a file written by numpy.save: floats, integers or bool")(
      "b", text_option("B.npy"), "operand B")("c", text_option("C0.npy"),
                                              "the C that beta multiplies; --out may overwrite it")(
      "trans-a", po::bool_switch(), "A is given as its transpose, [k, m]")("trans-b", po::bool_switch(),
                                                                           "B is given as its transpose, [n, k]")(
      "alpha", text_option("X", "1"), "factor of op(A) op(B)")("beta", text_option("X", "0"), "factor of C")(
      "dtype", text_option("NAME", "auto"),
      "auto (f64 if a file is f8, else f32) | f32 | bf16 (summed in f32, rounded once) | f64")(
      "seed", text_option("N", "1"), "seed of the elements that are not read from files");
  return group;
}

po::options_description plan_options() {
  po::options_description group("Plan");
  group.add_options()("mesh", text_option("IxJxK", "auto"),
                      "auto, or the mesh of ranks: rows of C in I parts, columns in J, the sum in K")(
      "schedule", text_option("NAME", "auto"), "auto | gather | panels (SUMMA) | shift (Cannon, ring)")(
      "recombine", text_option("NAME", "all-reduce"),
      "sum over K by: all-reduce (each rank gets all rows) | reduce-scatter (each gets a part of the rows)")(
      "memory-limit", text_option("BYTES"),
      "per rank, such as 2GiB; if the operands do not fit, they are read panel by panel (only on CPUs)")(
      "plan", po::bool_switch(),
      "print the candidates and the reason for the choice; nothing is multiplied, verified or written, except "
      "the file of --calibrate")("machine", text_option("FILE"),
                                 "read the planner's constants from FILE instead of measuring them")(
      "calibrate", text_option("FILE"), "write the constants measured here to FILE, in JSON");
  return group;
}

po::options_description run_options() {
  po::options_description group("Run");
  add_device_options(group);
  group.add_options()("kernel", text_option("NAME", "library"),
                      "kernel of the products on a GPU: naive | tiled | tensor (bf16) | hopper (bf16, "
                      "compute capability 9.0; tensor elsewhere) | library")("repeat", text_option("N", "1"),
                                                                             "multiply N times, and report the median")(
      "verify", po::bool_switch(), "check the result by random vectors, and by plain loops if it is small")(
      "explain", po::bool_switch(),
      "print a small product step by step, with its numbers: blocks, messages, sums; without sizes and files, 4x4")(
      "out", text_option("C.npy"), "write C (f4; f8 for f64)")(
      "json", text_option("FILE"), "write the results to FILE at the end, as one JSON object")(
      "quiet", po::bool_switch(), "print nothing but errors");
  add_common_options(group);
  return group;
}

po::options_description all_options() {
  po::options_description all;
  all.add(product_options()).add(plan_options()).add(run_options());
  return all;
}

/// --explain prints how a small product is computed, and nothing else.
void refuse_with_explain(const OptionReader& reader) {
  for (const char* const name : {"alpha", "beta", "c", "seed", "memory-limit", "plan", "machine", "calibrate", "repeat",
                                 "verify", "out", "json", "quiet"}) {
    require_input(!reader.given(name), "--{}: expected no --explain with it, which only prints how C = A B is computed",
                  name);
  }
}

void read_product(const OptionReader& reader, MatmulCommand& command) {
  const auto extent = [&](const char* name, std::optional<std::int64_t>& to) {
    if (reader.has(name)) to = reader.whole(name, {0, kLargestExtent});
  };
  extent("m", command.m);
  extent("n", command.n);
  extent("k", command.k);
  command.a = reader.path("a");
  command.b = reader.path("b");
  command.c = reader.path("c");
  command.trans_a = reader.flag("trans-a") ? Transpose::yes : Transpose::no;
  command.trans_b = reader.flag("trans-b") ? Transpose::yes : Transpose::no;
  command.alpha = reader.real("alpha", 1, std::numeric_limits<double>::lowest());
  command.beta = reader.real("beta", 0, std::numeric_limits<double>::lowest());
  command.type = reader.word<std::optional<DataType>>(
      "dtype", {{"auto", std::nullopt}, {"f32", DataType::f32}, {"bf16", DataType::bf16}, {"f64", DataType::f64}});
  command.seed = static_cast<std::uint64_t>(reader.whole("seed", {.least = 0}));

  const bool files = !command.a.empty() || !command.b.empty();
  require_input(!files || (!command.a.empty() && !command.b.empty()),
                "--{}: missing; expected both --a and --b, or neither", command.a.empty() ? "a" : "b");
  require_input(!files || (!command.m && !command.n && !command.k),
                "--m, --n, --k: expected none of them with --a and --b, whose files give the sizes");
  const bool any_size = command.m || command.n || command.k;
  if (command.explain && !files && !any_size) command.m = command.n = command.k = kExampleExtent;
  require_input(files || (command.m && command.n && command.k), "--m, --n, --k: expected all three, or --a and --b");
  require_input(command.c.empty() || command.beta != 0, "--c: expected a --beta other than 0 with it");
  require_input(command.c.empty() || files, "--c: expected only with --a and --b");
  require_input(!files || command.beta == 0 || !command.c.empty(),
                "--beta: expected the C that it multiplies: --c C0.npy");
}

void read_plan(const OptionReader& reader, MatmulCommand& command) {
  command.mesh = reader.mesh("mesh");
  command.schedule = reader.word<std::optional<Schedule>>(
      "schedule",
      {{"auto", std::nullopt}, {"gather", Schedule::gather}, {"panels", Schedule::panels}, {"shift", Schedule::shift}});
  command.c_state =
      reader.word<State>("recombine", {{"all-reduce", State::replicated}, {"reduce-scatter", State::sharded}});
  if (reader.has("memory-limit")) command.memory_limit = parse_bytes("memory-limit", reader.string("memory-limit"));
  command.machine = reader.path("machine");
  command.calibrate = reader.path("calibrate");
  require_input(
      command.machine.empty() || command.calibrate.empty(),
      "--calibrate, --machine: expected one of them: --calibrate measures the constants, --machine reads them");
}

}  // namespace

MatmulCommand parse_matmul_command(int argc, const char* const* argv) {
  const po::options_description table = all_options();
  const po::variables_map values = read_options(argc, argv, table);
  const OptionReader reader(values);
  MatmulCommand command{.options = compared_options(values, table)};
  if (reader.flag("help")) command.action = MatmulCommand::Action::help;
  if (reader.flag("version")) command.action = MatmulCommand::Action::version;
  if (command.action != MatmulCommand::Action::multiply) return command;
  command.explain = reader.flag("explain");
  if (command.explain) refuse_with_explain(reader);
  read_product(reader, command);
  read_plan(reader, command);
  if (reader.flag("plan")) command.action = MatmulCommand::Action::plan;
  command.device = read_device(reader);
  command.kernel = reader.string("kernel");
  command.device.kernel = reader.word<ProductKernel>("kernel", {{"naive", ProductKernel::naive},
                                                                {"tiled", ProductKernel::tiled},
                                                                {"tensor", ProductKernel::tensor},
                                                                {"hopper", ProductKernel::hopper},
                                                                {"library", ProductKernel::library}});
  const bool bf16_only =
      command.device.kernel == ProductKernel::tensor || command.device.kernel == ProductKernel::hopper;
  require_input(!bf16_only || command.type == DataType::bf16,
                "--kernel {}: multiplies bf16 only; expected --dtype bf16 with it", command.kernel);
  command.repeat = static_cast<int>(reader.whole("repeat", {1, 1000000}));
  command.verify = reader.flag("verify");
  command.config = reader.path("config");
  command.out = reader.path("out");
  command.json = reader.path("json");
  command.quiet = reader.flag("quiet");
  return command;
}

std::string matmul_help() {
  std::ostringstream out;
  out << "matmul: multiplies matrices split into blocks over all ranks of the job.\n"
         "usage: mpirun -np 4 ./matmul --m 4096 --n 4096 --k 4096 [options]\n"
      << all_options();
  return out.str();
}

}  // namespace recombine
