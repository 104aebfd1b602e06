// If ranks of one host make different calls, each rank gets an Error that names two ranks and their calls, and its data
// stay unchanged. Between hosts and with NCCL a difference ends the job: see wrong_call_test.py.
#include "distributed/observe/signature.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>

#include "distributed/ring.hpp"
#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kSmall = 100;
constexpr std::int64_t kLarge = 300000;  // f32 elements: several steps through slots, no step in common memory

float value(int rank, std::int64_t i) { return static_cast<float>(i % 31 + rank); }

/// The message of the Error that ends `stream`. If there is none, it ends the job: the other ranks would wait for this
/// rank in the next test.
std::string error_of(Stream& stream, const Event& event) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  try {
    while (!event->done()) {
      if (std::chrono::steady_clock::now() > end) {
        fmt::print(stderr, "{}: there is no error, and the call does not end\n", Session::place());
        Session::abort(kExitFailure);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    stream.synchronize();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

enum class Memory { own, common };

class SignatureTest : public ::testing::TestWithParam<Memory> {
 protected:
  void SetUp() override {
    if (group_->size() == 1) GTEST_SKIP() << "needs two ranks";
  }

  using Call = std::function<void(Communicator&, Stream&, VectorView)>;

  bool is_wrong() const { return group_->rank() == wrong_; }

  /// All ranks call `right`, except rank wrong_, which calls `wrong`. Its error must contain the texts `named`.
  void expect_refusal(const Call& right, const Call& wrong, const std::vector<std::string>& named) {
    for (wrong_ = 0; wrong_ < group_->size(); wrong_ += std::max(1, group_->size() - 1)) {
      group_ = make_world(test::session());
      Buffer buffer = GetParam() == Memory::common
                          ? group_->allocate(*device_, DataType::f32, kLarge + kSmall, MemoryUse::buffers)
                          : Buffer(*device_, DataType::f32, kLarge + kSmall);
      float* const data = buffer.view().as<float>();
      for (std::int64_t i = 0; i < buffer.view().size; ++i) data[i] = value(group_->rank(), i);
      std::int64_t before = 1;
      group_->all_reduce(*stream_, vector_view(&before, 1), Reduction::sum);
      stream_->synchronize();
      std::string error;
      try {
        (is_wrong() ? wrong : right)(*group_, *stream_, buffer.view());
        error = error_of(*stream_, stream_->record());
      } catch (const Error& at_once) {
        error = at_once.what();
      }
      EXPECT_TRUE(contains(error, fmt::format("rank {} calls ", wrong_))) << error;
      EXPECT_TRUE(contains(error, "but rank")) << error;
      if (is_wrong()) {
        for (const std::string& name : named) EXPECT_TRUE(contains(error, name)) << error << "; expected " << name;
      }
      MPI_Barrier(MPI_COMM_WORLD);  // from here on no rank changes this rank's data
      std::int64_t changed = 0;
      for (std::int64_t i = 0; i < buffer.view().size; ++i) changed += data[i] == value(group_->rank(), i) ? 0 : 1;
      EXPECT_EQ(changed, 0) << "changed elements on this rank; rank " << wrong_ << " makes the wrong call";
      EXPECT_THROW(
          {
            group_->all_reduce(*stream_, vector_view(&before, 1), Reduction::sum);
            stream_->synchronize();
          },
          Error)
          << "a call after the failure succeeded";
    }
    group_ = make_world(test::session());
  }
  std::vector<std::int64_t> counts(std::int64_t each) const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(group_->size()), each);
  }
  static Call all_reduce(std::int64_t count, Reduction reduction = Reduction::sum) {
    return [=](Communicator& group, Stream& stream, VectorView data) {
      group.all_reduce(stream, data.range(0, count), reduction);
    };
  }
  static Call broadcast(std::int64_t count, int root) {
    return [=](Communicator& group, Stream& stream, VectorView data) {
      group.broadcast(stream, data.range(0, count), root);
    };
  }
  static VectorView as_i32(VectorView data) { return {data.data, data.size, DataType::i32}; }

  std::unique_ptr<Device> device_ = make_device({.progress = test::session().progress()});
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
  std::unique_ptr<Communicator> group_ = make_world(test::session());
  int wrong_ = 0;
};

TEST_P(SignatureTest, WrongCount) {
  expect_refusal(all_reduce(kSmall), all_reduce(kSmall + 1), {"of 101 f32", "of 100 f32"});
  expect_refusal(all_reduce(kLarge), all_reduce(kLarge - 1), {"of 299999 f32", "of 300000 f32"});
  expect_refusal(all_reduce(kLarge), all_reduce(kSmall), {"of 100 f32", "of 300000 f32"});
  expect_refusal(all_reduce(kLarge), all_reduce(0), {"of 0 f32", "of 300000 f32"});
}

TEST_P(SignatureTest, WrongType) {
  const Call wrong = [](Communicator& group, Stream& stream, VectorView data) {
    group.all_reduce(stream, as_i32(data).range(0, kLarge), Reduction::sum);
  };
  expect_refusal(all_reduce(kLarge), wrong, {"of 300000 i32", "of 300000 f32"});
}

TEST_P(SignatureTest, WrongReduction) {
  expect_refusal(all_reduce(kSmall), all_reduce(kSmall, Reduction::max), {"100 f32 (max)", "100 f32 (sum)"});
}

TEST_P(SignatureTest, WrongOperation) {
  const auto pieces = counts(kSmall);
  const std::int64_t size = kSmall * group_->size();
  const Call gather = [=](Communicator& group, Stream& stream, VectorView data) {
    group.all_gather(stream, data.range(0, size), pieces);
  };
  const Call scatter = [=](Communicator& group, Stream& stream, VectorView data) {
    group.reduce_scatter(stream, data.range(0, size), pieces, Reduction::sum);
  };
  expect_refusal(all_reduce(size), gather, {"all_gather", "all_reduce"});
  expect_refusal(scatter, all_reduce(size), {"all_reduce", "reduce_scatter"});
  expect_refusal(gather, scatter, {"reduce_scatter", "all_gather"});
  expect_refusal(all_reduce(kSmall), broadcast(kSmall, 0), {"broadcast", "all_reduce"});
  expect_refusal(all_reduce(kLarge), broadcast(kLarge, 1), {"broadcast", "all_reduce"});
  expect_refusal(broadcast(kLarge, 0), all_reduce(kLarge), {"all_reduce", "broadcast"});
}

TEST_P(SignatureTest, WrongOrder) {
  const Call one_then_other = [](Communicator& group, Stream& stream, VectorView data) {
    group.all_reduce(stream, data.range(0, kLarge), Reduction::sum);
    group.broadcast(stream, data.range(0, kSmall), 0);
  };
  const Call other_then_one = [](Communicator& group, Stream& stream, VectorView data) {
    group.broadcast(stream, data.range(0, kSmall), 0);
    group.all_reduce(stream, data.range(0, kLarge), Reduction::sum);
  };
  expect_refusal(one_then_other, other_then_one, {"broadcast of 100 f32", "all_reduce of 300000 f32 (sum)"});
}

TEST_P(SignatureTest, WrongRoot) {
  expect_refusal(broadcast(kSmall, 0), broadcast(kSmall, 1), {"from rank 1 of the group", "from rank 0 of the group"});
  expect_refusal(broadcast(kLarge, 1), broadcast(kLarge, 0), {"from rank 0 of the group", "from rank 1 of the group"});
}

TEST_P(SignatureTest, WrongPieces) {
  for (const std::int64_t each : {kSmall, kLarge / 6}) {
    const Call right = [&](Communicator& group, Stream& stream, VectorView data) {
      group.all_gather(stream, data.range(0, each * group.size()), counts(each));
    };
    const Call wrong = [&](Communicator& group, Stream& stream, VectorView data) {
      auto other = counts(each);
      other.front() += 1;
      other.back() -= 1;
      group.all_gather(stream, data.range(0, each * group.size()), other);
    };
    expect_refusal(right, wrong, {"all_gather"});
  }
}

TEST_P(SignatureTest, WrongPiecesOfAnExchange) {
  // Sends pieces of lengths `out` to the next rank, receives pieces of lengths `in` from the previous one.
  using Lengths = std::vector<std::int64_t>;
  const auto ring = [](const Lengths& out, const Lengths& in, DataType type = DataType::f32, int distance = 1) -> Call {
    return [=](Communicator& group, Stream& stream, VectorView data) {
      std::vector<Piece> to;
      std::vector<Piece> from;
      for (const std::int64_t n : out) {
        to.push_back({ring_rank(group.rank(), distance, group.size()), {data.data, n, type}});
      }
      for (const std::int64_t n : in) {
        from.push_back(
            {ring_rank(group.rank(), -distance, group.size()), {data.range(kLarge - n, kLarge).data, n, type}});
      }
      group.exchange(stream, to, from);
    };
  };
  const Call small = ring({kSmall}, {kSmall});
  const Call large = ring({kLarge / 2}, {kLarge / 2});
  expect_refusal(small, ring({kSmall + 1}, {kSmall}), {"sends 404 bytes in 1 pieces", "expects 400 bytes in 1 pieces"});
  expect_refusal(small, ring({kSmall}, {kSmall - 1}), {"sends 400 bytes in 1 pieces", "expects 396 bytes in 1 pieces"});
  expect_refusal(small, ring({}, {kSmall}), {"sends 0 bytes in 0 pieces", "expects 400 bytes in 1 pieces"});
  expect_refusal(small, ring({kSmall - 1, 1}, {kSmall}), {"sends 400 bytes in 2 pieces", "400 bytes in 1 pieces"});
  expect_refusal(small, ring({kSmall}, {kSmall}, DataType::i32), {"hash of their lengths and types"});
  expect_refusal(large, ring({kLarge / 2 - 1}, {kLarge / 2}), {"sends 599996 bytes", "expects 600000 bytes"});
  expect_refusal(ring({10, 20}, {10, 20}), ring({20, 10}, {10, 20}), {"sends 120 bytes in 2 pieces"});
  expect_refusal(small, all_reduce(kSmall), {"all_reduce", "exchange of 100 elements sent and 100 received"});
  expect_refusal(all_reduce(kLarge), large, {"exchange of 150000 elements sent", "all_reduce"});
  if (group_->size() > 2) expect_refusal(small, ring({kSmall}, {kSmall}, DataType::f32, 2), {"sends", "expects"});
}

TEST_P(SignatureTest, OneCallTooFew) {
  if (group_->rank() > 0) {
    float x = 1;
    group_->all_reduce(*stream_, vector_view(&x, 1), Reduction::sum);
    const std::string error = error_of(*stream_, stream_->record());
    EXPECT_TRUE(contains(error, "rank 0 calls no more collectives, but rank ")) << error;
    EXPECT_EQ(x, 1);
  }
  group_.reset();
}

TEST_P(SignatureTest, SplitAndAllocateAreCallsToo) {
  const Call allocate = [&](Communicator& group, Stream&, VectorView) {
    static_cast<void>(group.allocate(*device_, DataType::f32, kSmall, MemoryUse::buffers));
  };
  const Call split = [](Communicator& group, Stream&, VectorView) { group.split(0, 0); };
  const Call more = [&](Communicator& group, Stream&, VectorView) {
    static_cast<void>(group.allocate(*device_, DataType::f32, kSmall + 1, MemoryUse::buffers));
  };
  expect_refusal(all_reduce(kSmall), split, {"split", "all_reduce"});
  expect_refusal(split, all_reduce(kSmall), {"all_reduce", "split"});
  expect_refusal(allocate, more, {"allocate of 101 f32", "allocate of 100 f32"});
}

INSTANTIATE_TEST_SUITE_P(Memory, SignatureTest, ::testing::Values(Memory::own, Memory::common),
                         [](const auto& param) { return param.param == Memory::own ? "Own" : "Common"; });

TEST(Signature, EveryPartChangesTheSignature) {
  const Signature base{
      .sequence = 3, .count = 5, .pieces = 1, .argument = 1, .operation = Operation::all_gather, .type = DataType::f32};
  std::vector<Signature> others(7, base);
  others[0].sequence = 4;
  others[1].count = 6;
  others[2].pieces = 2;
  others[3].argument = 2;
  others[4].operation = Operation::broadcast;
  others[5].type = DataType::f64;
  others[6].reduction = Reduction::max;
  for (const Signature& other : others) {
    EXPECT_FALSE(same_call(base, other)) << other.to_string();
    EXPECT_NE(base.hash(), other.hash()) << other.to_string();
  }
  EXPECT_TRUE(same_call(base, Signature(base)));
}

}  // namespace
}  // namespace recombine
