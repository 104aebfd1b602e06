#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace recombine {

/// Classes whose names are whole numbers, such as the labels 1 to 26 of a file. Class 0 is the smallest number.
class WholeClasses {
 public:
  explicit WholeClasses(const std::set<std::int64_t>& numbers);
  /// The classes of a saved model. class_of() does not find classes whose names are not whole numbers.
  explicit WholeClasses(const std::vector<std::string>& names);

  const std::vector<std::string>& names() const { return names_; }
  /// None: there is no such class.
  std::optional<std::int32_t> class_of(std::int64_t number) const;

 private:
  std::vector<std::string> names_;
  std::map<std::int64_t, std::int32_t> classes_;
};

}  // namespace recombine
