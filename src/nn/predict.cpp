#include "src/nn/predict.hpp"

namespace recombine {

void for_each_output(RankContext& context, Communicator& group, Trainer& trainer, const DeviceTable& table,
                     const BandReader::Visit& visit) {
  BandReader reader(context, group, "bring outputs", visit);
  for (std::int64_t first = 0; first < table.rows();) {
    const DistMatrix& y = trainer.forward(table, first);
    reader.read(y);
    first += y.rows();
  }
  reader.finish();
}

}  // namespace recombine
