#include "distributed/mpi/mpi_calls.hpp"

#include <array>
#include <numeric>

#include "distributed/session.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

void check(int code, const char* call, std::source_location place) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(fmt::format("{}: {}: {} ({}:{})", Session::place(), call, text.data(), place.file_name(), place.line()));
}

MPI_Datatype type_of(DataType type) {
  switch (type) {
    case DataType::f32: return MPI_FLOAT;
    case DataType::f64: return MPI_DOUBLE;
    case DataType::i64: return MPI_INT64_T;
    case DataType::i32: return MPI_INT32_T;
    case DataType::u8: return MPI_UINT8_T;
    case DataType::bf16: break;
  }
  throw Error(fmt::format("MPI cannot add {}", name_of(type)));
}

MPI_Datatype moved_type_of(DataType type) { return type == DataType::bf16 ? MPI_UINT16_T : type_of(type); }

MPI_Op op_of(Reduction reduction) { return reduction == Reduction::sum ? MPI_SUM : MPI_MAX; }

std::vector<int> ranks_in_job(MPI_Comm comm) {
  int size = 0;
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  std::vector<int> members(static_cast<std::size_t>(size));
  std::iota(members.begin(), members.end(), 0);
  std::vector<int> ranks(members.size());
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group world = MPI_GROUP_NULL;
  check(MPI_Comm_group(comm, &group), "MPI_Comm_group");
  check(MPI_Comm_group(MPI_COMM_WORLD, &world), "MPI_Comm_group");
  check(MPI_Group_translate_ranks(group, size, members.data(), world, ranks.data()), "MPI_Group_translate_ranks");
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  return ranks;
}

namespace {

class RequestTask final : public cpu::Task {
 public:
  explicit RequestTask(std::function<void(std::vector<MPI_Request>&)> post) : post_(std::move(post)) {}

  State advance() override {
    if (post_) {
      post_(requests_);
      post_ = nullptr;
    }
    int done = 0;
    check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall");
    return finished_or_waiting(done != 0);
  }

 private:
  std::function<void(std::vector<MPI_Request>&)> post_;
  std::vector<MPI_Request> requests_;
};

}  // namespace

std::unique_ptr<cpu::Task> request_task(std::function<void(std::vector<MPI_Request>&)> post) {
  return std::make_unique<RequestTask>(std::move(post));
}

}  // namespace recombine::mpi
