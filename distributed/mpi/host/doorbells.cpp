#include "distributed/mpi/host/doorbells.hpp"

#include <algorithm>
#include <memory>
#include <new>

#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

/// The key of the MPI_COMM_WORLD attribute that points to this process's HostDoorbells.
int key() {
  static const int made = [] {
    int key = MPI_KEYVAL_INVALID;
    check(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &key, nullptr),
          "MPI_Comm_create_keyval");
    return key;
  }();
  return made;
}

}  // namespace

Doorbells::Doorbells(std::size_t rank, std::vector<cpu::Doorbell*> all) : own_(all[rank]), others_(std::move(all)) {
  std::erase(others_, own_);
}

HostDoorbells::HostDoorbells(MPI_Comm host_ranks) {
  int rank = 0;
  int size = 1;
  check(MPI_Comm_rank(host_ranks, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(host_ranks, &size), "MPI_Comm_size");
  if (size == 1) return;
  window_.emplace(host_ranks, 2 * sizeof(cpu::Doorbell));
  int placed = place(rank, size) ? 1 : 0;
  // Also a barrier: no rank rings a doorbell before its owner has constructed it.
  check(MPI_Allreduce(MPI_IN_PLACE, &placed, 1, MPI_INT, MPI_MIN, host_ranks), "MPI_Allreduce");
  if (placed == 0) return;
  ranks_ = ranks_in_job(host_ranks);
  check(MPI_Comm_set_attr(MPI_COMM_WORLD, key(), this), "MPI_Comm_set_attr");
}

HostDoorbells::~HostDoorbells() {
  if (!ranks_.empty()) MPI_Comm_delete_attr(MPI_COMM_WORLD, key());
}

/// Finds all doorbells and constructs this rank's own. Returns false if this rank could not map the others' memory.
bool HostDoorbells::place(int rank, int size) {
  try {
    for (int r = 0; r < size; ++r) {
      const std::span<std::byte> piece = window_->of(r);
      void* base = piece.data();
      std::size_t space = piece.size();
      doorbells_.push_back(
          static_cast<cpu::Doorbell*>(std::align(alignof(cpu::Doorbell), sizeof(cpu::Doorbell), base, space)));
    }
  } catch (const Error&) {
    return false;
  }
  new (doorbells_[static_cast<std::size_t>(rank)]) cpu::Doorbell;
  return true;
}

Doorbells HostDoorbells::of(std::size_t rank, std::span<const int> ranks_in_job) {
  HostDoorbells* here = nullptr;
  int found = 0;
  check(MPI_Comm_get_attr(MPI_COMM_WORLD, key(), static_cast<void*>(&here), &found), "MPI_Comm_get_attr");
  if (found == 0) return {};
  std::vector<cpu::Doorbell*> doorbells;
  for (const int member : ranks_in_job) {
    const auto at = std::ranges::find(here->ranks_, member);
    require(at != here->ranks_.end(), "rank {} is not on this host", member);
    doorbells.push_back(here->doorbells_[static_cast<std::size_t>(at - here->ranks_.begin())]);
  }
  return {rank, std::move(doorbells)};
}

}  // namespace recombine::mpi
