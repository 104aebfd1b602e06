#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"

namespace recombine {

/// How much one rank sends to another in an exchange.
struct Volume {
  std::int64_t bytes = 0;
  std::int64_t pieces = 0;
  std::uint64_t hash = 0;  ///< of the pieces' lengths and types, in order
  bool operator==(const Volume&) const = default;
};

/// How much a rank sends to a peer and how much it expects from the peer.
struct PeerTraffic {
  Volume sent;
  Volume expected;
};

/// The pieces of one rank's call of Communicator::exchange, without empty pieces.
struct ExchangePieces {
  struct Copy {
    ConstVectorView from;
    VectorView to;
  };
  std::vector<Piece> out;            ///< to other ranks
  std::vector<Piece> in;             ///< from other ranks
  std::vector<Copy> own;             ///< from this rank to itself
  std::vector<PeerTraffic> traffic;  ///< per rank of the group, this rank too

  /// @throws Error if a peer is not a rank of the group, or if the pieces to and from this rank itself do not match
  ExchangePieces(std::span<const Piece> all_out, std::span<const Piece> all_in, int rank, int size);
};

/// How a rank of the job describes its traffic with another rank.
struct RankTraffic {
  int rank = 0;
  PeerTraffic with_other;
};
/// The difference between what two ranks send and expect: "rank 0 calls exchange and sends ...". Empty if they agree.
std::string describe_mismatch(const RankTraffic& a, const RankTraffic& b);

}  // namespace recombine
