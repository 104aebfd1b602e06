#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "distributed/communicator.hpp"

namespace recombine {

enum class Operation : std::uint8_t {
  all_reduce,
  reduce_scatter,
  all_gather,
  broadcast,
  exchange,
  allocate,
  split,
  end,  ///< of the communicator
};

/// Describes a collective call. All ranks of the group must make the same call. Only the lengths of an exchange may
/// differ between ranks; the traffic of each pair of ranks is compared separately (exchange_pieces.hpp).
struct Signature {
  std::uint64_t sequence = 0;  ///< number of the group's earlier calls
  std::int64_t count = 0;      ///< elements; for an exchange: elements that this rank sends
  std::int64_t received = 0;   ///< for an exchange: elements that this rank receives
  std::uint64_t pieces = 0;    ///< hash of the pieces' counts
  std::int32_t argument = 0;   ///< root
  Operation operation = Operation::end;
  DataType type = DataType::u8;
  Reduction reduction = Reduction::sum;

  static Signature all_reduce(ConstVectorView data, Reduction reduction);
  static Signature reduce_scatter(ConstVectorView data, std::span<const std::int64_t> counts, Reduction reduction);
  static Signature all_gather(ConstVectorView data, std::span<const std::int64_t> counts);
  static Signature broadcast(ConstVectorView data, int root);
  static Signature exchange(std::span<const Piece> out, std::span<const Piece> in);
  static Signature allocate(DataType type, std::int64_t count);
  static Signature split() { return {.operation = Operation::split}; }
  static Signature end() { return {}; }

  /// "all_reduce of 10 f32 (sum)"
  std::string to_string() const;
  /// A hash of all that must be equal on every rank. Two different calls have equal hashes with probability 2^-64.
  std::uint64_t hash() const;
};

/// True if two ranks may make these calls together. Does not compare the lengths of an exchange.
inline bool same_call(const Signature& a, const Signature& b) {
  return a.operation == b.operation && a.type == b.type && a.reduction == b.reduction && a.argument == b.argument &&
         (a.count == b.count || a.operation == Operation::exchange) && a.pieces == b.pieces && a.sequence == b.sequence;
}

/// A rank, by its number in the job, and its call.
struct RankCall {
  int rank = 0;
  Signature call;
};
/// "rank 0 calls A, but rank 1 calls B, as call 7 of a group of 2 ranks; expected ..."
std::string describe_mismatch(const RankCall& a, const RankCall& b, int group_size);

/// `hash` with `value` mixed in.
std::uint64_t mix(std::uint64_t hash, std::uint64_t value);

}  // namespace recombine
