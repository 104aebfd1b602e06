#pragma once

#include <string_view>

namespace recombine {

/// True for a date, a time, or both: 2021-03-04, 2021/3/4, 4.3.2021, 03/04/2021, 3/4/21, 12:30, 12:30:05.5,
/// 2021-03-04T12:30:00Z, 2021-03-04 12:30:00+01:00, 3/4/2021 9:05 PM.
bool is_date(std::string_view text);

}  // namespace recombine
