#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "distributed/io/output_file.hpp"
#include "src/nn/trainer.hpp"
#include "src/report/peak.hpp"
#include "src/report/provenance.hpp"
#include "src/report/table_scores.hpp"

namespace recombine {

/// Where arithmetic waits for other ranks. The host can measure only waits on the host.
enum class Waits { on_host, on_device };

/// The rank that worked longest; the others waited for it. Work is compute, input and other time, without waits.
struct SlowestRank {
  int rank = 0;
  double seconds = 0;       ///< of its work
  double mean_seconds = 0;  ///< over all ranks
  std::string part;         ///< the part of its work that exceeds the mean most: "compute", "input" or "other"
};

/// Describes a run in its reports.
struct RunDescription {
  int np = 1;
  Mesh mesh{1, 1, 1};
  std::string device;
  int threads = 1;
  std::string data;
  std::string model;
  std::string loaded;                     ///< the file of the initial weights; "": new weights
  std::vector<float> init;                ///< the initial weights of --init; empty: not given
  std::vector<std::string> loaded_names;  ///< of its weight tensors, layer by layer, if they are not those of --save
  std::string resumed;                    ///< the checkpoint that the run continues; "": none
  std::int64_t resumed_step = 0;          ///< its step
  bool is_over = false;                   ///< no step is left after it; not for an evaluation
  std::int64_t parameters = 0;
  std::int64_t rows = 0;
  std::int64_t batch_size = 0;  ///< rows of a micro-batch
  std::int64_t accumulate = 1;  ///< micro-batches per step
  std::int64_t batch_rows = 0;  ///< of a step
  std::int64_t total_steps = 0;
  bool evaluates = false;  ///< --evaluate: there are no steps
  bool classifies = true;
  bool has_test = true;           ///< false: there are no test rows
  bool has_validation = false;    ///< likewise
  TableSchema schema;             ///< names the classes or targets
  std::string defaults;           ///< the options that were chosen for these data: "--hidden 100 --epochs 60"; "": none
  std::string precision = "f32";  ///< of products
  Waits waits = Waits::on_host;
  std::string collectives;  ///< how ranks communicate: "mpi", "nccl" or "staged"
  Peak peak;
  Provenance provenance;
};

/// The checkpoints of a run.
struct CheckpointResult {
  std::int64_t count = 0;
  double pause_seconds = 0;   ///< total time in which training paused for snapshots
  std::int64_t waits = 0;     ///< of 0.1 s or more, because the previous checkpoint was not written yet
  double waited_seconds = 0;  ///< total, of shorter waits too
};

/// The results of a run. Losses of one regression target are in its own units.
struct RunResult {
  double seconds = 0;  ///< training and evaluation
  TimeSpent time;      ///< mean over ranks
  double flops = 0;    ///< in training products, all ranks
  std::int64_t samples = 0;
  std::int64_t steps = 0;
  std::int64_t epochs = 0;
  double train_loss = 0;  ///< of the last epoch; with --evaluate: of all training rows. NaN: the data have no answers
  std::optional<Score> test, validation;
  std::optional<TableScores> test_scores, validation_scores;
  std::optional<TableScores> train_scores;  ///< with --evaluate, if there are no test rows
  std::int64_t best_epoch = 0;              ///< the run ends with its weights; 0: with those of the last epoch
  std::optional<Score> train;               ///< of all training rows, with --evaluate
  std::string weights_sha256;
  std::uint64_t weights_fingerprint = 0;
  std::map<std::string, CollectiveTotals> collectives;  ///< of rank 0, by name
  std::optional<SlowestRank> slowest;  ///< none for one rank, and on GPUs: the host cannot measure waits
  MemoryBytes bytes, predicted_bytes;  ///< of each use, the largest of all ranks
  std::optional<CheckpointResult> checkpoints;
  std::int64_t resumed_step = 0;  ///< the first step of this run comes after it

  double samples_per_second() const { return static_cast<double>(samples) / time.training(); }
  double gflops() const { return flops / time.training() / 1e9; }
};

/// Multiplies all losses by `unit`.
void scale_losses(RunResult& result, double unit);

/// Prints the run on rank 0's standard output: a table of epochs (if there are more than 20, of every Nth one), and on
/// a terminal a line of progress under it.
class Console : public TrainingListener {
 public:
  explicit Console(const RunDescription& run);
  void on_steps(const std::vector<StepRecord>& steps) override;
  void on_epoch(const EpochRecord& epoch) override;
  void finish(const RunResult& result);

 private:
  void finish_evaluation(const RunResult& result);
  void print_scores(const RunResult& result);
  void print_epoch(const EpochRecord& epoch);
  bool shows_both() const { return run_.has_test && run_.has_validation; }

  RunDescription run_;
  std::int64_t shown_every_;                ///< epochs
  std::optional<EpochRecord> last_hidden_;  ///< the last epoch, unless it was shown
  bool terminal_;
  double start_;
  double last_progress_;
};

/// Writes --metrics while training runs: {"step":..} for each step, or each `every`th step, and {"epoch":..} after each
/// epoch. An older file of that name stays until the first steps are done.
class MetricsFile : public TrainingListener {
 public:
  /// @throws InputError
  MetricsFile(const std::string& path, std::int64_t every) : path_(path), file_("metrics", path), every_(every) {}
  std::string note() const { return file_.note(); }
  /// Copies the lines of the older file of that name, for the steps and epochs up to this state.
  void keep_until(const TrainState& state);
  void on_steps(const std::vector<StepRecord>& steps) override;
  void on_epoch(const EpochRecord& epoch) override;

 private:
  void flush();

  std::string path_;
  OutputFile file_;
  std::int64_t every_;
  bool published_ = false;
};

/// Writes --summary: one object; src/report/README.md explains its keys.
void write_summary(OutputFile& file, const RunDescription& run, const RunResult& result);

}  // namespace recombine
