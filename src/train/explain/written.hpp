#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/mesh.hpp"
#include "src/explain/numbers.hpp"
#include "src/explain/text_layout.hpp"

namespace recombine {

/// A number as a factor within a sum: in parentheses if it is negative.
std::string factor(double value);
/// "2*0.5"
std::string product(double a, double b);

/// "HEAD2*0.5 + 5*0.7TAIL\n". Lines of more than kLineWidth columns are broken before a +; the next line begins below
/// the end of `head`.
std::string written_sum(std::string_view head, const std::vector<std::string>& terms, std::string_view tail);

std::string equation(std::initializer_list<EquationPart> parts, std::string_view indent);

/// For results of sums: six digits of the largest number, and as many decimals of numbers below 1 % of it. Sums whose
/// terms almost cancel have only so many right digits; the others depend on the mesh.
Numbers rounded(Numbers numbers);
/// The same, with the size of the terms of each column in place of the largest number.
Numbers rounded(Numbers numbers, const std::vector<double>& column_sizes);

/// The rows of a matrix in brackets.
TextBlock grid(const Numbers& numbers);
Numbers transposed(const Numbers& numbers);

/// "[5,2]"
std::string shape_of(const Numbers& numbers);

/// Numbers from 1: "row 3", "rows 1-4", "no row".
std::string range_text(std::string_view word, Range range);

}  // namespace recombine
