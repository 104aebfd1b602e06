#include "src/data/shared_data.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "kernels/error.hpp"

namespace recombine {

namespace {

/// The front of the shared memory: what the other ranks must know to find the tables behind it.
struct Header {
  struct Sizes {
    std::int64_t rows, inputs, outputs;
    DataType features;
  };
  std::int64_t classes;
  Affine input;
  std::array<Sizes, 3> tables;
  std::array<char, 256> name;
};

constexpr std::int64_t kAlignment = 64;

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

Header::Sizes sizes_of(const LoadedTable& table) {
  return {table.rows, table.inputs, table.outputs, table.pixels.empty() ? DataType::f32 : DataType::u8};
}

std::int64_t feature_bytes(const Header::Sizes& sizes) {
  return aligned(sizes.rows * sizes.inputs * size_of(sizes.features));
}

/// Labels or targets: 4 bytes each, either way.
std::int64_t answer_bytes(const Header::Sizes& sizes) {
  return aligned(sizes.rows * std::max<std::int64_t>(sizes.outputs, 1) * size_of(DataType::f32));
}

/// The views of a table that starts at `memory`, which moves behind it.
Table place(const Header::Sizes& sizes, std::byte*& memory) {
  Table table;
  table.features = {memory, sizes.rows, sizes.inputs, sizes.inputs, sizes.features};
  memory += feature_bytes(sizes);
  if (sizes.outputs == 0) {
    table.labels = {memory, sizes.rows, DataType::i32};
  } else {
    table.targets = {memory, sizes.rows, sizes.outputs, sizes.outputs, DataType::f32};
  }
  memory += answer_bytes(sizes);
  return table;
}

template <class T>
void copy_to(const std::byte* to, const std::vector<T>& from) {
  if (!from.empty()) std::memcpy(const_cast<std::byte*>(to), from.data(), from.size() * sizeof(T));
}

void fill(const Table& to, const LoadedTable& from) {
  copy_to(to.features.data, from.pixels);
  copy_to(to.features.data, from.features);
  copy_to(to.labels.data, from.labels);
  copy_to(to.targets.data, from.targets);
}

}  // namespace

SharedData::SharedData(const Session& session, Communicator& world, Stream& stream,
                       const std::function<LoadedData()>& load) {
  LoadedData loaded;
  Header header{};
  std::int64_t bytes = aligned(sizeof(Header));
  const bool loads = session.local_rank() == 0;
  agree(world, stream, [&] {
    if (!loads) return;
    loaded = load();
    header.classes = loaded.classes;
    header.input = loaded.input;
    header.tables = {sizes_of(loaded.train), sizes_of(loaded.test), sizes_of(loaded.validation)};
    std::strncpy(header.name.data(), loaded.name.c_str(), header.name.size() - 1);
    for (const Header::Sizes& sizes : header.tables) bytes += feature_bytes(sizes) + answer_bytes(sizes);
  });

  memory_ = std::make_unique<HostShared>(session, bytes);
  if (loads) std::memcpy(memory_->data(), &header, sizeof header);
  memory_->synchronize();
  std::memcpy(&header, memory_->data(), sizeof header);
  classes_ = header.classes;
  input_ = header.input;
  name_ = header.name.data();
  std::byte* at = memory_->data() + aligned(sizeof(Header));
  train_ = place(header.tables[0], at);
  test_ = place(header.tables[1], at);
  validation_ = place(header.tables[2], at);
  if (loads) {
    fill(train_, loaded.train);
    fill(test_, loaded.test);
    fill(validation_, loaded.validation);
  }
  memory_->synchronize();
}

}  // namespace recombine
