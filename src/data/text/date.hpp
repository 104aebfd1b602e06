#pragma once

#include <string_view>

namespace recombine {

/// True for a date, a time, or both: 2021-03-04, 2021/3/4, 4.3.2021, 03/04/2021, 3/4/21, 12:30, 12:30:05.5,
/// 2021-03-04T12:30:00Z, 2021-03-04 12:30:00+01:00, 3/4/2021 9:05 PM; with an English name of the month: 01 Jan 1990,
/// Jan 1, 1990, 1-Jan-90, Jan-90; for a month, 2021-03; and for a duration: 1 days 02:00:00, 36:15:00.
bool is_date(std::string_view text);

}  // namespace recombine
