#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include <mpi.h>

#include "kernels/error.hpp"

/// Functions of ScaLAPACK, its BLACS, and OpenBLAS.
extern "C" {
void Cblacs_get(int context, int what, int* value);
void Cblacs_gridinit(int* context, const char* order, int rows, int cols);
void Cblacs_gridinfo(int context, int* rows, int* cols, int* row, int* col);
void Cblacs_gridexit(int context);
void Cblacs_exit(int keep_mpi);
int numroc_(const int* n, const int* block, const int* coord, const int* first, const int* parts);
void descinit_(int* desc, const int* m, const int* n, const int* mb, const int* nb, const int* first_row,
               const int* first_col, const int* context, const int* ld, int* info);
void pdgemm_(const char* trans_a, const char* trans_b, const int* m, const int* n, const int* k, const double* alpha,
             const double* a, const int* ia, const int* ja, const int* desc_a, const double* b, const int* ib,
             const int* jb, const int* desc_b, const double* beta, double* c, const int* ic, const int* jc,
             const int* desc_c);
void openblas_set_num_threads(int threads);
char* openblas_get_corename();
int pilaenv_(const int* context, const char* type);  ///< the program defines it
}

namespace scalapack {

/// Uniform in [-1, 1), a function of the two numbers (splitmix64).
inline double random_value(std::uint64_t tensor, std::uint64_t index) {
  std::uint64_t z = (tensor << 56) + (index + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
}

/// A grid of p x q ranks, and this rank's place in it. @pre p * q ranks
class Grid {
 public:
  Grid(int rows, int cols) : p(rows), q(cols) {
    Cblacs_get(-1, 0, &context);
    Cblacs_gridinit(&context, "Row", p, q);
    Cblacs_gridinfo(context, &rows, &cols, &row, &col);
  }
  ~Grid() { Cblacs_gridexit(context); }
  Grid(const Grid&) = delete;
  Grid& operator=(const Grid&) = delete;

  int p, q, context = 0, row = 0, col = 0;
};

/// This rank's part of a block-cyclic matrix, column-major.
class Matrix {
 public:
  Matrix(const Grid& grid, int rows, int cols, int row_block, int col_block) : grid_(grid) {
    const int zero = 0;
    local_rows_ = numroc_(&rows, &row_block, &grid.row, &zero, &grid.p);
    local_cols_ = numroc_(&cols, &col_block, &grid.col, &zero, &grid.q);
    const int ld = std::max(1, local_rows_);
    int info = 0;
    descinit_(desc_.data(), &rows, &cols, &row_block, &col_block, &zero, &zero, &grid.context, &ld, &info);
    recombine::require(info == 0, "descinit: argument {} is wrong", -info);
    data_.resize(static_cast<std::size_t>(local_rows_) * static_cast<std::size_t>(local_cols_),
                 std::numeric_limits<double>::quiet_NaN());
  }

  const int* desc() const { return desc_.data(); }
  double* data() { return data_.data(); }

  void fill(std::uint64_t tensor) {
    for_each([&](double& x, int row, int col) {
      x = random_value(tensor, static_cast<std::uint64_t>(row) * static_cast<std::uint64_t>(desc_[3]) +
                                   static_cast<std::uint64_t>(col));
    });
  }

  /// The whole matrix times x, the same on every rank.
  std::vector<double> times(const std::vector<double>& x) {
    std::vector<double> y(static_cast<std::size_t>(desc_[2]));
    for_each([&](double element, int row, int col) {
      y[static_cast<std::size_t>(row)] += element * x[static_cast<std::size_t>(col)];
    });
    MPI_Allreduce(MPI_IN_PLACE, y.data(), desc_[2], MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return y;
  }

 private:
  template <class Call>
  void for_each(const Call& call) {
    const auto global = [](int local, int block, int coord, int parts) {
      return (local / block * parts + coord) * block + local % block;
    };
    std::vector<int> rows;
    for (int i = 0; i < local_rows_; ++i) rows.push_back(global(i, desc_[4], grid_.row, grid_.p));
    double* element = data_.data();
    for (int j = 0; j < local_cols_; ++j) {
      const int col = global(j, desc_[5], grid_.col, grid_.q);
      for (const int row : rows) call(*element++, row, col);
    }
  }

  const Grid& grid_;
  std::array<int, 9> desc_{};
  int local_rows_, local_cols_;
  std::vector<double> data_;
};

}  // namespace scalapack
