// cublaslt_sizes_test REAL STAND_IN: compares all attributes of the descriptors of the real cuBLASLt with the stand-in.
// The real library's descriptor calls need no GPU. Exit code 77 if the real library cannot be loaded.
#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <cublasLt.h>
#include <dlfcn.h>

namespace {

constexpr int kSkipped = 77;
constexpr int kAttributes = 64;  // more than the library has
constexpr std::array<std::size_t, 7> kSizes{1, 2, 4, 8, 12, 16, 64};

/// One of the two libraries, loaded without making its symbols visible to the other.
class Library {
 public:
  explicit Library(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) std::fprintf(stderr, "%s\n", dlerror());
  }
  explicit operator bool() const { return handle_ != nullptr; }
  template <class Function>
  Function* find(const char* name) const {
    void* const found = dlsym(handle_, name);
    if (!found) std::fprintf(stderr, "%s is missing\n", name);
    return reinterpret_cast<Function*>(found);
  }

 private:
  void* handle_;  // never closed: unloading such a large library is not safe
};

/// A descriptor of one library.
struct Descriptor {
  std::shared_ptr<void> owner;
  std::function<cublasStatus_t(int id, const void* value, std::size_t bytes)> set;
  std::function<cublasStatus_t(int id, void* value, std::size_t bytes, std::size_t* written)> get;
};

template <class Handle, class Id, class Create, class... Arguments>
Descriptor descriptor(const Library& library, const char* kind, Create* create, Arguments... arguments) {
  Handle handle = nullptr;
  if (!create || create(&handle, arguments...) != CUBLAS_STATUS_SUCCESS) return {};
  const std::string prefix = std::string("cublasLt") + kind;
  auto* const set =
      library.find<cublasStatus_t(Handle, Id, const void*, std::size_t)>((prefix + "SetAttribute").c_str());
  auto* const get =
      library.find<cublasStatus_t(Handle, Id, void*, std::size_t, std::size_t*)>((prefix + "GetAttribute").c_str());
  auto* const destroy = library.find<cublasStatus_t(Handle)>((prefix + "Destroy").c_str());
  if (!set || !get || !destroy) return {};
  return {{handle, [=](void* owned) { destroy(static_cast<Handle>(owned)); }},
          [=](int id, const void* value, std::size_t bytes) { return set(handle, static_cast<Id>(id), value, bytes); },
          [=](int id, void* value, std::size_t bytes, std::size_t* written) {
            return get(handle, static_cast<Id>(id), value, bytes, written);
          }};
}

Descriptor operation(const Library& library) {
  return descriptor<cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t>(
      library, "MatmulDesc", library.find<decltype(cublasLtMatmulDescCreate)>("cublasLtMatmulDescCreate"),
      CUBLAS_COMPUTE_32F, CUDA_R_32F);
}

Descriptor layout(const Library& library) {
  return descriptor<cublasLtMatrixLayout_t, cublasLtMatrixLayoutAttribute_t>(
      library, "MatrixLayout", library.find<decltype(cublasLtMatrixLayoutCreate)>("cublasLtMatrixLayoutCreate"),
      CUDA_R_32F, std::uint64_t{5}, std::uint64_t{7}, std::int64_t{9});
}

Descriptor preference(const Library& library) {
  return descriptor<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t>(
      library, "MatmulPreference",
      library.find<decltype(cublasLtMatmulPreferenceCreate)>("cublasLtMatmulPreferenceCreate"));
}

/// The two libraries' answers about one attribute.
class Comparison {
 public:
  Comparison(const char* kind, const Descriptor& real, const Descriptor& stand_in)
      : kind_(kind), real_(real), stand_in_(stand_in) {}

  /// Returns false if the stand-in does not know the attribute.
  bool run(int id) {
    std::size_t expected = 0;
    std::size_t bytes = 0;
    const auto status = stand_in_.get(id, nullptr, 0, &bytes);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return false;
    expect(id, "status of the size", real_.get(id, nullptr, 0, &expected), status);
    expect(id, "size", expected, bytes);
    std::array<long long, 8> real_value{};
    std::array<long long, 8> value{};
    expect(id, "status of the value", real_.get(id, real_value.data(), expected, nullptr),
           stand_in_.get(id, value.data(), expected, nullptr));
    for (std::size_t i = 0; i < value.size(); ++i) expect(id, "default value", real_value[i], value[i]);
    for (const std::size_t size : kSizes) {
      expect(id, "status of a set", real_.set(id, real_value.data(), size), stand_in_.set(id, real_value.data(), size));
      expect(id, "status of a get", real_.get(id, value.data(), size, nullptr),
             stand_in_.get(id, value.data(), size, nullptr));
    }
    expect(id, "status of a null set", real_.set(id, nullptr, expected), stand_in_.set(id, nullptr, expected));
    return true;
  }
  int failures() const { return failures_; }

 private:
  void expect(int id, const char* what, long long real, long long stand_in) {
    if (real == stand_in) return;
    ++failures_;
    std::printf("%s attribute %d: %s is %lld, in the stand-in %lld\n", kind_, id, what, real, stand_in);
  }

  const char* kind_;
  const Descriptor& real_;
  const Descriptor& stand_in_;
  int failures_ = 0;
};

/// Returns the number of differences. The stand-in must know the attributes in `needed`.
int compare(const char* kind, const Descriptor& real, const Descriptor& stand_in, const std::set<int>& needed) {
  if (!real.set || !stand_in.set) {
    std::printf("%s cannot be created\n", kind);
    return 1;
  }
  Comparison comparison(kind, real, stand_in);
  int known = 0;
  int missing = 0;
  for (int id = 0; id < kAttributes; ++id) {
    const bool is_known = comparison.run(id);
    known += is_known ? 1 : 0;
    if (is_known || !needed.contains(id)) continue;
    ++missing;
    std::printf("%s attribute %d is not known to the stand-in\n", kind, id);
  }
  std::printf("%s: %d attributes compared\n", kind, known);
  return comparison.failures() + missing;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: cublaslt_sizes_test REAL STAND_IN\n");
    return 2;
  }
  const Library real(argv[1]);
  const Library stand_in(argv[2]);
  if (!stand_in) return 1;
  if (!real) return kSkipped;
  if (real.find<decltype(cublasLtGetVersion)>("cublasLtGetVersion") ==
      stand_in.find<decltype(cublasLtGetVersion)>("cublasLtGetVersion")) {
    std::printf("%s and %s are one library\n", argv[1], argv[2]);
    return 1;
  }
  const int differences =
      compare("MatmulDesc", operation(real), operation(stand_in),
              {CUBLASLT_MATMUL_DESC_TRANSA, CUBLASLT_MATMUL_DESC_TRANSB, CUBLASLT_MATMUL_DESC_EPILOGUE,
               CUBLASLT_MATMUL_DESC_BIAS_POINTER, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER,
               CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE}) +
      compare("MatrixLayout", layout(real), layout(stand_in),
              {CUBLASLT_MATRIX_LAYOUT_ORDER, CUBLASLT_MATRIX_LAYOUT_LD}) +
      compare("MatmulPreference", preference(real), preference(stand_in),
              {CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES});
  return differences == 0 ? 0 : 1;
}
