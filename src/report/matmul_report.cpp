#include "src/report/matmul_report.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "kernels/error.hpp"
#include "src/report/matmul_words.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

using nlohmann::ordered_json;

namespace {

double mib(double bytes) { return bytes / (1 << 20); }

std::string_view collective_name(State c_state) { return c_state == State::sharded ? "reduce-scatter" : "all-reduce"; }

double gflops(const MatmulShape& shape, double seconds) { return shape.flops() / seconds / 1e9; }

std::string shape_text(const MatmulShape& shape) {
  return fmt::format("C[{},{}] = A[{},{}] B[{},{}], {}", shape.m, shape.n, shape.m, shape.k, shape.k, shape.n,
                     name_of(shape.type));
}

}  // namespace

MatmulTimes over_ranks(std::span<const MatmulTimes> ranks) {
  MatmulTimes all = ranks.front();
  for (const MatmulTimes& of_rank : ranks) {
    for (double MatmulTimes::*const time : {&MatmulTimes::total, &MatmulTimes::product, &MatmulTimes::exposed,
                                            &MatmulTimes::io, &MatmulTimes::recombine}) {
      all.*time = std::max(all.*time, of_rank.*time);
    }
  }
  const auto slowest = std::ranges::max_element(ranks, {}, &MatmulTimes::total);
  all.slowest = {static_cast<int>(slowest - ranks.begin()), slowest->product, slowest->exposed, slowest->io};
  return all;
}

MatmulTimes MatmulResult::median() const {
  std::vector<MatmulTimes> sorted = runs;
  std::ranges::sort(sorted, {}, &MatmulTimes::total);
  return sorted[(sorted.size() - 1) / 2];
}
double MatmulResult::fastest() const { return std::ranges::min(runs, {}, &MatmulTimes::total).total; }
double MatmulResult::slowest() const { return std::ranges::max(runs, {}, &MatmulTimes::total).total; }

RecombineRate recombine_rate(const MatmulDescription& run, const MatmulTimes& times) {
  const int ranks = run.plan.mesh.extent(Axis::k);
  if (ranks == 1 || times.recombine <= 0) return {};
  const Work work = entry_of(run.plan.schedule).work(run.shape, run.plan.mesh, run.plan.panel);
  const std::int64_t bytes = work.m * work.n * size_of(run.shape.result_type());
  const Collective collective =
      run.plan.c_state == State::sharded ? Collective::reduce_scatter : Collective::all_reduce;
  return {.algbw = static_cast<double>(bytes) / times.recombine / 1e9,
          .busbw = bytes_sent(collective, ranks, bytes) / times.recombine / 1e9};
}

void print_plans(const MatmulShape& shape, const std::vector<Plan>& plans, std::string_view reason) {
  print("{}: {} candidate{}\n\n{:<26} {:>11} {:>11} {:>11} {:>13} {:>13}\n", shape_text(shape), plans.size(),
        plans.size() == 1 ? "" : "s", "plan", "total ms", "product ms", "moving ms", "sent MiB/rank", "peak MiB/rank");
  for (const Plan& plan : plans) {
    print("{:<26} {:>11.3f} {:>11.3f} {:>11.3f} {:>13.2f} {:>13.2f}\n", plan.to_string(), 1e3 * plan.seconds(),
          1e3 * plan.product_seconds, 1e3 * plan.communication_seconds, mib(plan.bytes_sent_per_rank),
          mib(plan.peak_bytes_per_rank));
  }
  print("\nchosen: {}, {}\n", plans.front().to_string(), reason);
}

void print_matmul_start(const MatmulDescription& run) {
  print("{}\n{} rank{}, {} thread{} each: {}\n", shape_text(run.shape), run.np, run.np == 1 ? "" : "s", run.threads,
        run.threads == 1 ? "" : "s", run.device);
  if (!run.conversions.empty()) print("{}\n", run.conversions);
  if (run.collectives != "mpi") print("collectives by {}, products by {}\n", run.collectives, run.kernel);
  const std::string sum =
      run.plan.mesh.extent(Axis::k) > 1 ? fmt::format(", summed by {}", collective_name(run.plan.c_state)) : "";
  print("plan {}{}{}: {:.4f} s predicted, {:.1f} MiB sent and {:.1f} MiB held per rank\n", run.plan.to_string(), sum,
        run.operands == Operands::streamed ? ", streamed through memory" : "", run.plan.seconds(),
        mib(run.plan.bytes_sent_per_rank), mib(run.plan.peak_bytes_per_rank));
}

void print_matmul_result(const MatmulDescription& run, const MatmulResult& result) {
  const MatmulTimes times = result.median();
  const double rate = gflops(run.shape, times.total);
  print("{:.4f} s", times.total);
  if (result.runs.size() > 1) {
    print(" (median of {}, {:.4f} to {:.4f})", result.runs.size(), result.fastest(), result.slowest());
  }
  print("; {}\n", prediction_text(run.plan.seconds(), times.total));
  print("{:.1f} GFLOP/s, {:.1f} per rank, {}\n", rate, rate / run.np,
        run.peak.gflops > 0
            ? fmt::format("{:.1f}% of the measured peak of {:.1f}", 100 * rate / run.peak.gflops, run.peak.gflops)
            : "peak unknown");
  if (const std::string split = split_text(run, times); !split.empty()) print("{}\n", split);
  if (const RecombineRate recombine = recombine_rate(run, times); recombine.algbw > 0) {
    print("recombined over k in {:.4f} s: algbw {:.2f} GB/s, busbw {:.2f} GB/s\n", times.recombine, recombine.algbw,
          recombine.busbw);
  }
  print("operands ready in {:.3f} s, C written in {:.3f} s\n", result.load_seconds, result.store_seconds);
  for (const auto& [name, verdict] :
       {std::pair{"random vectors", &result.by_vectors}, {"plain loops", &result.by_loops}}) {
    if (!*verdict) continue;
    print("verified by {}: relative error {:.2e}, at most {:.2g} of its bound\n", name, (*verdict)->relative_error,
          (*verdict)->share_of_bound);
  }
  if (!result.small_c.empty()) print_blocks(run, result.small_c);
}

void print_blocks(const MatmulDescription& run, const std::vector<double>& elements) {
  const auto starts_block = [&](std::int64_t extent, Axis axis, std::int64_t at) {
    const int parts = run.plan.mesh.extent(axis);
    for (int part = 1; part < parts; ++part) {
      const Range range = split_range(extent, parts, part);
      if (range.begin == at && range.size() > 0) return true;
    }
    return false;
  };
  static constexpr int kWidth = 10;
  print("C, in the blocks of its ranks:\n");
  for (std::int64_t r = 0; r < run.shape.m; ++r) {
    std::string line;
    for (std::int64_t c = 0; c < run.shape.n; ++c) {
      line += starts_block(run.shape.n, Axis::j, c) ? " |" : "";
      line += fmt::format("{:>{}.5g}", elements[static_cast<std::size_t>(r * run.shape.n + c)], kWidth);
    }
    if (starts_block(run.shape.m, Axis::i, r)) print("{:->{}}\n", "", line.size() + 1);
    print("{}\n", line);
  }
}

namespace {

/// The parts of the slowest rank's time; null if there is only one rank, or they were not measured.
ordered_json slowest_rank(const MatmulDescription& run, const MatmulTimes& times) {
  const auto& [rank, product, exposed, io] = times.slowest;
  if (run.np == 1 || std::isnan(product)) return {};
  return {{"rank", rank},
          {"seconds", times.total},
          {"product_seconds", product},
          {"exposed_communication_seconds", exposed},
          {"io_seconds", io}};
}

}  // namespace

void write_matmul_json(OutputFile& file, const MatmulDescription& run, const MatmulResult& result) {
  const MatmulTimes times = result.median();
  const RecombineRate recombine = recombine_rate(run, times);
  const bool known = run.peak.gflops > 0;
  const double rate = gflops(run.shape, times.total);
  const auto error = [](const std::optional<Verdict>& verdict, double Verdict::*member) {
    return verdict ? ordered_json((*verdict).*member) : ordered_json();
  };
  ordered_json object{{"np", run.np},
                      {"mesh", run.plan.mesh.to_string()},
                      {"schedule", entry_of(run.plan.schedule).name},
                      {"panel", run.plan.panel},
                      {"recombine", collective_name(run.plan.c_state)},
                      {"streamed", run.operands == Operands::streamed},
                      {"device", run.device},
                      {"collectives", run.collectives},
                      {"kernel", run.kernel},
                      {"threads", run.threads},
                      {"m", run.shape.m},
                      {"n", run.shape.n},
                      {"k", run.shape.k},
                      {"dtype", name_of(run.shape.type)},
                      {"conversions", run.conversions},
                      {"repeat", result.runs.size()},
                      {"seconds", times.total},
                      {"seconds_min", result.fastest()},
                      {"seconds_max", result.slowest()},
                      {"predicted_seconds", run.plan.seconds()},
                      {"gflops", rate},
                      {"gflops_per_rank", rate / run.np},
                      {"peak_gflops", known ? ordered_json(run.peak.gflops) : ordered_json()},
                      {"peak_burst_gflops", known ? ordered_json(run.peak.burst_gflops) : ordered_json()},
                      {"mfu", known ? ordered_json(rate / run.peak.gflops) : ordered_json()},
                      {"product_seconds", times.product},
                      {"exposed_communication_seconds", times.exposed},
                      {"io_seconds", times.io},
                      {"slowest_rank", slowest_rank(run, times)},
                      {"recombine_seconds", run.plan.mesh.extent(Axis::k) > 1 ? times.recombine : kUnknown},
                      {"recombine_algbw_gbs", recombine.algbw},
                      {"recombine_busbw_gbs", recombine.busbw},
                      {"load_seconds", result.load_seconds},
                      {"store_seconds", result.store_seconds},
                      {"bytes_sent_per_rank", run.plan.bytes_sent_per_rank},
                      {"peak_bytes_per_rank", run.plan.peak_bytes_per_rank},
                      {"relative_error", error(result.by_vectors, &Verdict::relative_error)},
                      {"error_share_of_bound", error(result.by_vectors, &Verdict::share_of_bound)},
                      {"element_relative_error", error(result.by_loops, &Verdict::relative_error)}};
  object.update(to_json(run.provenance));
  file.write(object.dump(2) + "\n");
  file.commit();
}

}  // namespace recombine
