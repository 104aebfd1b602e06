#include "src/data/device_table.hpp"

namespace recombine {

namespace {

Buffer copy_of(MeshRank& rank, ConstVectorView host) {
  if (host.size == 0) return {};
  Buffer buffer(rank.device(), host.type, host.size);
  rank.device().copy(rank.compute(), buffer.view(), host);
  return buffer;
}

}  // namespace

DeviceTable::DeviceTable(MeshRank& rank, const Table& host) : table_(host) {
  if (rank.device().kind() == DeviceKind::cpu) return;
  features_ = copy_of(rank, as_vector(host.features));
  labels_ = copy_of(rank, host.labels);
  targets_ = copy_of(rank, as_vector(host.targets));
  table_.features.data = features_.view().data;
  table_.labels.data = labels_.view().data;
  table_.targets.data = targets_.view().data;
}

}  // namespace recombine
