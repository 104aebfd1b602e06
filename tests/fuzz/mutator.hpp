#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace recombine::fuzz {

/// Makes mutated copies of a corpus's inputs; the same corpus gives the same sequence.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string input = corpus_[below(corpus_.size())];
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(input);
    return input;
  }

 private:
  /// Words that often break parsers: characters of their grammars, limits of number types, placeholders.
  static constexpr std::array<std::string_view, 39> kWords = {"9223372036854775807",
                                                              "9223372036854775808",
                                                              "4611686018427387904",
                                                              "-1",
                                                              "4294967295",
                                                              "4294967296",
                                                              "2147483647",
                                                              "65536",
                                                              "0",
                                                              "1e308",
                                                              "1e-308",
                                                              "1e999",
                                                              "nan",
                                                              "inf",
                                                              "-inf",
                                                              "0x10",
                                                              "%value%",
                                                              "%option%",
                                                              "%canonical_option%",
                                                              "%prefix%",
                                                              "{}",
                                                              "{0}",
                                                              "\"",
                                                              "'",
                                                              ",",
                                                              ",,",
                                                              "=",
                                                              "\n",
                                                              "\r\n",
                                                              "#",
                                                              "x",
                                                              "--",
                                                              ":",
                                                              "[",
                                                              "]",
                                                              "{",
                                                              "}",
                                                              "true",
                                                              "y"};
  static constexpr std::size_t kLongest = 1 << 16;

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void change(std::string& input) {
    const std::size_t at = below(input.size() + 1);
    const std::size_t length = 1 + below(below(2) == 0 ? 4 : 64);
    switch (below(8)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      case 2: input.erase(at, length); break;
      case 3: input.insert(at, input.substr(below(input.size() + 1), length)); break;
      case 4: input.insert(at, kWords[below(kWords.size())]); break;
      case 5: replace_number(input, at); break;
      case 6: {
        const std::string& other = corpus_[below(corpus_.size())];
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
      default:  // repeats a part many times
        for (std::size_t times = below(200); times > 0 && input.size() < kLongest; --times) {
          input.insert(at, input.substr(at, length));
        }
    }
    if (input.size() > kLongest) input.resize(kLongest);
  }

  void replace_number(std::string& input, std::size_t at) {
    const std::size_t begin = input.find_first_of("0123456789", at);
    if (begin == std::string::npos) return;
    const std::size_t end = std::min(input.find_first_not_of("0123456789.", begin), input.size());
    input.replace(begin, end - begin, kWords[below(16)]);
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_{1};  // NOLINT: the same inputs in each run
};

}  // namespace recombine::fuzz
