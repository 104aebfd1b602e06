#pragma once

#include "distributed/session.hpp"

namespace recombine::test {

/// The only Session of the process, which main() of the tests creates.
Session& session();

}  // namespace recombine::test
