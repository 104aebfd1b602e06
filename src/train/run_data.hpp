#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/nn/shared_data.hpp"
#include "src/report/predictions.hpp"
#include "src/train/prepare.hpp"

namespace recombine {

/// The data of a run, how they were read, and what the file of --load or --resume says about its network.
class RunData {
 public:
  /// Reads the files. Blocks; every rank calls it. @throws InputError on every rank
  RunData(const Session& session, const TrainCommand& command, const RankMemory& memory, Communicator& world,
          Stream& stream);

  const SharedData& tables() const { return tables_; }
  const std::optional<SavedNetwork>& saved() const { return saved_; }  ///< of --load or --resume FILE
  Answers answers() const { return answers_; }
  DataFacts::Kind kind() const { return kind_; }
  const TableSchema& schema() const { return set_.schema; }  ///< on rank 0; elsewhere it may be empty
  /// LoadedTable::rows_of_file of the test rows, or of the training rows if there are no test rows; on rank 0.
  const std::vector<bool>& predicted_rows() const { return predicted_rows_; }
  const std::vector<std::string>& notes() const { return set_.notes; }  ///< for the screen; on rank 0

 private:
  std::optional<SavedNetwork> saved_;
  DataSet set_;  ///< on the first rank of each host; without the tables
  std::vector<bool> predicted_rows_;
  SharedData tables_;
  Answers answers_ = Answers::present;
  DataFacts::Kind kind_ = DataFacts::Kind::table;
};

}  // namespace recombine
