#pragma once

#include "distributed/session.hpp"

namespace recombine::test {

/// The process's one Session, made by the tests' main.
Session& session();

}  // namespace recombine::test
