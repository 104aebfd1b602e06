#pragma once

namespace recombine {

/// Makes OpenMP's threads spin for tens of microseconds and then sleep when they wait for each other, unless the user
/// has set GOMP_SPINCOUNT or OMP_WAIT_POLICY. By default they spin for milliseconds. If their core also has a busy
/// process, they spend their time slices spinning, and training takes ten times as long. OpenMP reads GOMP_SPINCOUNT
/// when it is loaded, so this function sets it and restarts the program in the same process. Call it first in main().
void let_threads_wait_briefly(char** argv);

}  // namespace recombine
