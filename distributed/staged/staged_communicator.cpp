#include "distributed/staged/staged_communicator.hpp"

#include <bit>

#include "distributed/exchange_pieces.hpp"
#include "distributed/pieces.hpp"
#include "kernels/ceil_div.hpp"

namespace recombine {

namespace {

VectorView like(ConstVectorView data, std::byte* memory) { return {memory, data.size, data.type}; }

}  // namespace

StagedCommunicator::StagedCommunicator(std::unique_ptr<Communicator> group, Device& device)
    : group_(std::move(group)), device_(device), host_(device.make_stream(StreamUse::host)) {}

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
  host_->wait(stream.record());
  call(*host_);
  stream.wait(host_->record());
}

void StagedCommunicator::all_reduce(Stream& stream, VectorView data, Reduction reduction) {
  if (size() == 1) return;  // with several ranks, a call without data is still checked
  const VectorView staged = like(data, staging(stream, data.bytes()));
  device_.copy(stream, staged, data);
  on_host(stream, [&](Stream& host) { group_->all_reduce(host, staged, reduction); });
  device_.copy(stream, data, staged);
}

void StagedCommunicator::reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                                        Reduction reduction) {
  if (size() == 1) return;
  const VectorView staged = like(data, staging(stream, data.bytes()));
  const auto own = static_cast<std::size_t>(rank());
  device_.copy(stream, staged, data);
  on_host(stream, [&](Stream& host) { group_->reduce_scatter(host, staged, counts, reduction); });
  device_.copy(stream, pieces_of(data, counts)[own], pieces_of(staged, counts)[own]);
}

void StagedCommunicator::all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) {
  if (size() == 1) return;
  const VectorView staged = like(data, staging(stream, data.bytes()));
  const auto own = static_cast<std::size_t>(rank());
  device_.copy(stream, pieces_of(staged, counts)[own], pieces_of(data, counts)[own]);
  on_host(stream, [&](Stream& host) { group_->all_gather(host, staged, counts); });
  device_.copy(stream, data, staged);
}

void StagedCommunicator::broadcast(Stream& stream, VectorView data, int root) {
  if (size() == 1) return;
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
  return std::make_unique<StagedCommunicator>(group_->split(color, key), device_);
}

}  // namespace recombine
