#include "src/data/text/profile.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/text/column_counter.hpp"
#include "src/data/text/on_threads.hpp"
#include "src/data/text/row_start.hpp"

namespace recombine {

namespace {

/// The rows that begin in a range of bytes, counted.
struct Part {
  TextChunk chunk;
  std::int64_t next_line = 1;  ///< line number at chunk.end
  std::vector<ColumnCounter> columns;
};

/// Counts chunks in parallel. A chunk begins after a line end that is guessed to end a row: it may also stand inside
/// quotes. Chunks are added up in order, and one that did not begin where the one before it ended is counted again.
class Profiler {
 public:
  Profiler(const TextFile& text, const Dialect& dialect, std::int64_t chunk_bytes)
      : text_(text),
        dialect_(dialect),
        chunk_bytes_(chunk_bytes),
        limits_(limits_for(dialect.names.size())),
        columns_(dialect.names.size(), ColumnCounter(limits_)),
        wanted_(columns_.size(), limits_),
        parts_(static_cast<std::size_t>((text.bytes() - dialect.first_byte + chunk_bytes - 1) / chunk_bytes)),
        end_(dialect.first_byte),
        line_(dialect.first_line) {}

  void run() {
    on_threads(parts_.size(), [&](std::size_t c) {
      std::optional<Part> part = guessed(c);
      const std::scoped_lock lock(mutex_);
      parts_[c] = {true, std::move(part)};
      for (; added_ < parts_.size() && parts_[added_].done; ++added_) add(added_);
    });
  }

  TableProfile profile(Encoding encoding) {
    TableProfile table{.rows = rows_, .chunks = std::move(chunks_)};
    for (const ColumnCounter& column : columns_) table.columns.push_back(column.profile(encoding));
    return table;
  }
  const std::vector<ColumnCounter>& columns() const { return columns_; }

 private:
  static ValueLimits limits_for(std::size_t columns) {
    static constexpr std::size_t kLeast = 100, kAllNumbers = 200000, kAllTexts = 2000000;
    const std::size_t some = std::max<std::size_t>(columns, 1);
    return {std::clamp(kAllNumbers / some, kLeast, ColumnProfile::kMostNumbers),
            std::clamp(kAllTexts / some, kLeast, ColumnProfile::kMostTexts)};
  }

  /// Where chunk c probably begins.
  std::int64_t guess(std::size_t c) const {
    if (c == 0) return dialect_.first_byte;
    return probable_row_start(text_, dialect_, dialect_.first_byte + static_cast<std::int64_t>(c) * chunk_bytes_);
  }

  Part count(std::int64_t begin, std::int64_t end, std::int64_t line, const std::vector<ValueLimits>& wanted) const {
    Part part{.chunk = {.begin = begin, .end = end, .first_line = line}};
    for (const ValueLimits& limits : wanted) part.columns.emplace_back(limits);
    RowReader rows(text_, dialect_, part.chunk);
    for (std::vector<std::string_view> cells; rows.next(cells); ++part.chunk.rows) {
      for (std::size_t c = 0; c < cells.size(); ++c) part.columns[c].add(cells[c], dialect_.decimal, rows.line());
    }
    part.chunk.end = rows.records().position();
    part.next_line = rows.records().next_line();
    return part;
  }

  /// Chunk c, with lines counted from 1. None: it has an error, or seems to have one because the guess was wrong.
  std::optional<Part> guessed(std::size_t c) {
    std::unique_lock lock(mutex_);
    const std::vector<ValueLimits> wanted = wanted_;
    lock.unlock();
    try {
      return count(guess(c), guess(c + 1), 1, wanted);
    } catch (const InputError&) {
      return std::nullopt;
    }
  }

  void add(std::size_t c) {
    std::optional<Part> part = std::move(parts_[c].part);
    if (!part || part->chunk.begin != end_) {
      const std::int64_t until = std::max(end_, guess(c + 1));
      part = count(end_, until, line_, wanted_);
    }
    const std::int64_t lines = line_ - part->chunk.first_line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].add(part->columns[i], lines);
      wanted_[i] = columns_[i].wanted(limits_);
    }
    TextChunk chunk = part->chunk;
    chunk.first_line = line_;
    chunk.first_row = rows_;
    if (chunk.rows > 0) chunks_.push_back(chunk);
    rows_ += chunk.rows;
    end_ = chunk.end;
    line_ = part->next_line + lines;
  }

  const TextFile& text_;
  const Dialect& dialect_;
  std::int64_t chunk_bytes_;
  ValueLimits limits_;

  std::mutex mutex_;  ///< of what follows
  std::vector<ColumnCounter> columns_;
  std::vector<ValueLimits> wanted_;
  struct Counted {
    bool done = false;
    std::optional<Part> part = {};
  };
  std::vector<Counted> parts_;
  std::size_t added_ = 0;  ///< chunks that are added up; the rest of the fields speaks of them
  std::vector<TextChunk> chunks_;
  std::int64_t rows_ = 0, end_, line_;
};

void refuse_decimal_commas(const TextFile& text, const Dialect& dialect, const std::vector<ColumnCounter>& columns) {
  if (dialect.separator != ',') return;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::int64_t line = columns[c].first_comma();
    if (line == 0) continue;
    const std::string cell = columns[c].profile(dialect.encoding).first_text_value;
    throw InputError(
        fmt::format("{}, line {}, column {}: '{}'; expected a number with a decimal point: decimal commas "
                    "need another separator than a comma",
                    text.name(), line, dialect.names[c], cell));
  }
}

void find_encoding(const TextFile& text, Dialect& dialect, const std::vector<ColumnCounter>& columns) {
  std::int64_t line = 0;
  for (const ColumnCounter& column : columns) {
    const std::int64_t here = column.first_not_utf8();
    if (here > 0 && (line == 0 || here < line)) line = here;
  }
  if (line == 0 || dialect.encoding == Encoding::latin1) return;
  dialect.encoding = Encoding::latin1;
  dialect.notes.push_back(latin1_note(text, line));
}

}  // namespace

TableProfile profile_table(const TextFile& text, Dialect& dialect) {
  static constexpr std::int64_t kLeast = std::int64_t{1} << 20, kMost = std::int64_t{4} << 20;
  const auto cores = static_cast<std::int64_t>(usable_cores());
  return profile_table(text, dialect, std::clamp(text.bytes() / (4 * cores), kLeast, kMost));
}

TableProfile profile_table(const TextFile& text, Dialect& dialect, std::int64_t chunk_bytes) {
  Profiler profiler(text, dialect, chunk_bytes);
  profiler.run();
  find_encoding(text, dialect, profiler.columns());
  refuse_decimal_commas(text, dialect, profiler.columns());
  return profiler.profile(dialect.encoding);
}

}  // namespace recombine
