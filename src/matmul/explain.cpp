#include "src/matmul/explain.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "distributed/owned_matrix.hpp"
#include "distributed/recombine.hpp"
#include "kernels/error.hpp"
#include "src/explain/number_grid.hpp"
#include "src/explain/recorder.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kLargest = 8;  // rows, columns and k of the matrices
constexpr std::size_t kLineWidth = 80;
constexpr std::string_view kIndent = "    ";

TextBlock grid(const Numbers& numbers) { return NumberGrid{numbers.values, numbers.rows, numbers.cols}.text(); }

/// The beginnings of the parts after the first.
std::vector<std::int64_t> cuts(std::int64_t extent, int parts) {
  std::vector<std::int64_t> at;
  for (int part = 1; part < parts; ++part) {
    const Range range = split_range(extent, parts, part);
    if (range.size() > 0) at.push_back(range.begin);
  }
  return at;
}

/// Says in words what this rank does in one schedule.
class RankStory {
 public:
  RankStory(const RankContext& context, const std::vector<RecordedStep>& steps) : context_(context), steps_(steps) {
    for (const RecordedStep& step : steps) {
      if (step.kind == RecordedStep::Kind::product) pieces_.push_back(step.place.k.begin);
    }
    std::ranges::sort(pieces_);
  }

  std::string text() {
    const Coord& at = context_.coord();
    std::string text = fmt::format("  rank {} (i {}, j {}, k {})\n", context_.mesh().rank_of(at), at[Axis::i],
                                   at[Axis::j], at[Axis::k]);
    for (const RecordedStep& step : steps_) {
      text += step.kind == RecordedStep::Kind::product ? product(step) : collective(step.collective);
    }
    return text;
  }

 private:
  /// The number of a piece of k, from 1, over all ranks: every rank along k has as many pieces.
  std::int64_t piece(Range k) const {
    const auto at = std::ranges::find(pieces_, k.begin) - pieces_.begin();
    return 1 + context_.coord()[Axis::k] * std::ssize(pieces_) + at;
  }
  std::string block_of_a(Range k) const { return fmt::format("A{}{}", 1 + context_.coord()[Axis::i], piece(k)); }
  std::string block_of_b(Range k) const { return fmt::format("B{}{}", piece(k), 1 + context_.coord()[Axis::j]); }
  std::string block_of_c() const {
    return fmt::format("C{}{}", 1 + context_.coord()[Axis::i], 1 + context_.coord()[Axis::j]);
  }

  std::string product(const RecordedStep& step) {
    std::string text = fmt::format("    {} {} {} {}\n", block_of_c(),
                                   products_ == 0 ? " =" : "+=", block_of_a(step.place.k), block_of_b(step.place.k));
    const std::vector<TextBlock> equation = {grid(step.a), {"   x   "}, grid(step.b), {"   =   "}, grid(step.term)};
    const std::size_t width =
        std::accumulate(equation.begin(), equation.end(), kIndent.size() * 2,
                        [](std::size_t sum, const TextBlock& block) { return sum + width_of(block); });
    const std::string indent = std::string(kIndent) + std::string(kIndent);
    if (width <= kLineWidth) {
      text += side_by_side(equation, indent);
    } else {
      for (const TextBlock& block : equation) text += side_by_side({block}, indent);
    }
    if (products_++ > 0) text += side_by_side({{fmt::format("sum so far: ")}, grid(step.sum)}, indent);
    return text;
  }

  std::string collective(const JournalEntry& entry) {
    const std::string ranks = peers(entry);
    if (ranks.empty()) return {};
    const std::string_view operation = entry.operation;
    const std::string name = entry.what.name;
    if (operation == "broadcast") {
      const bool own = entry.peer == context_.coord()[entry.axis];
      return fmt::format("    {}: {} {} bytes {} {} along {}\n", name, own ? "sends" : "receives", entry.bytes,
                         own ? "to" : "from", own ? ranks : rank_along(entry.axis, entry.peer), name_of(entry.axis));
    }
    if (operation == "exchange" && entry.peer >= 0) {
      return fmt::format("    {}: sends {} bytes to {} along {}\n", name, entry.bytes,
                         rank_along(entry.axis, entry.peer), name_of(entry.axis));
    }
    return fmt::format("    {}: {} with {} along {}, sends {:.0f} bytes\n", name, words(operation), ranks,
                       name_of(entry.axis), entry.bytes_sent);
  }

  static std::string words(std::string_view operation) {
    std::string text(operation);
    std::ranges::replace(text, '_', '-');
    return text;
  }
  std::string rank_along(Axis axis, int at) const {
    Coord coord = context_.coord();
    coord.at[static_cast<std::size_t>(axis)] = at;
    return fmt::format("rank {}", context_.mesh().rank_of(coord));
  }
  /// The other ranks along the axis of a collective; "": there are none.
  std::string peers(const JournalEntry& entry) const {
    std::string text;
    for (int at = 0; at < context_.mesh().extent(entry.axis); ++at) {
      if (at == context_.coord()[entry.axis]) continue;
      text += (text.empty() ? "" : ", ") + rank_along(entry.axis, at);
    }
    return text;
  }

  const RankContext& context_;
  const std::vector<RecordedStep>& steps_;
  std::vector<std::int64_t> pieces_;
  int products_ = 0;
};

/// A product on one mesh, which several schedules compute one after the other.
class Explanation {
 public:
  Explanation(const Session& session, const MatmulJob& job)
      : session_(session),
        job_(job),
        shape_(job.problem.shape),
        a_(job.context, {shape_.k, shape_.m}, kPlaceA, shape_.type),
        b_(job.context, {shape_.k, shape_.n}, kPlaceB, shape_.type),
        c_(OwnedMatrix::summed_over(Axis::k, job.context, {shape_.m, shape_.n}, kPlaceC, shape_.result_type())),
        io_(job.context.device().make_stream(StreamUse::host)) {
    for (const Block& block : a_.blocks()) {
      job.problem.a.read(job.context, *io_, block.cols, block.rows, Transpose::yes, block.view);
    }
    for (const Block& block : b_.blocks()) {
      job.problem.b.read(job.context, *io_, block.rows, block.cols, Transpose::no, block.view);
    }
    io_->synchronize();
  }

  void run(const ScheduleEntry& schedule) {
    Recorder recorder(job_.context);
    Workspace workspace;
    schedule.run(job_.context, {.a = a_, .b = b_, .c = c_, .workspace = workspace});
    recombine::recombine(job_.context, c_, Axis::k, State::replicated, {.name = "sum C over k"});
    job_.context.compute().synchronize();
    const std::string own = RankStory(job_.context, recorder.finish()).text() + result();
    const std::vector<std::string> all = from_every_rank(session_, own);
    if (session_.rank() != 0) return;
    print("\nSchedule {} ({}):\n", schedule.name, schedule.paper);
    for (const std::string& story : all) print("{}", story);
  }

 private:
  /// This rank's block of C, after the sum over k.
  std::string result() const {
    const Block& block = only_block(c_);
    const std::string name =
        fmt::format("    C{}{} = ", 1 + job_.context.coord()[Axis::i], 1 + job_.context.coord()[Axis::j]);
    return side_by_side({{name}, grid(numbers_of(job_.context, block.view, Transpose::no))}, "");
  }

  const Session& session_;
  const MatmulJob& job_;
  const MatmulShape& shape_;
  OwnedMatrix a_, b_, c_;
  std::unique_ptr<Stream> io_;
};

/// All elements of an input, on rank 0.
Numbers whole(const MatmulJob& job, const MatrixSource& source) {
  const Buffer memory(job.context.device(), DataType::f64, source.rows() * source.cols());
  const auto io = job.context.device().make_stream(StreamUse::host);
  const MatrixView view = memory.matrix(source.rows(), source.cols());
  source.read(job.context, *io, {0, source.rows()}, {0, source.cols()}, Transpose::no, view);
  io->synchronize();
  return numbers_of(job.context, view, Transpose::no);
}

void print_inputs(const MatmulJob& job) {
  const MatmulShape& shape = job.problem.shape;
  const Mesh& mesh = job.context.mesh();
  const int pieces = mesh.extent(Axis::k) * std::max(mesh.extent(Axis::i), mesh.extent(Axis::j));
  const Numbers a = whole(job, job.problem.a);
  const Numbers b = whole(job, job.problem.b);
  print("C [{},{}] = A [{},{}] B [{},{}] on {} rank{}, mesh {} (i x j x k)\n\n", shape.m, shape.n, shape.m, shape.k,
        shape.k, shape.n, mesh.size(), mesh.size() == 1 ? "" : "s", mesh.to_string());
  const TextBlock left =
      NumberGrid{a.values, a.rows, a.cols, cuts(a.rows, mesh.extent(Axis::i)), cuts(a.cols, pieces)}.text();
  const TextBlock right =
      NumberGrid{b.values, b.rows, b.cols, cuts(b.rows, pieces), cuts(b.cols, mesh.extent(Axis::j))}.text();
  print("{}", side_by_side({{"A = "}, left, {"     B = "}, right}, kIndent));
  std::string terms;
  double sum = 0;
  for (std::int64_t k = 0; k < shape.k; ++k) {
    const double x = a.values[static_cast<std::size_t>(k)];
    const double y = b.values[static_cast<std::size_t>(k * shape.n)];
    terms += fmt::format("{}{:.4g} * {:.4g}", k == 0 ? "" : " + ", x, y);
    sum += x * y;
  }
  print("\nOne element is a row of A times a column of B:\n    c11 = {} = {:.4g}\n", terms, sum);
  print("No element needs another one: a GPU computes each by a thread of its own.\n");
}

}  // namespace

void explain_matmul(const Session& session, const MatmulJob& job) {
  const MatmulShape& shape = job.problem.shape;
  require_input(
      std::max({shape.m, shape.n, shape.k}) <= kLargest && std::min({shape.m, shape.n, shape.k}) >= 1,
      "--explain: C [{},{}] with k = {}; expected m, n and k from 1 to {}, so that all numbers can be printed", shape.m,
      shape.n, shape.k, kLargest);
  if (session.rank() == 0) print_inputs(job);
  Explanation explanation(session, job);
  for (const ScheduleEntry& entry : schedules()) {
    const bool wanted = !job.command.schedule || *job.command.schedule == entry.schedule;
    if (wanted && entry.fits(job.context.mesh())) explanation.run(entry);
  }
}

}  // namespace recombine
