#include "distributed/host/host_links.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <mpi.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distributed/host/rank_watcher.hpp"
#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

using mpi::check;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{2};

using Name = std::array<char, 128>;

/// The addresses where host 0 listens. The token identifies the job: connections of other programs do not have it.
struct Offer {
  std::uint64_t token = 0;
  std::uint16_t port = 0;
  int addresses = 0;
  std::array<in_addr, 8> address{};
};

struct Greeting {
  std::uint64_t token = 0;
  int host = 0;
};

void set_option(int file, int level, int option, int value) { setsockopt(file, level, option, &value, sizeof value); }

/// From now on, if the peer does not answer for 3 to 4 s, the kernel closes this connection with an error.
void keep_alive(int file) {
  set_option(file, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(file, IPPROTO_TCP, TCP_KEEPIDLE, 1);
  set_option(file, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(file, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void limit_waiting(int file, int milliseconds) {
  const timeval limit{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * suseconds_t{1000}};
  setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);  // limits connect() too
}

bool send_greeting(int file, const Greeting& greeting) {
  return send(file, &greeting, sizeof greeting, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof greeting);
}
bool receive_greeting(int file, std::uint64_t token, Greeting& greeting) {
  return recv(file, &greeting, sizeof greeting, MSG_WAITALL) == static_cast<ssize_t>(sizeof greeting) &&
         greeting.token == token;
}

Offer offer_of(int listener) {
  Offer offer;
  sockaddr_in place{};
  socklen_t length = sizeof place;
  if (listen(listener, SOMAXCONN) != 0) return offer;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&place), &length) != 0) return offer;
  offer.port = place.sin_port;
  std::random_device random;
  offer.token = (std::uint64_t{random()} << 32U) | random();
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return offer;
  for (const ifaddrs* at = first; at && offer.addresses < static_cast<int>(offer.address.size()); at = at->ifa_next) {
    const bool right = at->ifa_addr && at->ifa_addr->sa_family == AF_INET && (at->ifa_flags & IFF_UP) != 0 &&
                       (at->ifa_flags & IFF_LOOPBACK) == 0;
    if (!right) continue;
    sockaddr_in address{};
    std::memcpy(&address, at->ifa_addr, sizeof address);
    offer.address[static_cast<std::size_t>(offer.addresses++)] = address.sin_addr;
  }
  freeifaddrs(first);
  return offer;
}

void set_what(HostLink& link, const std::string& what) {
  link.what.fill('\0');
  what.copy(link.what.data(), link.what.size() - 1);
}

/// Blocks all signals on this thread during its lifetime: a signal would interrupt connect(), poll() and recv().
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// On host 0: waits until the other hosts have connected, and passes the connections to the watcher.
void accept_others(int listener, const Offer& offer, const std::vector<std::string>& hosts, HostLink link) {
  const auto end = Clock::now() + kPatience;
  for (std::size_t missing = hosts.size() - 1; missing > 0;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd caller{.fd = listener, .events = POLLIN, .revents = 0};
    if (left <= 0 || poll(&caller, 1, static_cast<int>(left)) <= 0) return;
    const FileDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.get() < 0) return;
    limit_waiting(socket.get(), 200);
    Greeting greeting;
    if (!receive_greeting(socket.get(), offer.token, greeting) || !send_greeting(socket.get(), greeting)) continue;
    if (greeting.host < 1 || static_cast<std::size_t>(greeting.host) >= hosts.size()) continue;
    keep_alive(socket.get());
    set_what(link, hosts[static_cast<std::size_t>(greeting.host)]);
    pass_link_to_watcher(socket.get(), link);
    --missing;
  }
}

/// On another host: connects to the first of host 0's addresses that works, and passes the connection to the watcher.
void connect_to_first(const Offer& offer, int host, const std::vector<std::string>& hosts, HostLink link) {
  for (int a = 0; a < offer.addresses; ++a) {
    const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = offer.port;
    place.sin_addr = offer.address[static_cast<std::size_t>(a)];
    limit_waiting(socket.get(), 500);
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) != 0) continue;
    Greeting greeting{.token = offer.token, .host = host};
    if (!send_greeting(socket.get(), greeting) || !receive_greeting(socket.get(), offer.token, greeting)) continue;
    keep_alive(socket.get());
    if (host == 1) set_what(link, hosts.front());  // only host 1 reports the loss of host 0
    pass_link_to_watcher(socket.get(), link);
    return;
  }
}

struct Resident {
  Name host{};
  pid_t process = 0;
};

Name name_of(const Session& session) {
  Name name{};
  session.host().copy(name.data(), name.size() - 1);
  return name;
}

/// "host h1 with ranks 2, 3"
std::string describe(const Name& host, const std::vector<Resident>& ranks) {
  std::string list;
  int count = 0;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].host != host) continue;
    list += (count++ == 0 ? "" : ", ") + std::to_string(r);
  }
  return std::string("host ") + host.data() + (count == 1 ? " with rank " : " with ranks ") + list;
}

/// The processes to end if the link is lost: this host's ranks, and Open MPI's daemon (orted), which would wait many
/// minutes for the lost network.
HostLink link_of(const Name& host, const std::vector<Resident>& ranks) {
  HostLink link;
  std::size_t count = 0;
  for (const Resident& rank : ranks) {
    if (rank.host == host && count + 1 < link.dependents.size()) link.dependents[count++] = rank.process;
  }
  std::string parent;
  std::ifstream("/proc/" + std::to_string(getppid()) + "/comm") >> parent;
  if (parent == "orted") link.dependents[count] = getppid();
  return link;
}

}  // namespace

void watch_other_hosts(const Session& session) {
  if (session.local_size() == session.size()) return;
  MPI_Comm leaders = MPI_COMM_NULL;
  const int color = session.local_rank() == 0 ? 0 : MPI_UNDEFINED;
  check(MPI_Comm_split(MPI_COMM_WORLD, color, session.rank(), &leaders), "MPI_Comm_split");
  const Resident self{.host = name_of(session), .process = getpid()};
  std::vector<Resident> ranks(static_cast<std::size_t>(session.size()));
  check(MPI_Allgather(&self, sizeof self, MPI_BYTE, ranks.data(), sizeof self, MPI_BYTE, MPI_COMM_WORLD),
        "MPI_Allgather");
  if (leaders == MPI_COMM_NULL) return;
  int host = 0, count = 0;
  check(MPI_Comm_rank(leaders, &host), "MPI_Comm_rank");
  check(MPI_Comm_size(leaders, &count), "MPI_Comm_size");
  std::vector<Name> names(static_cast<std::size_t>(count));
  check(MPI_Allgather(&self.host, sizeof self.host, MPI_BYTE, names.data(), sizeof self.host, MPI_BYTE, leaders),
        "MPI_Allgather");
  std::vector<std::string> hosts;
  hosts.reserve(names.size());
  for (const Name& name : names) hosts.push_back(describe(name, ranks));
  const HostLink link = link_of(self.host, ranks);
  const FileDescriptor listener(host == 0 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1);
  Offer offer;
  if (host == 0) offer = offer_of(listener.get());
  check(MPI_Bcast(&offer, sizeof offer, MPI_BYTE, 0, leaders), "MPI_Bcast");
  check(MPI_Comm_free(&leaders), "MPI_Comm_free");
  if (offer.addresses == 0) return;
  const SignalsBlocked blocked;
  if (host == 0) accept_others(listener.get(), offer, hosts, link);
  if (host != 0) connect_to_first(offer, host, hosts, link);
}

}  // namespace recombine
