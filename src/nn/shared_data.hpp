#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "distributed/host_shared.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// A data set held once per host, in memory that its ranks share. Features in a FeatureStore stay there: all ranks map
/// its memory, or read its file on a disk.
class SharedData {
 public:
  /// `load` is called on the first rank of each host. Blocks; every rank calls it.
  /// @throws on every rank: the error that `load` threw on any rank; InputError if the vectors or the store of a table
  /// do not have the sizes that the table states, if a label is not a class, if hosts loaded different data, or if the
  /// ranks of a host cannot open a file on a disk that one of them has made
  SharedData(const Session& session, Communicator& world, Stream& stream, const std::function<LoadedData()>& load);

  std::int64_t bytes() const;  ///< in the host's memory; without features on a disk
  const std::string& name() const { return name_; }
  /// For the training, the test and the validation table, its shape and the first 16 digits of its SHA-256 digest; then
  /// the number of classes, and the factors of the inputs. Equal data give equal texts, from whatever files they were
  /// read. Reads all data.
  std::vector<std::string> contents() const;
  std::int64_t classes() const { return classes_; }  ///< 0: regression
  std::int64_t inputs() const { return train_.features.cols; }
  std::int64_t outputs() const { return classes_ > 0 ? classes_ : train_.targets.cols; }
  const Affine& input() const { return input_; }
  const Table& train() const { return train_; }
  const Table& test() const { return test_; }              ///< without rows: none
  const Table& validation() const { return validation_; }  ///< without rows: none

 private:
  /// Features that the loading rank has stored.
  struct StoredFeatures {
    std::unique_ptr<HostShared> memory;
    std::unique_ptr<FeatureStore> disk;
  };
  struct Header;
  struct Loading;
  static Header header_of(const LoadedData& loaded, bool several_hosts);
  static void require_same_tables(const Session& session, const Header& header);
  void share_stores(const Loading& loading, const Header& header, const LoadedData& loaded);

  std::unique_ptr<HostShared> memory_;
  std::array<StoredFeatures, 3> stored_;  ///< of tables()
  std::string name_;
  std::int64_t classes_ = 0;
  Affine input_;
  Table train_, test_, validation_;
};

}  // namespace recombine
