#include "src/nn/shared_data.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "distributed/comparison.hpp"
#include "distributed/host_file.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"
#include "src/nn/digest.hpp"

namespace recombine {

namespace {

/// Where the features of a table are.
enum class Features { shared, stored_in_memory, stored_on_disk };

struct Sizes {
  std::int64_t rows, inputs, outputs;
  DataType type;
  Features features;
};

constexpr std::int64_t kAlignment = 64;

std::int64_t aligned(std::int64_t bytes) { return round_up(bytes, kAlignment); }

Features features_of(const LoadedTable& table) {
  if (!table.store || table.store->bytes() == 0) return Features::shared;
  return table.store->place() == FeatureStore::Place::disk ? Features::stored_on_disk : Features::stored_in_memory;
}

Sizes sizes_of(const LoadedTable& table) {
  return {table.rows, table.inputs, table.outputs, table.pixels.empty() ? DataType::f32 : DataType::u8,
          features_of(table)};
}

/// In the shared memory.
std::int64_t feature_bytes(const Sizes& sizes) {
  return sizes.features == Features::shared ? aligned(sizes.rows * sizes.inputs * size_of(sizes.type)) : 0;
}

/// Of labels (i32) or targets (f32): 4 bytes each.
std::int64_t answer_bytes(const Sizes& sizes) {
  return aligned(sizes.rows * std::max<std::int64_t>(sizes.outputs, 1) * size_of(DataType::f32));
}

/// The views of a table that starts at `memory`; then moves `memory` to the end of the table.
Table place(const Sizes& sizes, std::byte*& memory) {
  Table table;
  table.features = {sizes.features == Features::shared ? memory : nullptr, sizes.rows, sizes.inputs, sizes.inputs,
                    sizes.type};
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

template <class T>
void add_to(Digest& digest, const std::vector<T>& values) {
  digest.add(values.data(), values.size() * sizeof(T));
}

void add_to(Digest& digest, const FeatureStore& store) {
  store.read_parts([&](std::int64_t, ConstMatrixView rows) {
    digest.add(rows.data, static_cast<std::size_t>(as_vector(rows).bytes()));
  });
}

std::string contents_of(const LoadedTable& table) {
  Digest digest;
  add_to(digest, table.pixels);
  add_to(digest, table.features);
  if (table.store) add_to(digest, *table.store);
  add_to(digest, table.labels);
  add_to(digest, table.targets);
  return fmt::format("[{},{}] with sha256 {}", table.rows, table.inputs, digest.finish());
}

template <std::size_t N>
void copy_text(std::array<char, N>& to, const std::string& from) {
  std::strncpy(to.data(), from.c_str(), N - 1);
}

void require_size(const char* table, const char* field, std::size_t has, std::int64_t expected) {
  require_input(has == static_cast<std::size_t>(expected), "the {} table: {} has {} elements; expected {}", table,
                field, has, expected);
}

/// Refuses a table if its vectors do not have the sizes that it states, or if it does not have as many inputs and
/// outputs as the training table.
void require_consistent(const LoadedData& data, const LoadedTable& table, const char* name) {
  const bool bytes = !table.pixels.empty();
  require_size(name, "pixels", table.pixels.size(), bytes ? table.rows * table.inputs : 0);
  require_size(name, "features", table.features.size(), bytes || table.store ? 0 : table.rows * table.inputs);
  require_input(!table.store || (table.store->rows() == table.rows && table.store->cols() == table.inputs && !bytes),
                "the {} table: its store is [{}, {}]{}; expected [{}, {}]", name, table.store ? table.store->rows() : 0,
                table.store ? table.store->cols() : 0, bytes ? ", and it has pixels" : "", table.rows, table.inputs);
  require_size(name, "labels", table.labels.size(), data.classes > 0 ? table.rows : 0);
  require_size(name, "targets", table.targets.size(), table.rows * table.outputs);
  if (table.rows == 0) return;
  require_input(table.inputs == data.train.inputs && table.outputs == data.train.outputs,
                "the {} table: has {} inputs and {} outputs; expected {} and {}, as the training table has", name,
                table.inputs, table.outputs, data.train.inputs, data.train.outputs);
  require_input((table.outputs > 0) == (data.classes == 0),
                "the {} table: has {} outputs, and there are {} classes; expected exactly one of them > 0", name,
                table.outputs, data.classes);
  for (const std::int32_t label : table.labels) {
    require_input(0 <= label && label < data.classes, "the {} table: has label {}; expected 0 to {}", name, label,
                  data.classes - 1);
  }
}

/// Loads the data; an error message names the host.
LoadedData load_on_this_host(const std::function<LoadedData()>& load) {
  try {
    return load();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", Session::place(), error.what()));
  }
}

void fill(const Table& to, const LoadedTable& from) {
  copy_to(to.features.data, from.pixels);
  copy_to(to.features.data, from.features);
  copy_to(to.labels.data, from.labels);
  copy_to(to.targets.data, from.targets);
}

}  // namespace

/// The beginning of the shared memory. From it, the other ranks know where the tables are that follow.
struct SharedData::Header {
  std::int64_t classes;
  Affine input;
  std::array<Sizes, 3> tables;
  std::array<char, 256> name;
  std::array<std::array<char, 128>, 3> contents;  ///< if several hosts load the data: size and SHA-256 of each table

  std::int64_t bytes() const {
    std::int64_t sum = aligned(sizeof(Header));
    for (const Sizes& sizes : tables) sum += feature_bytes(sizes) + answer_bytes(sizes);
    return sum;
  }
};

struct SharedData::Loading {
  const Session& session;
  Communicator& world;
  Stream& stream;
};

/// Refuses data that differ between hosts: each host has loaded its own copy.
void SharedData::require_same_tables(const Session& session, const Header& header) {
  require_same(session, {{"--data: classes", fmt::format("{}", header.classes)},
                         {"--data: training rows", header.contents[0].data()},
                         {"--data: test rows", header.contents[1].data()},
                         {"--validation: rows", header.contents[2].data()},
                         {"--standardize: factors", fmt::format("{} {}", header.input.scale, header.input.shift)}});
}

std::vector<std::string> SharedData::contents() const {
  static constexpr std::size_t kDigits = 16;
  const auto describe = [](const Table& table) {
    if (table.rows() == 0) return std::string("none");
    Digest digest;
    const auto add = [&](const ConstVectorView& part) {
      digest.add(part.data, static_cast<std::size_t>(part.bytes()));
    };
    if (table.stored) {
      add_to(digest, *table.stored);
    } else {
      add(as_vector(table.features));
    }
    add(table.labels);
    add(as_vector(table.targets));
    return fmt::format("[{},{}] with sha256 {}", table.rows(), table.features.cols, digest.finish().substr(0, kDigits));
  };
  return {describe(train_), describe(test_), describe(validation_), std::to_string(classes_),
          fmt::format("{} x + {}", input_.scale, input_.shift)};
}

std::int64_t SharedData::bytes() const {
  std::int64_t sum = memory_->size();
  for (const StoredFeatures& stored : stored_) sum += stored.memory ? stored.memory->size() : 0;
  return sum;
}

SharedData::Header SharedData::header_of(const LoadedData& loaded, bool several_hosts) {
  Header header{.classes = loaded.classes, .input = loaded.input};
  copy_text(header.name, loaded.name);
  for (std::size_t t = 0; t < header.tables.size(); ++t) {
    const LoadedTable& table = *std::array{&loaded.train, &loaded.test, &loaded.validation}[t];
    header.tables[t] = sizes_of(table);
    if (several_hosts) copy_text(header.contents[t], contents_of(table));
  }
  return header;
}

SharedData::SharedData(const Session& session, Communicator& world, Stream& stream,
                       const std::function<LoadedData()>& load) {
  LoadedData loaded;
  Header header{};
  const bool loads = session.local_rank() == 0;
  const bool several_hosts = session.local_size() < session.size();
  agree(world, stream, [&] {
    if (!loads) return;
    loaded = several_hosts ? load_on_this_host(load) : load();
    require_input(loaded.train.rows > 0, "the training table has no rows; expected at least one");
    require_consistent(loaded, loaded.train, "training");
    require_consistent(loaded, loaded.validation, "validation");
    require_consistent(loaded, loaded.test, "test");
    header = header_of(loaded, several_hosts);
  });

  memory_ = std::make_unique<HostShared>(session, header.bytes());
  if (loads) std::memcpy(memory_->data(), &header, sizeof header);
  memory_->synchronize();
  std::memcpy(&header, memory_->data(), sizeof header);
  if (several_hosts) require_same_tables(session, header);
  classes_ = header.classes;
  input_ = header.input;
  name_ = header.name.data();
  std::byte* at = memory_->data() + aligned(sizeof(Header));
  train_ = place(header.tables[0], at);
  test_ = place(header.tables[1], at);
  validation_ = place(header.tables[2], at);
  share_stores({session, world, stream}, header, loaded);
  if (loads) {
    fill(train_, loaded.train);
    fill(test_, loaded.test);
    fill(validation_, loaded.validation);
  }
  memory_->synchronize();
}

/// Gives every rank of the host the features that its first rank has stored.
void SharedData::share_stores(const Loading& loading, const Header& header, const LoadedData& loaded) {
  static const FileDescriptor none;
  bool opened = true;
  for (std::size_t t = 0; t < header.tables.size(); ++t) {
    const Sizes& sizes = header.tables[t];
    if (sizes.features == Features::shared) continue;
    const FeatureStore* const store = std::array{&loaded.train, &loaded.test, &loaded.validation}[t]->store.get();
    const FileDescriptor& file = store != nullptr ? store->file() : none;
    Table& table = *std::array{&train_, &test_, &validation_}[t];
    if (sizes.features == Features::stored_in_memory) {
      const std::int64_t bytes = store != nullptr ? store->bytes() : 0;
      stored_[t].memory = std::make_unique<HostShared>(loading.session, file, bytes);
      table.features.data = stored_[t].memory->data();
    } else {
      FileDescriptor own = open_host_file(loading.session, file);
      opened = opened && own.is_open();
      stored_[t].disk =
          std::make_unique<FeatureStore>(name_, FeatureStore::Place::disk, sizes.rows, sizes.inputs, std::move(own));
      table.stored = stored_[t].disk.get();
      table.streamed = true;
    }
  }
  agree(loading.world, loading.stream, [&] {
    require_input(opened,
                  "--data: the ranks of {} cannot open each other's files, and the data do not fit its memory; "
                  "expected processes that may use /proc/PID/fd of one another, or more memory",
                  loading.session.host());
  });
}

}  // namespace recombine
