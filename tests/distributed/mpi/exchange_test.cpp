// Communicator::exchange on host memory: any number of pieces of any length between all pairs of ranks.
#include <algorithm>

#include "kernels/error.hpp"
#include "tests/distributed/mpi/hosts_fixture.hpp"
#include "tests/support/planned_exchange.hpp"

namespace recombine {
namespace {

using test::kRing;
using test::kSlot;
using test::PlannedPiece;
using Lengths = std::function<std::vector<std::int64_t>(int, int)>;

class ExchangeTest : public test::HostsTest {
 protected:
  /// All ranks exchange pieces by one plan. Every byte must arrive, and bytes around the pieces must not change.
  void check(Communicator& group, Stream& stream, const Lengths& lengths) const {
    std::vector<std::vector<std::byte>> sent;
    std::vector<std::vector<std::byte>> received;
    std::vector<Piece> out;
    std::vector<Piece> in;
    std::vector<PlannedPiece> expected;
    for (const PlannedPiece& piece : test::plan_exchange(group.size(), lengths)) {
      const auto bytes = static_cast<std::size_t>(piece.bytes());
      if (piece.from == group.rank()) {
        auto& data = sent.emplace_back(bytes);
        for (std::size_t i = 0; i < bytes; ++i) data[i] = piece.byte(static_cast<std::int64_t>(i));
        out.push_back({piece.to, {data.data(), piece.size, piece.type}});
      }
      if (piece.to == group.rank()) {
        auto& data = received.emplace_back(bytes + 2 * kAround, kUntouched);
        in.push_back({piece.from, {data.data() + kAround, piece.size, piece.type}});
        expected.push_back(piece);
      }
    }
    group.exchange(stream, out, in);
    stream.synchronize();
    for (std::size_t p = 0; p < expected.size(); ++p) expect(received[p], expected[p]);
  }

 private:
  static constexpr std::size_t kAround = 64;
  static constexpr std::byte kUntouched{0xA5};

  static void expect(const std::vector<std::byte>& data, const PlannedPiece& piece) {
    const auto bytes = static_cast<std::size_t>(piece.bytes());
    for (std::size_t i = 0; i < data.size(); ++i) {
      const bool inside = i >= kAround && i < kAround + bytes;
      const std::byte value = inside ? piece.byte(static_cast<std::int64_t>(i - kAround)) : kUntouched;
      ASSERT_EQ(data[i], value) << "byte " << static_cast<std::int64_t>(i) - static_cast<std::int64_t>(kAround)
                                << " of " << bytes << " from rank " << piece.from << ", piece " << piece.index;
    }
  }
};

const std::vector<std::pair<std::string, Lengths>>& plans() {
  static const std::vector<std::pair<std::string, Lengths>> all = {
      {"nothing", [](int, int) { return std::vector<std::int64_t>{}; }},
      {"only empty pieces",
       [](int, int) {
         return std::vector<std::int64_t>{0, 0};
       }},
      {"only to itself", [](int from, int to) { return std::vector<std::int64_t>{from == to ? 3 * kSlot + 1 : 0}; }},
      {"a ring",
       [](int from, int to) { return std::vector<std::int64_t>{to == from + 1 ? kSlot * (from + 1) + 3 : 0}; }},
      {"all from one", [](int from, int) { return std::vector<std::int64_t>(from == 0 ? 2 : 0, kSlot + 7); }},
      {"all to one", [](int, int to) { return std::vector<std::int64_t>(to == 0 ? 1 : 0, kRing / 3 + 5); }},
      {"many pieces",
       [](int from, int to) {
         std::vector<std::int64_t> lengths;
         for (int p = 0; p < (from + 2 * to) % 5; ++p) lengths.push_back((p * 37 + from * 3 + to) % 90);
         return lengths;
       }},
      {"pieces that end inside slots",
       [](int from, int to) {
         return std::vector<std::int64_t>{kSlot / 3 + from, 0, kSlot - 1, 1, kSlot / 2 + 5 * to};
       }},
  };
  return all;
}

TEST_P(ExchangeTest, EveryPieceArrives) {
  for (const auto& [name, lengths] : plans()) {
    SCOPED_TRACE(name);
    check(*group_, *stream_, lengths);
  }
}

TEST_P(ExchangeTest, PiecesMayBeTooLongForOneMpiCall) {
  const auto group = make_group(1000);
  for (const auto& [name, lengths] : plans()) {
    SCOPED_TRACE(name);
    check(*group, *stream_, lengths);
  }
}

TEST_P(ExchangeTest, AnInlineStreamDoesNotDeadlock) {
  const auto inline_stream = cpu::make_inline_stream();
  for (const auto& [name, lengths] : plans()) {
    SCOPED_TRACE(name);
    check(*group_, *inline_stream, lengths);
  }
}

TEST_P(ExchangeTest, QueuedExchangesKeepTheirOrder) {
  const int size = group_->size();
  const int next = (group_->rank() + 1) % size;
  const int previous = (group_->rank() + size - 1) % size;
  std::vector<float> token(100001, static_cast<float>(group_->rank()));
  std::vector<float> other(token.size());
  for (int times = 0; times < size; ++times) {
    auto& from = times % 2 == 0 ? token : other;
    auto& to = times % 2 == 0 ? other : token;
    const Piece out = {next, view(from)};
    const Piece in = {previous, view(to)};
    group_->exchange(*stream_, {&out, 1}, {&in, 1});
  }
  stream_->synchronize();
  const auto& last = size % 2 == 0 ? token : other;
  EXPECT_EQ(std::ranges::count(last, static_cast<float>(group_->rank())), static_cast<std::ptrdiff_t>(last.size()));
}

TEST_P(ExchangeTest, AMistakeThatThisRankCanSeeIsRefusedAtOnce) {
  std::vector<float> v(10);
  const auto refused = [&](std::vector<Piece> out, std::vector<Piece> in, const std::string& why) {
    try {
      group_->exchange(*stream_, out, in);
      FAIL() << "expected: " << why;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  };
  const int size = group_->size();
  const int own = group_->rank();
  refused({{size, view(v)}}, {}, fmt::format("exchange with rank {} of a group of {} ranks", size, size));
  refused({}, {{-1, view(v)}}, "exchange with rank -1");
  refused({{own, view(v)}}, {}, fmt::format("rank {} of the group sends itself 40 bytes in 1 pieces", own));
  refused({{own, view(v).range(0, 5)}}, {{own, view(v).range(5, 9)}}, "but expects 16 bytes");
  check(*group_, *stream_, plans().back().second);  // the group still works
}

INSTANTIATE_TEST_SUITE_P(Hosts, ExchangeTest, ::testing::ValuesIn(test::kHosts), test::name_of_hosts);

}  // namespace
}  // namespace recombine
