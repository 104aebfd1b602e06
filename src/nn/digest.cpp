#include "src/nn/digest.hpp"

#include <array>

#include <openssl/evp.h>

#include "kernels/error.hpp"

namespace recombine {

struct Digest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest() : state_(std::make_unique<State>()) {
  require(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1, "EVP_DigestInit_ex failed");
}

Digest::~Digest() = default;

void Digest::add(const void* bytes, std::size_t size) {
  require(EVP_DigestUpdate(state_->context, bytes, size) == 1, "EVP_DigestUpdate failed");
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  require(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1, "EVP_DigestFinal_ex failed");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace recombine
