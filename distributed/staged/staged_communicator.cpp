#include "distributed/staged/staged_communicator.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "distributed/exchange_pieces.hpp"
#include "distributed/observe/signature.hpp"
#include "distributed/pieces.hpp"
#include "kernels/ceil_div.hpp"

namespace recombine {

namespace {

VectorView like(ConstVectorView data, std::byte* memory) { return {memory, data.size, data.type}; }

}  // namespace

StagedCommunicator::StagedCommunicator(std::unique_ptr<Communicator> group, Device& device, Options options)
    : group_(std::move(group)),
      device_(device),
      options_(options),
      calls_(*group_, device.make_stream(StreamUse::host)) {
  if (size() > 1) ring_ = make_gpu_ring(*group_, calls_, device_, options_.slot_bytes);
}

StagedCommunicator::~StagedCommunicator() = default;

std::byte* StagedCommunicator::staging(Stream& stream, std::int64_t bytes) {
  if (staging_.view().size < bytes) {
    stream.synchronize();  // earlier calls use the old memory
    staging_ = Buffer();
    staging_ = Buffer::on_host(device_, DataType::u8,
                               static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(bytes))));
  }
  return staging_.view().data;
}

template <class Call>
void StagedCommunicator::on_host(Stream& stream, const Call& call) {
  calls_.host().wait(stream.record());
  call(calls_.host());
  stream.wait(calls_.host().record());
}

void StagedCommunicator::all_reduce(Stream& stream, VectorView data, Reduction reduction) {
  if (size() == 1) return;  // with several ranks, a call without data is still checked
  if (!ring_) return all_reduce_in_pieces(stream, data, reduction);
  calls_.begin(Signature::all_reduce(data, reduction));
  ring_->all_reduce(stream, data, reduction);
}

void StagedCommunicator::all_reduce_in_pieces(Stream& stream, VectorView data, Reduction reduction) {
  constexpr std::int64_t kSlots = 4;
  const std::int64_t elements = std::max<std::int64_t>(options_.slot_bytes / size_of(data.type), 1);
  const std::int64_t pieces = std::max<std::int64_t>(ceil_div(data.size, elements), 1);
  std::byte* const memory = staging(stream, std::min(pieces, kSlots) * elements * size_of(data.type));
  if (pieces > 1 && !down_) down_ = device_.make_stream(StreamUse::communication);
  Stream& down = pieces > 1 ? *down_ : stream;
  down.wait(stream.record());
  std::array<Event, kSlots> free;
  for (std::int64_t p = 0; p < pieces; ++p) {
    const std::int64_t slot = p % kSlots;
    const VectorView piece = data.range(p * elements, std::min(data.size, (p + 1) * elements));
    const VectorView staged = like(piece, memory + slot * elements * size_of(data.type));
    Event& last_use = free[static_cast<std::size_t>(slot)];
    if (last_use) down.wait(last_use);
    device_.copy(down, staged, piece);
    Stream& host = calls_.host();
    host.wait(down.record());
    group_->all_reduce(host, staged, reduction);
    stream.wait(host.record());
    device_.copy(stream, piece, staged);
    last_use = stream.record();
  }
}

void StagedCommunicator::reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                                        Reduction reduction) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size() == 1) return;
  if (ring_) {
    calls_.begin(Signature::reduce_scatter(data, counts, reduction));
    return ring_->reduce_scatter(stream, pieces, reduction);
  }
  const VectorView staged = like(data, staging(stream, data.bytes()));
  const auto own = static_cast<std::size_t>(rank());
  device_.copy(stream, staged, data);
  on_host(stream, [&](Stream& host) { group_->reduce_scatter(host, staged, counts, reduction); });
  device_.copy(stream, pieces[own], pieces_of(staged, counts)[own]);
}

void StagedCommunicator::all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) {
  const std::vector<VectorView> pieces = pieces_of(data, counts);
  if (size() == 1) return;
  if (ring_) {
    calls_.begin(Signature::all_gather(data, counts));
    return ring_->all_gather(stream, pieces);
  }
  const VectorView staged = like(data, staging(stream, data.bytes()));
  const auto own = static_cast<std::size_t>(rank());
  device_.copy(stream, pieces_of(staged, counts)[own], pieces[own]);
  on_host(stream, [&](Stream& host) { group_->all_gather(host, staged, counts); });
  device_.copy(stream, data, staged);
}

void StagedCommunicator::broadcast(Stream& stream, VectorView data, int root) {
  if (size() == 1) return;
  if (ring_) {
    calls_.begin(Signature::broadcast(data, root));
    return ring_->broadcast(stream, data, root);
  }
  const VectorView staged = like(data, staging(stream, data.bytes()));
  if (rank() == root) device_.copy(stream, staged, data);
  on_host(stream, [&](Stream& host) { group_->broadcast(host, staged, root); });
  if (rank() != root) device_.copy(stream, data, staged);
}

void StagedCommunicator::exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) {
  static constexpr std::int64_t kAlignment = 64;
  const ExchangePieces pieces(out, in, rank(), size());
  for (const auto& [from, to] : pieces.own) device_.copy(stream, to, from);
  if (size() == 1) return;
  std::int64_t bytes = 0;
  for (const auto* side : {&pieces.out, &pieces.in}) {
    for (const Piece& piece : *side) bytes += round_up(piece.data.bytes(), kAlignment);
  }
  std::byte* memory = staging(stream, bytes);
  const auto staged = [&](const std::vector<Piece>& side) {
    std::vector<Piece> in_staging;
    for (const Piece& piece : side) {
      in_staging.push_back({piece.peer, like(piece.data, memory)});
      memory += round_up(piece.data.bytes(), kAlignment);
    }
    return in_staging;
  };
  const std::vector<Piece> staged_out = staged(pieces.out);
  const std::vector<Piece> staged_in = staged(pieces.in);
  for (std::size_t p = 0; p < staged_out.size(); ++p) device_.copy(stream, staged_out[p].data, pieces.out[p].data);
  on_host(stream, [&](Stream& host) { group_->exchange(host, staged_out, staged_in); });
  for (std::size_t p = 0; p < staged_in.size(); ++p) device_.copy(stream, pieces.in[p].data, staged_in[p].data);
}

std::unique_ptr<Communicator> StagedCommunicator::split(int color, int key) {
  return std::make_unique<StagedCommunicator>(group_->split(color, key), device_, options_);
}

}  // namespace recombine
