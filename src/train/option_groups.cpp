#include "src/train/option_groups.hpp"

#include "src/program/device_options.hpp"
#include "src/train/batching_command.hpp"
#include "src/train/checkpoint_command.hpp"
#include "src/train/data_command.hpp"

namespace recombine {

namespace {

po::options_description model_options() {
  po::options_description group("Model");
  group.add_options()(
      "hidden", text_option("WIDTHS"),
      "widths of the hidden layers; \"\" for none; default: those of --load, else it depends on the data")(
      "activation", text_option("NAME"),
      "of the hidden layers: relu | gelu (its tanh approximation) | tanh | sigmoid | identity; default: that of "
      "--load, else relu")("no-bias", po::bool_switch(), "layers without bias")(
      "load", text_option("FILE"),
      "start from the weights in FILE (safetensors, written by --save or from a PyTorch state_dict; any mesh); if FILE "
      "describes the table of its training, --data is read in the same way. With --predictions, but without --save, "
      "--epochs, --steps, --metrics, --checkpoint, --patience and --time-limit, nothing is trained")(
      "init", text_option("V,V,..."),
      "the first weights, instead of random ones: layer by layer the weights [out, in] row by row, then the biases; as "
      "many numbers as the network has parameters")(
      "evaluate", po::bool_switch(), "train nothing: print the scores of the weights of --load or --resume")(
      "loss", text_option("NAME", "auto"),
      "auto | mse | cross-entropy; auto: cross-entropy for texts and for few different whole numbers, else mse");
  return group;
}

po::options_description training_options() {
  po::options_description group("Training");
  group.add_options()(
      "batch-size", text_option("N"),
      "rows of a batch, over all ranks; 1: stochastic, all: batch gradient descent; default: depends on the data")(
      "accumulate", text_option("N", "1"),
      "add the gradients of N batches before each update: like N times --batch-size, in the memory of one batch")(
      "optimizer", text_option("NAME", "adamw"), "sgd | momentum | adamw")(
      "lr", text_option("X"), "learning rate; default: depends on the data for adamw, 0.02 for momentum, 0.1 for sgd")(
      "lr-schedule", text_option("NAME", "cosine"),
      "after the warm-up: constant | cosine (to 0) | step (a tenth after each third)")(
      "warmup", text_option("N"),
      "steps over which the rate rises to --lr; default: depends on the data for adamw, else 0")(
      "weight-decay", text_option("X"), "of weights, not of biases; default: depends on the data for adamw, else 0")(
      "clip-norm", text_option("X", "0"), "scale a gradient with a larger norm down to this norm; 0: never")(
      "epochs", text_option("N"), "passes over the training rows; default: depends on the data")(
      "steps", text_option("N"), "stop after N steps")("patience", text_option("N"),
                                                       "stop after N epochs without a better validation loss")(
      "keep-best", po::bool_switch(),
      "end with the weights of the epoch with the lowest validation loss; --patience implies it")(
      "keep-last", po::bool_switch(), "end with the weights of the last epoch")(
      "check-replicas", text_option("N"),
      "after every Nth step, compare the weights and moments that several ranks hold; always at the end of an epoch")(
      "time-limit", text_option("TIME"),
      "write a checkpoint and end with exit code 75 once the program has run this long: 90s, 55m, 1h30m")(
      "seed", text_option("N", "1"), "seed of initial weights, row order, splits and synthetic data");
  return group;
}

po::options_description machine_options() {
  po::options_description group("Machine");
  add_device_options(group);
  group.add_options()("mesh", text_option("IxJxK", "auto"),
                      "the mesh of ranks: the rows of a batch in I parts, the widths of the layers in J and K parts by "
                      "turns; auto: all ranks along I")(
      "memory-limit", text_option("BYTES"),
      "memory per rank for training and its data, such as 2GiB; default: the host's memory / its ranks. If given, "
      "compressed data may grow to more than 1,000 times the size of their file")(
      "precision", text_option("NAME", "f32"),
      "f32 | tf32 (GPU; operands of products) | bf16 (operands of products, activations and their gradients); sums, "
      "weights and updates stay f32");
  return group;
}

po::options_description output_options() {
  po::options_description group("Output");
  group.add_options()(
      "save", text_option("FILE"),
      "write the final model to FILE: in the ONNX format if the name is FILE.onnx, else as safetensors")(
      "predictions", text_option("FILE"),
      "write the prediction of the final weights for each test row, or each training row if there are no test rows, to "
      "FILE as CSV: the class and the probability of each class, or the targets in their own units")(
      "metrics", text_option("FILE"), "write a line of JSON for each step and epoch to FILE")(
      "metrics-every", text_option("N", "1"), "write a line to --metrics only for every Nth step")(
      "summary", text_option("FILE"), "write the results to FILE at the end, as one JSON object")(
      "explain", po::bool_switch(),
      "for small data and networks: print the first 2 steps (or --steps N, at most 5) number by number, as sums and as "
      "products of matrices, and what each rank computes; then end without training; an example for --config is "
      "launch/examples/ad_spend.cfg")("quiet", po::bool_switch(), "print nothing but errors");
  add_common_options(group);
  return group;
}

}  // namespace

po::options_description train_options() {
  po::options_description all;
  all.add(data_options()).add(model_options()).add(training_options()).add(machine_options());
  all.add(batching_options()).add(checkpoint_options()).add(output_options());
  return all;
}

}  // namespace recombine
