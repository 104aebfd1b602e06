// stream: the matrices stay in their files. Tiles of C are computed one after the other from panels of A and B; the
// next panels are read while the current ones are multiplied.
//
//     C_ij of this rank, in tiles          for each tile:   read   | A0 B0 | A1 B1 | A2 B2 |     (next tile's A0 B0)
//        +-----+-----+                                      multiply       | A0 B0 | A1 B1 | A2 B2 |
//        |  0  |  1  |  <- A panels                         sum over k                             | C |
//        +-----+-----+     [panel, rows]                    write                                      | C |
//        |  2  |  3  |
//        +-----+-----+   B panels [panel, cols]
//
// With a tile of S elements, each element of A or B that is read takes part in sqrt(S) multiplications: as many as S
// elements of fast memory allow (Hong and Kung, "I/O complexity: the red-blue pebble game", STOC 1981).

#include "distributed/matmul/stream.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "distributed/local_product.hpp"
#include "distributed/recombine.hpp"
#include "distributed/session.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kSmallest = 64;  // sides of a tile and rows of a panel; with fewer, products are slow
constexpr std::int64_t kThickest = 2048;
constexpr double kTileShare = 0.75;  // of the memory, at most, for the tile; the rest is for panels

/// One multiplication: its tile of C, and its rows of k.
struct Step {
  Range rows, cols, k;
  bool first, last;  // of its tile
};

std::vector<Range> cut(Range range, std::int64_t largest) {
  std::vector<Range> pieces;
  const std::int64_t count = largest > 0 ? ceil_div(range.size(), largest) : 0;
  for (std::int64_t p = 0; p < count; ++p) {
    const Range piece = split_range(range.size(), count, p);
    pieces.push_back({range.begin + piece.begin, range.begin + piece.end});
  }
  return pieces;
}

std::vector<Step> steps_of(const RankContext& context, const StreamedMatmul& call) {
  const auto own = [&](std::int64_t extent, Axis axis) {
    return split_range(extent, context.mesh().parts(axis), context.coord()[axis]);
  };
  std::vector<Range> panels = cut(own(call.shape.k, Axis::k), call.tiles.panel);
  if (panels.empty()) panels.push_back({});  // C = beta C0
  std::vector<Step> steps;
  for (const Range rows : cut(own(call.shape.m, Axis::i), call.tiles.rows)) {
    for (const Range cols : cut(own(call.shape.n, Axis::j), call.tiles.cols)) {
      for (const Range k : panels) steps.push_back({rows, cols, k, k == panels.front(), k == panels.back()});
    }
  }
  return steps;
}

/// The tile and the panels of a rank, and the reads and writes in progress.
class Streamer {
 public:
  Streamer(RankContext& context, const StreamedMatmul& call)
      : context_(context), call_(call), io_(context.device().make_stream(StreamUse::host)) {
    const Tiles& tiles = call.tiles;
    c_ = Buffer(context.device(), call.shape.result_type(), tiles.rows * tiles.cols);
    for (Panel& panel : panels_) {
      panel.a_memory = Buffer(context.device(), call.shape.type, tiles.panel * tiles.rows);
      panel.b_memory = Buffer(context.device(), call.shape.type, tiles.panel * tiles.cols);
    }
  }

  void read(std::size_t index, const Step& step) {
    Panel& panel = panels_[index % 2];
    panel.a = panel.a_memory.matrix(step.k.size(), step.rows.size());
    panel.b = panel.b_memory.matrix(step.k.size(), step.cols.size());
    io_->wait(context_.compute().record());  // the multiplication that used these buffers
    call_.a(*io_, step.k, step.rows, panel.a);
    call_.b(*io_, step.k, step.cols, panel.b);
    panel.arrived = io_->record();
  }

  void multiply(std::size_t index, const Step& step) {
    if (step.first) begin_tile(step);
    const Panel& panel = panels_[index % 2];
    wait_for(panel.arrived);
    sum_->add(panel.a, panel.b);
    if (step.last) finish_tile(step);
  }

  void finish() {
    wait_for(written_);
    io_->synchronize();
  }
  double io_seconds() const { return io_seconds_; }

 private:
  struct Panel {
    Buffer a_memory, b_memory;
    MatrixView a, b;
    Event arrived;
  };

  void begin_tile(const Step& step) {
    wait_for(written_);
    tile_ = c_.matrix(step.rows.size(), step.cols.size());
    const bool adds_old = call_.beta != 0 && context_.coord()[Axis::k] == 0;
    if (adds_old) {
      call_.c0(*io_, step.rows, step.cols, tile_);
      wait_for(io_->record());
    }
    sum_.emplace(context_,
                 Gemm{.trans_a = Transpose::yes, .c = tile_, .alpha = call_.alpha, .beta = adds_old ? call_.beta : 0});
  }

  /// Sums the tile over k, and writes this rank's rows of it.
  void finish_tile(const Step& step) {
    sum_->finish(call_.shape.type);
    Communicator& group = context_.communicator(Axis::k);
    const Range own = split_range(tile_.rows, group.size(), group.rank());
    recombine(context_, {.axis = Axis::k,
                         .data = as_vector(tile_),
                         .to = State::sharded,
                         .counts = row_shard_sizes(tile_.rows, tile_.cols, group.size()),
                         .what = {.name = "sum C over k"}});
    const MatrixView mine = tile_.block(own.begin, 0, own.size(), tile_.cols);
    if (call_.round) call_.round(mine);
    io_->wait(context_.compute().record());
    call_.write(*io_, {step.rows.begin + own.begin, step.rows.begin + own.end}, step.cols, mine);
    written_ = io_->record();
  }

  void wait_for(const Event& event) {
    if (!event) return;
    const double start = Session::now();
    context_.compute().wait(event);
    io_seconds_ += Session::now() - start;
  }

  RankContext& context_;
  const StreamedMatmul& call_;
  std::unique_ptr<Stream> io_;
  Buffer c_;
  MatrixView tile_;
  std::optional<LocalProduct> sum_;  ///< of the tile
  std::array<Panel, 2> panels_;
  Event written_;
  double io_seconds_ = 0;
};

}  // namespace

double Tiles::bytes(const MatmulShape& shape) const {
  return static_cast<double>(rows * cols * size_of(shape.result_type()) +
                             2 * panel * (rows + cols) * size_of(shape.type));
}

Tiles smallest_tiles(const MatmulShape& shape, const Mesh& mesh) {
  const auto side = [&](std::int64_t extent, Axis axis) {
    return std::clamp<std::int64_t>(ceil_div(extent, mesh.parts(axis)), 1, kSmallest);
  };
  return {.rows = side(shape.m, Axis::i), .cols = side(shape.n, Axis::j), .panel = side(shape.k, Axis::k)};
}

Tiles choose_tiles(const MatmulShape& shape, const Mesh& mesh, double memory_bytes) {
  const Tiles smallest = smallest_tiles(shape, mesh);
  require_input(
      smallest.bytes(shape) <= memory_bytes,
      "--memory-limit: {:.0f} bytes per rank are too few for the smallest tiles of C; expected at least {:.0f} bytes",
      memory_bytes, smallest.bytes(shape));
  const std::int64_t m = std::max<std::int64_t>(1, ceil_div(shape.m, mesh.parts(Axis::i)));
  const std::int64_t n = std::max<std::int64_t>(1, ceil_div(shape.n, mesh.parts(Axis::j)));
  const std::int64_t k = std::max<std::int64_t>(1, ceil_div(shape.k, mesh.parts(Axis::k)));
  // A tile [r,c] takes e r c bytes; the thinnest panels for it take p (r + c).
  const double memory = std::floor(memory_bytes);
  const auto e = static_cast<double>(size_of(shape.result_type()));
  const auto p = static_cast<double>(2 * smallest.panel * size_of(shape.type));
  const double largest = kTileShare * memory / e;
  const auto other_side = [&](std::int64_t side, std::int64_t most) {
    const auto r = static_cast<double>(side);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::min(largest / r, (memory - p * r) / (e * r + p))), 1,
                                    most);
  };
  // As square as the block allows. If the block limits one side, the other side gets the rest of the memory.
  const auto square = static_cast<std::int64_t>(std::min(std::sqrt(largest), (std::sqrt(p * p + e * memory) - p) / e));
  Tiles tiles{.rows = std::clamp<std::int64_t>(square, 1, m), .cols = std::clamp<std::int64_t>(square, 1, n)};
  if (tiles.rows == m) tiles.cols = other_side(m, n);
  if (tiles.cols == n) tiles.rows = other_side(n, m);
  const double row_of_panels = 2.0 * static_cast<double>((tiles.rows + tiles.cols) * size_of(shape.type));
  const double left = memory - static_cast<double>(tiles.rows * tiles.cols * size_of(shape.result_type()));
  tiles.panel = std::min({kThickest, k, static_cast<std::int64_t>(left / row_of_panels)});
  return tiles;
}

double bytes_read(const MatmulShape& shape, const Mesh& mesh, const Tiles& tiles) {
  const std::int64_t m = ceil_div(shape.m, mesh.parts(Axis::i));
  const std::int64_t n = ceil_div(shape.n, mesh.parts(Axis::j));
  const std::int64_t k = ceil_div(shape.k, mesh.parts(Axis::k));
  const double passes_of_a = static_cast<double>(ceil_div(n, tiles.cols));
  const double passes_of_b = static_cast<double>(ceil_div(m, tiles.rows));
  return static_cast<double>(k * size_of(shape.type)) *
         (passes_of_a * static_cast<double>(m) + passes_of_b * static_cast<double>(n));
}

double multiply_streamed(RankContext& context, const StreamedMatmul& call) {
  const std::vector<Step> steps = steps_of(context, call);
  Streamer streamer(context, call);
  if (!steps.empty()) streamer.read(0, steps[0]);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (s + 1 < steps.size()) streamer.read(s + 1, steps[s + 1]);
    streamer.multiply(s, steps[s]);
  }
  streamer.finish();
  return streamer.io_seconds();
}

}  // namespace recombine
