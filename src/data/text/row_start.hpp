#pragma once

#include <cstdint>

#include "src/data/text/dialect.hpp"

namespace recombine {

/// The byte after `from` where a row probably begins: after a line end, and with a cell for each column. This is a
/// guess: the line end may be inside quotes.
std::int64_t probable_row_start(const TextFile& text, const Dialect& dialect, std::int64_t from);

}  // namespace recombine
