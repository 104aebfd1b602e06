/// Trains a small network to classify the points of two spirals, on any mesh:   mpirun -np 4 ./nn_example 1x2x2
/// The default is Px1x1: each of the P ranks has a share of the rows of every batch.

#include <cmath>
#include <cstdio>
#include <exception>
#include <numbers>

#include "distributed/session.hpp"
#include "src/nn/trainer.hpp"

using namespace recombine;

/// Points (x, y) on two spirals, from the centre outwards. The label of a point is the number of its spiral.
LoadedData two_spirals() {
  LoadedData data{.name = "two spirals", .classes = 2};
  data.train = {.rows = 2000, .inputs = 2};
  for (std::int64_t row = 0; row < data.train.rows; ++row) {
    const auto spiral = static_cast<std::int32_t>(row % 2);
    const double radius = static_cast<double>(row + 1) / static_cast<double>(data.train.rows);
    const double angle = std::numbers::pi * (2 * radius + spiral);  // one turn; the spirals are opposite each other
    data.train.features.push_back(static_cast<float>(radius * std::cos(angle)));
    data.train.features.push_back(static_cast<float>(radius * std::sin(angle)));
    data.train.labels.push_back(spiral);
  }
  return data;
}

/// Prints the loss of each epoch. Every rank has the same losses, so rank 0 alone prints them.
struct Printer : TrainingListener {
  explicit Printer(int rank) : rank(rank) {}
  void on_epoch(const EpochRecord& epoch) override {
    if (rank == 0) std::printf("epoch %d loss %.9g\n", static_cast<int>(epoch.epoch), epoch.train_loss);
  }
  int rank;
};

void run(Session& session, const Mesh& mesh) {
  const auto device = make_device({.threads = 1, .progress = session.progress()});
  const auto world = make_world(session);
  const auto stream = device->make_stream(StreamUse::host);
  const SharedData data(session, *world, *stream, two_spirals);  // one copy per host, which its ranks share
  RankContext context(mesh, *world, *device);

  // On a mesh IxJxK each rank holds 1/(JK) of every weight matrix, and computes 1/I of the rows of every batch.
  Trainer trainer(context, data,
                  {.model = {.inputs = data.inputs(), .hidden = {32, 32}, .outputs = data.outputs()},
                   .batch_size = 100,
                   .epochs = 10,
                   .schedule = {.lr = 0.01}});
  Printer printer(session.rank());
  trainer.run(printer);
  const Score score = trainer.evaluate(trainer.train_table());  // every rank calls it
  if (session.rank() != 0) return;
  std::printf("mesh %s loss %.9g accuracy %.4f\n", mesh.to_string().c_str(), score.loss, score.accuracy);
}

int main(int argc, char** argv) {
  Session session(argc, argv);
  try {
    run(session, argc > 1 ? Mesh::parse(argv[1]) : Mesh(session.size(), 1, 1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nn_example: %s\n", error.what());
    Session::abort(1);
  }
}
