#include "src/data/table/encode.hpp"

#include <algorithm>
#include <memory>
#include <span>

namespace recombine {

namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;  // values that a thread collects before it writes them

using Stores = std::array<std::shared_ptr<const FeatureStore>, 3>;

/// Means and squares of the columns of one chunk, merged in the order of the chunks: the same for any number of threads.
struct ChunkMoments {
  std::vector<Moments> inputs, targets;
};

struct Column {
  std::size_t place;  ///< in the schema
  std::int64_t first;
};

std::vector<Column> number_columns(const TableSchema& schema) {
  std::vector<Column> columns;
  std::int64_t first = 0;
  for (std::size_t c = 0; c < schema.inputs.size(); ++c) {
    if (schema.inputs[c].kind != ColumnKind::category) columns.push_back({c, first});
    first += schema.inputs[c].width();
  }
  return columns;
}

/// What all chunks share.
struct Shared {
  const EncodeTask& task;
  const CellReader reader;
  const std::vector<Column> numbers;
  const std::vector<RowCounts> before;
  EncodedTable& result;
  const Stores& stores;
  std::vector<ChunkMoments> moments;
};

/// Collects the rows of one role in a chunk, which are neighbours in their table.
class RoleRows {
 public:
  RoleRows(Shared& shared, std::size_t role, std::int64_t next) : shared_(shared), role_(role), next_(next) {}

  /// Reads a row. Writes the rows so far if they are many.
  void add(std::int64_t line, std::span<const std::string_view> cells, ChunkMoments& moments) {
    const auto row = static_cast<std::size_t>(next_ + rows());
    const auto width = static_cast<std::size_t>(shared_.reader.inputs());
    values_.resize(values_.size() + width);
    shared_.reader.read_inputs(line, cells, std::span(values_).last(width));
    LoadedTable& table = shared_.result.tables[role_];
    if (!table.labels.empty() && has_answers()) table.labels[row] = shared_.reader.read_label(line, cells);
    if (!table.targets.empty() && has_answers()) {
      const auto outputs = static_cast<std::size_t>(table.outputs);
      shared_.reader.read_targets(line, cells, std::span(table.targets).subspan(row * outputs, outputs));
    }
    if (values_.size() >= kPiece) write(moments);
  }

  void write(ChunkMoments& moments) {
    if (values_.empty()) return;
    shared_.stores[role_]->write(next_, values_);
    if (shared_.task.stage == Stage::raw && role_ == static_cast<std::size_t>(RowRole::train)) count(moments);
    next_ += rows();
    values_.clear();
  }

 private:
  bool has_answers() const { return shared_.task.columns.answers == Answers::present; }
  std::int64_t rows() const { return static_cast<std::int64_t>(values_.size()) / shared_.reader.inputs(); }

  void count(ChunkMoments& moments) const {
    for (const Column& column : shared_.numbers) {
      moments.inputs[column.place].add(moments_of(values_.data() + column.first, rows(), shared_.reader.inputs()));
    }
    const LoadedTable& table = shared_.result.tables[role_];
    for (std::int64_t t = 0; t < table.outputs; ++t) {
      const float* const first = table.targets.data() + next_ * table.outputs + t;
      moments.targets[static_cast<std::size_t>(t)].add(moments_of(first, rows(), table.outputs));
    }
  }

  Shared& shared_;
  std::size_t role_;
  std::int64_t next_;  ///< row of the table that the first of `values_` becomes
  std::vector<float> values_;
};

void encode_chunk(Shared& shared, std::size_t chunk, RowReader& rows) {
  const std::vector<RowRole>& roles = shared.task.roles;
  ChunkMoments& moments = shared.moments[chunk];
  moments.inputs.resize(shared.task.schema.inputs.size());
  moments.targets.resize(shared.task.schema.targets.size());
  std::vector<RoleRows> parts;
  for (std::size_t role = 0; role < 3; ++role) parts.emplace_back(shared, role, shared.before[chunk][role]);
  auto row = static_cast<std::size_t>(shared.task.table.facts.profile.chunks[chunk].first_row);
  std::vector<std::string_view> cells;
  for (; rows.next(cells); ++row) {
    if (roles[row] != RowRole::dropped) parts[static_cast<std::size_t>(roles[row])].add(rows.line(), cells, moments);
  }
  for (RoleRows& part : parts) part.write(moments);
}

}  // namespace

EncodedTable encode(const EncodeTask& task) {
  const TableFacts& facts = task.table.facts;
  const std::vector<TextChunk>& chunks = facts.profile.chunks;
  const RowCounts counts = count_rows(task.roles);
  EncodedTable result;
  Stores stores;
  const bool is_regression = task.schema.classes.empty();
  for (std::size_t role = 0; role < counts.size(); ++role) {
    const auto rows = static_cast<std::size_t>(counts[role]);
    if (rows == 0) continue;
    LoadedTable& table = result.tables[role];
    table.rows = counts[role];
    table.inputs = task.schema.width();
    table.outputs = is_regression ? static_cast<std::int64_t>(task.schema.targets.size()) : 0;
    (is_regression ? table.targets.resize(rows * task.schema.targets.size()) : table.labels.resize(rows));
    stores[role] = std::make_shared<const FeatureStore>(facts.file, task.place, table.rows, table.inputs);
    table.store = stores[role];
    table.rows_of_file = rows_of_file(task.roles, static_cast<RowRole>(role));
  }
  Shared shared{.task = task,
                .reader = CellReader(facts, task.columns, task.schema, task.stage),
                .numbers = number_columns(task.schema),
                .before = counts_before(task.roles, chunks),
                .result = result,
                .stores = stores,
                .moments = std::vector<ChunkMoments>(chunks.size())};
  for_each_chunk(task.table.text, facts.dialect, chunks,
                 [&](std::size_t chunk, RowReader& rows) { encode_chunk(shared, chunk, rows); });
  result.inputs.resize(task.schema.inputs.size());
  result.targets.resize(task.schema.targets.size());
  for (const ChunkMoments& moments : shared.moments) {
    for (std::size_t c = 0; c < result.inputs.size(); ++c) result.inputs[c].add(moments.inputs[c]);
    for (std::size_t t = 0; t < result.targets.size(); ++t) result.targets[t].add(moments.targets[t]);
  }
  return result;
}

}  // namespace recombine
