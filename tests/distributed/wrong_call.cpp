// wrong_call ROUTE FAULT FOLDER: the last rank makes a wrong call, as a faulty program would. Then all ranks continue
// like `train`: all_reduce the loss, then write a file in FOLDER. The job must end before a loss or a file appears.
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <mpi.h>

#include "distributed/mpi/mpi_communicator.hpp"
#include "distributed/ring.hpp"
#include "kernels/error.hpp"
#include "src/program/program.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kSize = 100000;

std::unique_ptr<Communicator> make_group(const Session& session, Communicator& world, Device& device,
                                         const std::string& route) {
  const std::map<std::string, int> hosts = {
      {"one_host", 0}, {"plain", session.rank()}, {"hierarchical", session.rank() / 2}};
  if (const auto host = hosts.find(route); host != hosts.end()) {
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    return std::make_unique<mpi::MpiCommunicator>(comm, mpi::MpiCommunicator::Options{.host = host->second});
  }
  require(route == "staged" || route == "nccl", "route {}", route);
  return make_communicator(world, device, route == "nccl" ? Collectives::nccl : Collectives::mpi, 0, world.rank());
}

void call(Communicator& group, Stream& stream, VectorView data, const std::string& fault) {
  const auto sum = [&](VectorView part) { group.all_reduce(stream, part, Reduction::sum); };
  const auto spread = [&](VectorView part) { group.broadcast(stream, part, 0); };
  const VectorView large = data.range(0, kSize);
  const VectorView small = data.range(0, 10);
  if (fault == "none") {
    sum(large);
    spread(small);
  } else if (fault == "count") {
    sum(data.range(0, kSize - 1));
  } else if (fault == "type") {
    sum({large.data, large.size, DataType::i32});
  } else if (fault == "operation") {
    spread(large);
  } else if (fault == "exchange") {
    shift(group, stream, data.range(0, 10), data.range(10, 20), 1);
  } else if (fault == "order") {
    spread(small);
    sum(large);
  } else {
    throw Error("fault " + fault);
  }
}

int work(Session& session, int, char** argv) {
  const std::string route = argv[1];
  const std::string fault = session.rank() == session.size() - 1 ? argv[2] : "none";
  const bool on_gpu = route == "staged" || route == "nccl";
  const auto device = make_device({.kind = on_gpu ? DeviceKind::cuda : DeviceKind::cpu,
                                   .progress = session.progress(),
                                   .local_rank = session.local_rank()});
  const auto world = make_world(session);
  const auto group = make_group(session, *world, *device, route);
  const auto compute = device->make_stream(StreamUse::compute);
  const auto communication = device->make_stream(StreamUse::communication);
  const Buffer data(*device, DataType::f32, kSize);
  const std::vector<float> ones(static_cast<std::size_t>(kSize), 1.0F);
  const auto upload = [&] {
    device->copy(*compute, data.view(), vector_view(ones.data(), kSize));
    communication->wait(compute->record());
  };
  upload();
  call(*group, *communication, data.view(), "none");
  communication->synchronize();
  MPI_Barrier(MPI_COMM_WORLD);
  fmt::print("calling {:.3f}\n", Session::now());
  std::fflush(stdout);

  if (fault == "end") return kExitSuccess;
  upload();
  call(*group, *communication, data.view(), fault);
  group->all_reduce(*communication, data.view().range(0, 1), Reduction::sum);  // the loss
  compute->wait(communication->record());
  float loss = 0;
  device->copy(*compute, vector_view(&loss, 1), data.view().range(0, 1));
  compute->synchronize();
  fmt::print("loss {}\n", loss);
  std::fflush(stdout);
  std::ofstream(fmt::format("{}/saved.{}", argv[3], session.rank())) << loss;
  return kExitSuccess;
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  return recombine::run_program({.name = "wrong_call", .before_start = {}, .work = recombine::work}, argc, argv);
}
