#include "distributed/observe/signature.hpp"

#include "kernels/element_hash.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

std::uint64_t hash_of(std::span<const std::int64_t> counts) {
  std::uint64_t hash = counts.size();
  for (const std::int64_t count : counts) hash = mix(hash, static_cast<std::uint64_t>(count));
  return hash;
}

std::string_view name_of(Operation operation) {
  switch (operation) {
    case Operation::all_reduce: return "all_reduce";
    case Operation::reduce_scatter: return "reduce_scatter";
    case Operation::all_gather: return "all_gather";
    case Operation::broadcast: return "broadcast";
    case Operation::exchange: return "exchange";
    case Operation::allocate: return "allocate";
    case Operation::split: return "split";
    case Operation::end: return "no more collectives";
  }
  return "?";
}

std::string_view name_of(Reduction reduction) { return reduction == Reduction::sum ? "sum" : "max"; }

}  // namespace

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) { return mix64((hash + 0x9E3779B97F4A7C15U) ^ value); }

Signature Signature::all_reduce(ConstVectorView data, Reduction reduction) {
  return {.count = data.size, .operation = Operation::all_reduce, .type = data.type, .reduction = reduction};
}
Signature Signature::reduce_scatter(ConstVectorView data, std::span<const std::int64_t> counts, Reduction reduction) {
  return {.count = data.size,
          .pieces = hash_of(counts),
          .operation = Operation::reduce_scatter,
          .type = data.type,
          .reduction = reduction};
}
Signature Signature::all_gather(ConstVectorView data, std::span<const std::int64_t> counts) {
  return {.count = data.size, .pieces = hash_of(counts), .operation = Operation::all_gather, .type = data.type};
}
Signature Signature::broadcast(ConstVectorView data, int root) {
  return {.count = data.size, .argument = root, .operation = Operation::broadcast, .type = data.type};
}
Signature Signature::exchange(std::span<const Piece> out, std::span<const Piece> in) {
  Signature call{.operation = Operation::exchange};
  for (const Piece& piece : out) call.count += piece.data.size;
  for (const Piece& piece : in) call.received += piece.data.size;
  return call;
}
Signature Signature::allocate(DataType type, std::int64_t count) {
  return {.count = count, .operation = Operation::allocate, .type = type};
}

std::string Signature::to_string() const {
  std::string data = fmt::format("{} of {} {}", name_of(operation), count, recombine::name_of(type));
  switch (operation) {
    case Operation::all_reduce: return fmt::format("{} ({})", data, name_of(reduction));
    case Operation::reduce_scatter:
      return fmt::format("{} ({}, hash of the pieces' counts {:08x})", data, name_of(reduction), pieces >> 32U);
    case Operation::all_gather: return fmt::format("{} (hash of the pieces' counts {:08x})", data, pieces >> 32U);
    case Operation::broadcast: return fmt::format("{} from rank {} of the group", data, argument);
    case Operation::exchange: return fmt::format("exchange of {} elements sent and {} received", count, received);
    case Operation::allocate: return data;
    case Operation::split:
    case Operation::end: break;
  }
  return std::string(name_of(operation));
}

std::uint64_t Signature::hash() const {
  const std::uint64_t kinds = static_cast<std::uint64_t>(operation) << 48U | static_cast<std::uint64_t>(type) << 40U |
                              static_cast<std::uint64_t>(reduction) << 32U | static_cast<std::uint32_t>(argument);
  const std::int64_t common_count = operation == Operation::exchange ? 0 : count;
  return mix(mix(kinds, static_cast<std::uint64_t>(common_count)), sequence + pieces);
}

std::string describe_mismatch(const RankCall& a, const RankCall& b, int group_size) {
  return fmt::format(
      "rank {} calls {}, but rank {} calls {}, as call {} of a group of {} ranks; expected the same calls in the same "
      "order on every rank",
      a.rank, a.call.to_string(), b.rank, b.call.to_string(), a.call.sequence + 1, group_size);
}

}  // namespace recombine
