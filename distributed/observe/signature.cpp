#include "distributed/observe/signature.hpp"

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The finalizer of splitmix64 (Steele, Lea, Flood 2014): each bit of `value` changes about half of the result's bits.
std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  std::uint64_t x = (hash + 0x9E3779B97F4A7C15U) ^ value;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

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
    case Operation::send: return "send";
    case Operation::recv: return "recv";
    case Operation::shift: return "shift";
    case Operation::allocate: return "allocate";
    case Operation::split: return "split";
    case Operation::end: return "no more collectives";
  }
  return "?";
}

std::string_view name_of(Reduction reduction) { return reduction == Reduction::sum ? "sum" : "max"; }

}  // namespace

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
Signature Signature::send(ConstVectorView data, int to) {
  return {.count = data.size, .argument = to, .operation = Operation::send, .type = data.type};
}
Signature Signature::recv(ConstVectorView data, int from) {
  return {.count = data.size, .argument = from, .operation = Operation::recv, .type = data.type};
}
Signature Signature::shift(ConstVectorView out, ConstVectorView in, int distance) {
  require(out.type == in.type, "shift sends {} and receives {}: expected one type", recombine::name_of(out.type),
          recombine::name_of(in.type));
  return {
      .count = out.size, .received = in.size, .argument = distance, .operation = Operation::shift, .type = out.type};
}
Signature Signature::allocate(DataType type, std::int64_t count) {
  return {.count = count, .operation = Operation::allocate, .type = type};
}

std::string Signature::to_string() const {
  const std::string data = fmt::format("{} of {} {}", name_of(operation), count, recombine::name_of(type));
  switch (operation) {
    case Operation::all_reduce: return fmt::format("{} ({})", data, name_of(reduction));
    case Operation::reduce_scatter:
      return fmt::format("{} ({}, hash of the pieces' counts {:08x})", data, name_of(reduction), pieces >> 32U);
    case Operation::all_gather: return fmt::format("{} (hash of the pieces' counts {:08x})", data, pieces >> 32U);
    case Operation::broadcast: return fmt::format("{} from rank {} of the group", data, argument);
    case Operation::send: return fmt::format("{} to rank {} of the group", data, argument);
    case Operation::recv: return fmt::format("{} from rank {} of the group", data, argument);
    case Operation::shift: return fmt::format("{} by {}, for {} received", data, argument, received);
    case Operation::allocate: return data;
    case Operation::split:
    case Operation::end: break;
  }
  return std::string(name_of(operation));
}

std::uint64_t Signature::hash() const {
  const std::uint64_t kinds = static_cast<std::uint64_t>(operation) << 48U | static_cast<std::uint64_t>(type) << 40U |
                              static_cast<std::uint64_t>(reduction) << 32U | static_cast<std::uint32_t>(argument);
  const std::int64_t common_count = operation == Operation::shift ? 0 : count;
  return mix(mix(kinds, static_cast<std::uint64_t>(common_count)), sequence + pieces);
}

bool same_message(const Signature& sender, const Signature& receiver) {
  const std::int64_t expected = receiver.operation == Operation::shift ? receiver.received : receiver.count;
  return sender.count == expected && sender.type == receiver.type;
}

std::string describe_mismatch(const RankCall& a, const RankCall& b, int group_size) {
  return fmt::format(
      "rank {} calls {}, but rank {} calls {}, as call {} of a group of {} ranks; expected the same calls in the same "
      "order on every rank",
      a.rank, a.call.to_string(), b.rank, b.call.to_string(), a.call.sequence + 1, group_size);
}

std::string describe_mismatch_of_message(const RankCall& sender, const RankCall& receiver) {
  return fmt::format("rank {} calls {}, but rank {} calls {}; expected the same count and type", sender.rank,
                     sender.call.to_string(), receiver.rank, receiver.call.to_string());
}

}  // namespace recombine
