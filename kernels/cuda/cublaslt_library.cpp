#include "kernels/cuda/cublaslt_library.hpp"

#include <string>

#include <dlfcn.h>

#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

/// The address of a library function. Converts to the function type that it is assigned to.
struct Function {
  void* address;
  template <class F>
  operator F*() const {
    return reinterpret_cast<F*>(address);
  }
};

CublasLtLibrary load() {
  // The name has no slash, so the loader searches the system's folders and our RUNPATH, never the current folder.
  const std::string name = fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR);
  void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  require(library != nullptr, "cuBLASLt cannot be loaded: {}", library ? "" : dlerror());
  const auto find = [&](const char* function) {
    void* const address = dlsym(library, function);
    require(address != nullptr, "{} has no function {}", name, function);
    return Function{address};
  };
  return {.create = find("cublasLtCreate"),
          .destroy = find("cublasLtDestroy"),
          .status_name = find("cublasLtGetStatusName"),
          .status_string = find("cublasLtGetStatusString"),
          .operation_create = find("cublasLtMatmulDescCreate"),
          .operation_destroy = find("cublasLtMatmulDescDestroy"),
          .operation_set = find("cublasLtMatmulDescSetAttribute"),
          .layout_create = find("cublasLtMatrixLayoutCreate"),
          .layout_destroy = find("cublasLtMatrixLayoutDestroy"),
          .preference_create = find("cublasLtMatmulPreferenceCreate"),
          .preference_destroy = find("cublasLtMatmulPreferenceDestroy"),
          .preference_set = find("cublasLtMatmulPreferenceSetAttribute"),
          .find_algorithm = find("cublasLtMatmulAlgoGetHeuristic"),
          .multiply = find("cublasLtMatmul")};
}

}  // namespace

const CublasLtLibrary& cublaslt() {
  static const CublasLtLibrary library = load();
  return library;
}

}  // namespace recombine::cuda
