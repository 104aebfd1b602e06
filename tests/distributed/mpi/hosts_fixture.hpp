#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>

#include "distributed/mpi/host/channel.hpp"
#include "distributed/mpi/mpi_communicator.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine::test {

inline constexpr std::int64_t kSlot = mpi::Channel::kSlotBytes / 4;  ///< elements of f32
inline constexpr std::int64_t kRing = kSlot * static_cast<std::int64_t>(mpi::Channel::kSlots);

/// Which simulated host each rank is on.
struct Hosts {
  std::string name;
  std::function<int(int)> host_of;
};
inline const std::vector<Hosts> kHosts = {
    {"One", [](int) { return 0; }},
    {"OfTwo", [](int rank) { return rank / 2; }},
    {"OfThree", [](int rank) { return rank / 3; }},
    {"Interleaved", [](int rank) { return rank % 2; }},
    {"OneAndTheRest", [](int rank) { return rank == 0 ? 0 : 1; }},
    {"OneEach", [](int rank) { return rank; }},
};

/// All ranks as one group, on simulated hosts.
class HostsTest : public ::testing::TestWithParam<Hosts> {
 protected:
  static std::unique_ptr<Communicator> make_group(std::int64_t largest_piece = mpi::MpiCommunicator::kLargestPiece) {
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    return std::make_unique<mpi::MpiCommunicator>(
        comm,
        mpi::MpiCommunicator::Options{.largest_piece = largest_piece, .host = GetParam().host_of(session().rank())});
  }
  template <class T>
  static VectorView view(std::vector<T>& v) {
    return vector_view(v.data(), static_cast<std::int64_t>(v.size()));
  }

  std::unique_ptr<Device> device_ = make_device({.progress = session().progress()});
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
  std::unique_ptr<Communicator> group_ = make_group();
};

inline std::string name_of_hosts(const ::testing::TestParamInfo<Hosts>& info) { return info.param.name; }

}  // namespace recombine::test
