#include "src/report/answer_names.hpp"

#include <fmt/format.h>

namespace recombine {

bool has_names(const TableSchema& schema) {
  return !schema.inputs.empty() && !schema.targets.empty() && !schema.targets.front().name.empty();
}

std::vector<std::string> class_names(const TableSchema& schema, std::int64_t classes) {
  std::vector<std::string> names = schema.classes;
  for (auto n = static_cast<std::int64_t>(names.size()); n < classes; ++n) names.push_back(fmt::format("{}", n));
  return names;
}

std::vector<std::string> target_names(const TableSchema& schema, std::int64_t targets) {
  std::vector<std::string> names;
  for (std::int64_t n = 0; n < targets; ++n) {
    const bool named = has_names(schema) && n < static_cast<std::int64_t>(schema.targets.size());
    names.push_back(named ? schema.targets[static_cast<std::size_t>(n)].name : fmt::format("target{}", n));
  }
  return names;
}

double loss_unit(const TableSchema& schema) {
  if (!schema.classes.empty() || schema.targets.size() != 1) return 1;
  return schema.targets.front().deviation * schema.targets.front().deviation;
}

std::string csv_cell(const std::string& text) {
  const bool plain =
      text.find_first_of(",\"\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ');
  if (plain) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + '"';
}

}  // namespace recombine
