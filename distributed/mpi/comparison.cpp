#include "distributed/comparison.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ranges>
#include <sstream>

#include <mpi.h>

#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/error.hpp"

namespace recombine {

using mpi::check;

namespace {

constexpr std::uint64_t kMagic = 0x52656362'696E6521;  // "Recbine!"
constexpr std::uint64_t kProtocol = 1;

/// FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv
template <class Range>
std::uint64_t fnv1a(const Range& bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  return hash;
}

/// Names and values, each followed by a zero byte: options, file names and variables contain no zero byte.
std::string encode(const Facts& facts) {
  std::string text;
  for (const Fact& fact : facts) {
    for (const std::string& part : {fact.name, fact.value}) text.append(part).push_back('\0');
  }
  return text;
}

/// All fields except `where`.
std::string encode(const Statement& statement) {
  return std::to_string(statement.self.size()) + '\0' + encode(statement.self) + statement.failure + '\0' +
         encode(statement.facts);
}

Statement decode(std::string where, const std::string& text) {
  std::istringstream parts(text);
  const auto next = [&] {
    std::string part;
    std::getline(parts, part, '\0');
    return part;
  };
  Statement statement{.where = std::move(where)};
  const std::string count = next();
  for (std::size_t i = std::strtoul(count.c_str(), nullptr, 10); i > 0; --i) {
    std::string name = next();
    statement.self.push_back({std::move(name), next()});
  }
  statement.failure = next();
  for (std::string name = next(); parts; name = next()) statement.facts.push_back({name, next()});
  return statement;
}

}  // namespace

bool same_on_every_rank(const Session& /*session*/, const std::string& text) {
  constexpr std::size_t kWords = 4;
  std::array<std::uint64_t, 2 * kWords> words = {kMagic, kProtocol, fnv1a(text), fnv1a(std::views::reverse(text))};
  for (std::size_t i = 0; i < kWords; ++i) words[kWords + i] = ~words[i];
  check(MPI_Allreduce(MPI_IN_PLACE, words.data(), 2 * kWords, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD), "MPI_Allreduce");
  bool same = true;  // the maximum of a word and of its complement give its largest and smallest value
  for (std::size_t i = 0; i < kWords; ++i) same = same && words[i] == ~words[kWords + i];
  return same;
}

std::vector<std::string> from_every_rank(const Session& session, const std::string& own) {
  const auto np = static_cast<std::size_t>(session.size());
  const int size = static_cast<int>(own.size());
  std::vector<int> sizes(np);
  check(MPI_Allgather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, MPI_COMM_WORLD), "MPI_Allgather");
  const std::int64_t total = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  require(total <= std::numeric_limits<int>::max(), "{} ranks exchange {} bytes of text; expected less than 2 GiB", np,
          total);
  std::vector<int> begins(np);
  for (std::size_t r = 1; r < np; ++r) begins[r] = begins[r - 1] + sizes[r - 1];
  std::string all(static_cast<std::size_t>(total), '\0');
  check(MPI_Allgatherv(own.data(), size, MPI_CHAR, all.data(), sizes.data(), begins.data(), MPI_CHAR, MPI_COMM_WORLD),
        "MPI_Allgatherv");
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < np; ++r) {
    texts.push_back(all.substr(static_cast<std::size_t>(begins[r]), static_cast<std::size_t>(sizes[r])));
  }
  return texts;
}

void require_same_start(const Session& session, const Statement& own) {
  const std::string text = encode(own);
  if (same_on_every_rank(session, text)) return;
  const std::vector<std::string> places = from_every_rank(session, own.where);
  const std::vector<std::string> texts = from_every_rank(session, text);
  std::vector<Statement> statements;
  for (std::size_t r = 0; r < texts.size(); ++r) statements.push_back(decode(places[r], texts[r]));
  const auto difference = find_difference(statements);
  throw InputError(difference.value_or("the ranks run different versions of this program: expected one"));
}

std::vector<Library> libraries() {
  std::vector<Library> all = kernel_libraries();
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  // "Open MPI v4.1.4, package: ..."
  std::string version(text.data(), static_cast<std::size_t>(length));
  version = version.substr(0, version.find(','));
  const std::size_t number = version.find(" v");
  all.push_back(number == std::string::npos ? Library{"MPI", version}
                                            : Library{version.substr(0, number), version.substr(number + 2)});
  return all;
}

}  // namespace recombine
