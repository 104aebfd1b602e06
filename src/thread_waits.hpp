#pragma once

namespace recombine {

/// Lets OpenMP's threads wait for each other for tens of microseconds and then sleep, unless the user has said how they
/// wait (GOMP_SPINCOUNT, OMP_WAIT_POLICY). By default they spin for milliseconds: next to a busy process on their core
/// they use up their time in that, and training takes ten times as long. OpenMP reads this when it is loaded, so this
/// may start the program anew, in the same process. Call it first in main().
void let_threads_wait_briefly(char** argv);

}  // namespace recombine
