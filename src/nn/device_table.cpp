#include "src/nn/device_table.hpp"

namespace recombine {

namespace {

Buffer copy_of(RankContext& context, ConstVectorView host) {
  if (host.size == 0) return {};
  Buffer buffer(context.device(), host.type, host.size, MemoryUse::data);
  context.device().copy(context.compute(), buffer.view(), host);
  return buffer;
}

}  // namespace

DeviceTable::DeviceTable(RankContext& context, const Table& host) : table_(host) {
  if (context.device().kind() == DeviceKind::cpu) return;
  features_ = copy_of(context, as_vector(host.features));
  labels_ = copy_of(context, host.labels);
  targets_ = copy_of(context, as_vector(host.targets));
  table_.features.data = features_.view().data;
  table_.labels.data = labels_.view().data;
  table_.targets.data = targets_.view().data;
}

}  // namespace recombine
