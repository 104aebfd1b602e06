#include "src/matmul/explain/mesh_story.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "distributed/comparison.hpp"
#include "kernels/error.hpp"
#include "src/matmul/explain/rank_equation.hpp"
#include "src/matmul/explain/rank_story.hpp"

namespace recombine {

namespace {

/// @throws InputError: then two ways to compute C could not be compared
void require_finite(const WholeProduct& product) {
  const double most = product.shape.type == DataType::f64 ? std::numeric_limits<double>::max()
                                                          : static_cast<double>(std::numeric_limits<float>::max());
  require_input(product.rounding().magnitude <= most,
                "--a, --b: elements of A and B, or their products, are not finite in {}; expected numbers that are",
                name_of(product.shape.type));
}

/// The products of this rank; the operands of each must be the parts of A and B that their names say.
std::vector<RecordedStep> products_of(const std::vector<RecordedStep>& steps, const BlockNames& names,
                                      const WholeProduct& whole, const Coord& at) {
  std::vector<RecordedStep> products;
  const Area c = names.c_area(at);
  for (const RecordedStep& step : steps) {
    if (step.kind != RecordedStep::Kind::product) continue;
    require_same("A in a product", step.a, whole.a.part({c.rows, step.place.k}), {});
    require_same("B in a product", step.b, whole.b.part({step.place.k, c.cols}), {});
    products.push_back(step);
  }
  require(!products.empty(), "no product was observed; expected one or more");
  return products;
}

/// A product on one mesh, which several schedules compute one after the other.
class MeshRun {
 public:
  MeshRun(const ExplainJob& job, const Mesh& mesh)
      : job_(job),
        context_(mesh, job.world, job.device, job.collectives),
        group_(make_communicator(job.world, job.device, job.collectives, 0, job.session.rank())),
        plan_{.mesh = mesh, .c_state = job.command.c_state},
        run_{job.command, job.problem, plan_, context_, job.world},
        matrices_(run_),
        names_(mesh, job.problem.shape) {
    const auto io = job.device.make_stream(StreamUse::host);
    matrices_.load_operands(*io);
  }

  MeshStory tell() {
    std::optional<WholeProduct> first;
    std::vector<ScheduleStory> stories;
    for (const ScheduleEntry& entry : schedules()) {
      const bool wanted = !job_.command.schedule || *job_.command.schedule == entry.schedule;
      if (!wanted || !entry.fits(context_.mesh())) continue;
      const std::vector<RecordedStep> steps = multiply(entry);
      const WholeProduct whole(context_, *group_, job_.problem.shape, matrices_);
      require_finite(whole);
      if (!first) first = whole;
      require_same(fmt::format("C by {}", entry.name), whole.c, first->c, whole.rounding());
      stories.push_back(story_of(entry, steps, whole));
    }
    return {names_, *first, std::move(stories), matrices_.c.placement()[Axis::k], partial_sums(*first)};
  }

 private:
  std::vector<RecordedStep> multiply(const ScheduleEntry& entry) {
    Recorder recorder(context_);
    plan_.schedule = entry.schedule;
    multiply_once(run_, matrices_, workspace_);
    return recorder.finish();
  }

  ScheduleStory story_of(const ScheduleEntry& entry, const std::vector<RecordedStep>& steps,
                         const WholeProduct& whole) {
    const std::vector<RecordedStep> products = products_of(steps, names_, whole, context_.coord());
    own_sum_ = products.back().sum;
    const RankStory own(names_, context_, steps);
    ScheduleStory story{.schedule = entry.schedule};
    for (const std::string& rows : from_every_rank(job_.session, to_text(own.rows()))) {
      story.rows.push_back(rows_from(rows));
    }
    story.equations = from_every_rank(job_.session, rank_equation(names_, context_.coord(), products));
    double in_journals = 0, sent = 0;
    for (const std::string& text : from_every_rank(job_.session, fmt::format("{}", own.bytes_in_journal()))) {
      in_journals += std::stod(text);
    }
    for (std::size_t rank = 0; rank < story.rows.size(); ++rank) sent += story.bytes_sent(rank);
    require(std::abs(in_journals - sent) < 0.5, "{}: messages of {} bytes, but {} in the journals of all ranks",
            entry.name, sent, in_journals);
    for (const std::string& text : from_every_rank(job_.session, std::to_string(products.size()))) {
      story.products = std::max<std::size_t>(story.products, std::stoul(text));
    }
    return story;
  }

  /// C before the sum over k, per coordinate along k. All of them together are a matrix [K m, n], whose rows are cut by
  /// k, and then by i as those of C are.
  std::vector<Numbers> partial_sums(const WholeProduct& whole) {
    const int parts = context_.mesh().parts(Axis::k);
    if (parts == 1) {
      require_same("the sum of the products", own_sum_, whole.c.part(names_.c_area(context_.coord())),
                   whole.rounding());
      return {};
    }
    const std::int64_t m = whole.shape.m;
    OwnedMatrix all(context_, {parts * m, whole.shape.n}, {.rows = Axis::k, .cols = Axis::j, .rows_then = Axis::i},
                    whole.shape.result_type());
    if (!own_sum_.values.empty()) {
      const auto io = job_.device.make_stream(StreamUse::host);
      MatrixSource::given("C", {own_sum_.rows, own_sum_.cols}, own_sum_.values)
          .read(context_, *io, {0, own_sum_.rows}, {0, own_sum_.cols}, Transpose::no, only_block(all).view);
      io->synchronize();
    }
    const Numbers together = whole_of(context_, *group_, all);
    std::vector<Numbers> sums;
    Numbers total{m, whole.shape.n, std::vector<double>(whole.c.values.size())};
    for (int part = 0; part < parts; ++part) {
      sums.push_back(together.part({{part * m, (part + 1) * m}, {0, whole.shape.n}}));
      std::ranges::transform(total.values, sums.back().values, total.values.begin(), std::plus());
    }
    require_same("the sum over k", total, whole.c, whole.rounding());
    return sums;
  }

  const ExplainJob& job_;
  RankContext context_;
  std::unique_ptr<Communicator> group_;
  Plan plan_;
  MatmulJob run_;
  LocalMatrices matrices_;
  Workspace workspace_;
  BlockNames names_;
  Numbers own_sum_;  ///< of this rank's products
};

}  // namespace

double ScheduleStory::bytes_sent(std::size_t rank) const {
  return std::accumulate(rows[rank].begin(), rows[rank].end(), 0.0,
                         [](double sum, const StoryRow& row) { return sum + row.bytes; });
}

const ScheduleStory& MeshStory::finest() const {
  return *std::ranges::max_element(schedules, {}, &ScheduleStory::products);
}

MeshStory run_on_mesh(const ExplainJob& job, const Mesh& mesh) { return MeshRun(job, mesh).tell(); }

}  // namespace recombine
