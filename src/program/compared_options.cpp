#include "src/program/compared_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace recombine {

namespace {

/// Options that may differ between ranks. A new option is compared unless it is listed here with a reason.
struct FreeOption {
  std::string_view name;
  std::string_view reason;
};
constexpr std::array kFree = {
    FreeOption{"threads", "hosts may have different numbers of cores; results do not depend on the number of threads"},
    FreeOption{"quiet", "only decides whether rank 0 prints"},
    FreeOption{"config", "each host may have the file at another path; the options read from the file are compared"}};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && at == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// True if the option's placeholder is one capital letter, which means a number: "N", "X (=0)".
bool takes_number(const po::option_description& option) {
  const std::string placeholder = option.format_parameter();
  return !placeholder.empty() && (placeholder.size() == 1 || placeholder[1] == ' ');
}

/// The value in one spelling for equal numbers: 0.1 and 1e-1 give the same text.
std::string normal(const po::option_description& option, const std::string& text) {
  if (takes_number(option)) {
    if (const auto whole = number<std::int64_t>(text)) return fmt::format("{}", *whole);
    if (const auto real = number<double>(text)) return fmt::format("{}", *real);
  }
  const bool plain = !text.empty() && text != "none" && text.find_first_of(" '") == std::string::npos;
  return plain ? text : fmt::format("'{}'", text);
}

std::string value_of(const po::option_description& option, const po::variable_value& value) {
  if (value.empty()) return "none";
  if (const auto* flag = boost::any_cast<bool>(&value.value())) return *flag ? "true" : "false";
  return normal(option, value.as<std::string>());
}

}  // namespace

Facts compared_options(const po::variables_map& values, const po::options_description& table) {
  Facts facts;
  for (const auto& option : table.options()) {
    const std::string& name = option->long_name();
    if (std::ranges::find(kFree, name, &FreeOption::name) != kFree.end()) continue;
    facts.push_back({"--" + name, value_of(*option, values[name])});
  }
  return facts;
}

}  // namespace recombine
