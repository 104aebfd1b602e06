#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/io/output_file.hpp"
#include "src/nn/trainer.hpp"
#include "src/report/predictions.hpp"
#include "src/report/table_scores.hpp"

namespace recombine {

/// What to compute with the final weights.
struct FinalQuestions {
  const SharedData& data;
  const TableSchema& schema;  ///< on rank 0
  Answers answers = Answers::present;
  bool scores_training = false;                     ///< score the training rows too
  std::string predictions = {};                     ///< the file of --predictions, for messages; "": none
  OutputFile* file = nullptr;                       ///< that file on rank 0; elsewhere null
  const std::vector<bool>* rows_of_file = nullptr;  ///< of the predicted table, as in LoadedTable; on rank 0
};

/// On rank 0: the scores of the tables that have rows; none if the data have no answers.
struct FinalScores {
  std::optional<TableScores> train, validation, test;
};

/// Claims room for --predictions: a line for each test row, or for each training row if there are no test rows.
/// @throws InputError if the disk is full
void reserve_predictions(const FinalQuestions& questions);

/// Runs the network once over the validation and the test rows, and over the training rows if asked, and scores them.
/// Writes the predictions of the test rows (or of the training rows) in the same pass; does not commit the file. Every
/// rank calls it.
/// @param group  all ranks of the mesh, in its order, for memory of the context's device
/// @throws InputError or Error on rank 0 alone, after the last exchange of a table
FinalScores final_pass(RankContext& context, Communicator& group, Trainer& trainer, const FinalQuestions& questions);

}  // namespace recombine
