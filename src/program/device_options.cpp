#include "src/program/device_options.hpp"

namespace recombine {

void add_device_options(po::options_description& group) {
  group.add_options()("device", text_option("NAME", "auto"), "auto (a GPU if every rank has one) | cpu | cuda")(
      "collectives", text_option("NAME", "auto"),
      "between GPUs: auto | nccl (one rank a GPU) | staged (through the host, by MPI)")(
      "threads", text_option("N"), "CPU threads per rank; default OMP_NUM_THREADS, else the host's cores / its ranks")(
      "bind", text_option("NAME", "auto"),
      "pin threads to cores: auto (if a rank has cores of its own, or the host for itself) | cores | none");
}

DeviceCommand read_device(const OptionReader& reader) {
  using Kind = DeviceCommand::Kind;
  using Route = DeviceCommand::Route;
  DeviceCommand command;
  command.kind = reader.word<Kind>("device", {{"auto", Kind::automatic}, {"cpu", Kind::cpu}, {"cuda", Kind::cuda}});
  command.collectives =
      reader.word<Route>("collectives", {{"auto", Route::automatic}, {"nccl", Route::nccl}, {"staged", Route::staged}});
  command.bind = reader.word<Bind>("bind", {{"auto", Bind::automatic}, {"cores", Bind::cores}, {"none", Bind::none}});
  if (reader.has("threads")) command.threads = static_cast<int>(reader.whole("threads", {1, kMostThreads}));
  return command;
}

}  // namespace recombine
