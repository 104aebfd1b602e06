#include <cstring>

#include "distributed/mesh.hpp"
#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host/steps.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

/// The bytes of some pieces, one after the other, in order.
template <class Byte>
class ByteSequence {
 public:
  void add(const BasicVectorView<Byte>& piece) {
    pieces_.push_back({piece.data, piece.bytes(), DataType::u8});
    size_ += piece.bytes();
  }
  std::int64_t size() const { return size_; }

  /// Calls visit(part) for the parts of pieces that make up the next `bytes` bytes, or all bytes that are left.
  template <class Visit>
  void next(std::int64_t bytes, const Visit& visit) {
    while (bytes > 0 && piece_ < pieces_.size()) {
      const BasicVectorView<Byte>& piece = pieces_[piece_];
      const auto part = piece.range(begin_, std::min(piece.size, begin_ + bytes));
      visit(part);
      bytes -= part.size;
      begin_ += part.size;
      if (begin_ < piece.size) return;
      ++piece_;
      begin_ = 0;
    }
  }

 private:
  std::vector<BasicVectorView<Byte>> pieces_;
  std::int64_t size_ = 0;
  std::size_t piece_ = 0;  ///< the next byte is byte begin_ of this piece
  std::int64_t begin_ = 0;
};

/// A rank sends its bytes for the other ranks through its slots, first those for the next rank. So if all pairs
/// exchange the same number of bytes, no two ranks read the same slot in a step. Three ranks; ab: chunks that rank 0
/// sends to rank 1, and so on.
///
///     rank 0   fills [ab]   takes ca from slot 2   ...   fills [ac]   takes ba from slot 1
///     rank 1   fills [bc]   takes ab from slot 0   ...   fills [ba]   takes cb from slot 2
///     rank 2   fills [ca]   takes bc from slot 1   ...   fills [cb]   takes ac from slot 0
///
/// A rank does not know in advance what the other ranks exchange. So in the first step, each slot begins with the table
/// of traffic of its rank. All ranks compare all pairs before any rank changes data, and compute the number of steps.
class Exchange final : public StepsTask {
 public:
  Exchange(Channel& channel, const ExchangePieces& pieces, const Call& call)
      : StepsTask(channel, 1, call),
        table_(pieces.traffic),
        chunk_(Channel::kSlotBytes - header_bytes(ranks())),
        in_(channel.size()),
        first_(channel.size()) {
    require(chunk_ >= Channel::kSlotBytes / 2, "exchange among {} ranks of one host: expected at most {}", ranks(),
            Channel::kSlotBytes / 2 / static_cast<std::int64_t>(sizeof(PeerTraffic)));
    for (int i = 1; i < ranks(); ++i) {
      const int to = (rank() + i) % ranks();
      for (const Piece& piece : pieces.out) {
        if (piece.peer == to) out_.add(piece.data);
      }
    }
    for (const Piece& piece : pieces.in) in_[static_cast<std::size_t>(piece.peer)].add(piece.data);
    for (const ExchangePieces::Copy& copy : pieces.own) {
      own_from_.add(copy.from);
      own_to_.add(copy.to);
    }
    set_steps(steps_of(std::max(out_.size(), own_to_.size())));
  }

 private:
  static std::int64_t header_bytes(int ranks) {
    return round_up(static_cast<std::int64_t>(sizeof(PeerTraffic)) * ranks, std::int64_t{64});
  }
  int ranks() const { return static_cast<int>(channel().size()); }
  int rank() const { return static_cast<int>(channel().rank()); }
  /// The number of steps. At least one, for the table.
  std::int64_t steps_of(std::int64_t bytes) const { return std::max<std::int64_t>(1, ceil_div(bytes, chunk_)); }

  bool can_take() override {
    if (taken() == 0) return channel().all_arrived();
    for (std::size_t r = 0; r < in_.size(); ++r) {
      if (expected(r, taken()).size() > 0 && !channel().arrived(r)) return false;
    }
    return true;
  }

  void fill_step(std::int64_t step) override {
    std::byte* slot = channel().slot_to_fill();
    if (step == 0) std::memcpy(slot, table_.data(), table_.size() * sizeof(PeerTraffic));
    slot += header_bytes(ranks());
    out_.next(chunk_, [&](const VectorView& part) {
      write(slot, part);
      slot += part.size;
    });
  }

  void take_step(std::int64_t step) override {
    if (step == 0) read_tables();
    for (int i = 1; i < ranks(); ++i) {
      const auto from = static_cast<std::size_t>((rank() - i + ranks()) % ranks());
      const Range range = expected(from, step);
      const std::byte* at = channel().arrived_slot(from) + header_bytes(ranks()) + range.begin;
      in_[from].next(range.size(), [&](const VectorView& part) {
        take_from_slot(part.data, ConstVectorView{at, part.size, part.type});
        at += part.size;
      });
    }
    own_to_.next(chunk_, [&](const VectorView& to) {
      own_from_.next(to.size, [&](const ConstVectorView& from) {  // one part: the pieces have the same lengths
        std::memcpy(to.data, from.data, static_cast<std::size_t>(from.size));
      });
    });
  }

  /// The range of this rank's bytes in the slot of rank `from` in `step`, in bytes after the header.
  Range expected(std::size_t from, std::int64_t step) const {
    const std::int64_t begin = first_[from] - step * chunk_;
    const auto in_chunk = [&](std::int64_t byte) { return std::clamp<std::int64_t>(byte, 0, chunk_); };
    return {in_chunk(begin), in_chunk(begin + in_[from].size())};
  }

  void read_tables() {
    std::vector<std::vector<PeerTraffic>> tables;
    std::int64_t longest = 0;
    for (std::size_t r = 0; r < in_.size(); ++r) {
      auto& table = tables.emplace_back(in_.size());
      std::memcpy(table.data(), channel().arrived_slot(r), table.size() * sizeof(PeerTraffic));
      std::int64_t sent = 0;
      for (std::size_t i = 1; i < in_.size(); ++i) {
        const std::size_t to = (r + i) % in_.size();
        if (to == channel().rank()) first_[r] = sent;
        sent += table[to].sent.bytes;
      }
      longest = std::max({longest, sent, table[r].sent.bytes});
    }
    compare(tables);
    set_steps(steps_of(longest));
  }

  /// Every rank compares all pairs: if one pair differs, no rank changes data.
  void compare(const std::vector<std::vector<PeerTraffic>>& tables) const {
    for (std::size_t a = 0; a < tables.size(); ++a) {
      for (std::size_t b = a + 1; b < tables.size(); ++b) {
        const std::string why = describe_mismatch(RankTraffic{call().rank_in_job(a), tables[a][b]},
                                                  RankTraffic{call().rank_in_job(b), tables[b][a]});
        if (!why.empty()) call().fail(why);
      }
    }
  }

  std::vector<PeerTraffic> table_;  ///< per rank
  std::int64_t chunk_;              ///< bytes of data in a slot
  ByteSequence<std::byte> out_;
  std::vector<ByteSequence<std::byte>> in_;  ///< per rank
  std::vector<std::int64_t> first_;          ///< per rank: bytes that it sends before the bytes for this rank
  ByteSequence<const std::byte> own_from_;
  ByteSequence<std::byte> own_to_;
};

}  // namespace

std::unique_ptr<cpu::Task> HostExchange::exchange(const ExchangePieces& pieces, const Signature& signature) {
  return std::make_unique<Exchange>(*parts_, pieces, Call(*calls_, signature));
}

}  // namespace recombine::mpi
