#pragma once

#include <string>

#include "distributed/io/output_file.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

/// Claims room for --predictions: a line for each test row, or for each training row if there are no test rows.
/// @throws InputError if the disk is full
void reserve_predictions(OutputFile& file, const SharedData& data);

/// Writes the predictions of these rows to `file` on rank 0 (see report/predictions.hpp); elsewhere it is null. The
/// file is not committed. Every rank calls it.
/// @param group  all ranks of the mesh, in its order, for memory of the context's device
/// @param path   of --predictions, for messages
/// @throws InputError or Error on rank 0 alone, after the last exchange
void write_predictions(RankContext& context, Communicator& group, Trainer& trainer, const SharedData& data,
                       const std::string& path, OutputFile* file);

}  // namespace recombine
