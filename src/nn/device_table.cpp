#include "src/nn/device_table.hpp"

namespace recombine {

namespace {

Buffer copy_of(RankContext& context, ConstVectorView host) {
  if (host.size == 0) return {};
  Buffer buffer(context.device(), host.type, host.size, MemoryUse::data);
  context.device().copy(context.compute(), buffer.view(), host);
  return buffer;
}

bool fits(const Table& table, const TableRoom& room) {
  if (room.place == TablePlace::streamed) return false;
  const std::int64_t bytes =
      as_vector(table.features).bytes() + table.labels.bytes() + as_vector(table.targets).bytes();
  return static_cast<double>(bytes) + room.reserved <= static_cast<double>(cuda_free_memory());
}

}  // namespace

DeviceTable::DeviceTable(RankContext& context, const Table& host, const TableRoom& room) : table_(host) {
  if (context.device().kind() == DeviceKind::cpu || host.rows() == 0) return;
  labels_ = copy_of(context, host.labels);
  targets_ = copy_of(context, as_vector(host.targets));
  table_.labels.data = labels_.view().data;
  table_.targets.data = targets_.view().data;
  table_.streamed = host.streamed || !fits(host, room);
  if (table_.streamed) return;
  features_ = copy_of(context, as_vector(host.features));
  table_.features.data = features_.view().data;
}

}  // namespace recombine
