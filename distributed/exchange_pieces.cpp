#include "distributed/exchange_pieces.hpp"

#include "distributed/observe/signature.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

void add(Volume& volume, ConstVectorView piece) {
  volume.bytes += piece.bytes();
  ++volume.pieces;
  volume.hash = mix(mix(volume.hash, static_cast<std::uint64_t>(piece.size)), static_cast<std::uint64_t>(piece.type));
}

std::string describe(const Volume& volume) {
  return fmt::format("{} bytes in {} pieces (hash of their lengths and types {:08x})", volume.bytes, volume.pieces,
                     volume.hash >> 32U);
}

std::string describe_mismatch_of(int sender, const Volume& sent, int receiver, const Volume& expected) {
  if (sent == expected) return "";
  return fmt::format(
      "rank {} calls exchange and sends {} to rank {}, but rank {} calls exchange and expects {}; expected pieces of "
      "the same lengths and types in the same order",
      sender, describe(sent), receiver, receiver, describe(expected));
}

}  // namespace

ExchangePieces::ExchangePieces(std::span<const Piece> all_out, std::span<const Piece> all_in, int rank, int size)
    : traffic(static_cast<std::size_t>(size)) {
  std::vector<VectorView> from;
  std::vector<VectorView> to;
  const auto sort = [&](std::span<const Piece> pieces, Volume PeerTraffic::*volume, std::vector<Piece>& others,
                        std::vector<VectorView>& to_itself) {
    for (const Piece& piece : pieces) {
      require(piece.peer >= 0 && piece.peer < size, "exchange with rank {} of a group of {} ranks", piece.peer, size);
      if (piece.data.size == 0) continue;
      add(traffic[static_cast<std::size_t>(piece.peer)].*volume, piece.data);
      if (piece.peer == rank) {
        to_itself.push_back(piece.data);
      } else {
        others.push_back(piece);
      }
    }
  };
  sort(all_out, &PeerTraffic::sent, out, from);
  sort(all_in, &PeerTraffic::expected, in, to);
  const PeerTraffic& itself = traffic[static_cast<std::size_t>(rank)];
  require(itself.sent == itself.expected, "rank {} of the group sends itself {}, but expects {}", rank,
          describe(itself.sent), describe(itself.expected));
  for (std::size_t i = 0; i < from.size(); ++i) own.push_back({from[i], to[i]});
}

std::string describe_mismatch(const RankTraffic& a, const RankTraffic& b) {
  const std::string there = describe_mismatch_of(a.rank, a.with_other.sent, b.rank, b.with_other.expected);
  return there.empty() ? describe_mismatch_of(b.rank, b.with_other.sent, a.rank, a.with_other.expected) : there;
}

}  // namespace recombine
