#define _GNU_SOURCE
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handover.h"
#include "report.h"

enum { BACKLOG = 4096, DNS_PORT = 53 };

struct wanted {
  const char *scope;
  int type; /* SOCK_STREAM or SOCK_DGRAM */
  long port;
  const char *v4, *v6; /* addresses; NULL: not in this family */
};

static void set_option(int fd, int level, int name) {
  int on = 1;
  if (setsockopt(fd, level, name, &on, sizeof on) < 0) fail("listeners", "setsockopt");
}

static int bound(int family, const struct wanted *wanted, const char *address) {
  int fd = socket(family, wanted->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("listeners", "socket");
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wanted->port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)wanted->port)};
  void *into = family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr;
  if (inet_pton(family, address, into) != 1) fail("listeners", address);
  const struct sockaddr *name = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
  /* Their own families each: a v4 connection then shows as v4, not as ::ffff:. */
  if (family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  if (bind(fd, name, family == AF_INET ? sizeof v4 : sizeof v6) < 0)
    fail("listeners", text_of("bind %s port %ld", address, wanted->port));
  if (wanted->type == SOCK_STREAM && listen(fd, BACKLOG) < 0) fail("listeners", "listen");
  return fd;
}

static unsigned offer(const struct wanted *wanted, int family, const char *address) {
  if (!address) return 0;
  int fd = bound(family, wanted, address);
  char line[256];
  bool tcp = wanted->type == SOCK_STREAM;
  int v = family == AF_INET ? 4 : 6;
  snprintf(line, sizeof line,
           "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s\",\"dgramType\":\"udp%d\","
           "\"msg\":{\"scope\":\"%s\",\"port\":%ld,\"family\":%d}}\n",
           tcp ? "net.Server" : "dgram.Socket", v, wanted->scope, wanted->port, v);
  hand_over(line, fd);
  /* Our own copy would keep the port open after Node closed it. */
  close(fd);
  return 1;
}

static unsigned open_both(const struct wanted *wanted, bool ipv6) {
  unsigned made = offer(wanted, AF_INET, wanted->v4);
  return made + (ipv6 ? offer(wanted, AF_INET6, wanted->v6) : 0);
}

unsigned hand_over_listeners(const struct spec *spec, bool ipv6) {
  unsigned made = 0;
  const struct wanted proxy = {"proxy", SOCK_STREAM, port_of(spec->proxy_port), "127.0.0.1", NULL};
  const struct wanted dns = {"dns", SOCK_STREAM, DNS_PORT, "0.0.0.0", "::"};
  /* A v6 wildcard would answer from ::1 whatever was asked, and the asker would wait for its timeout. */
  const struct wanted dns_udp = {"dns", SOCK_DGRAM, DNS_PORT, "0.0.0.0", "::1"};
  made += open_both(&proxy, ipv6) + open_both(&dns, ipv6) + open_both(&dns_udp, ipv6);
  for (size_t i = 0; i < spec->capture_ports.count; i++) {
    const struct wanted any = {"any", SOCK_STREAM, port_of(spec->capture_ports.items[i]), "0.0.0.0", "::"};
    made += open_both(&any, ipv6);
  }
  for (size_t i = 0; i < spec->loopback_ports.count; i++) {
    const struct wanted local = {"loopback", SOCK_STREAM, port_of(spec->loopback_ports.items[i]), "127.0.0.1",
                                 "::1"};
    made += open_both(&local, ipv6);
  }
  return made;
}

void hand_over_socket(unsigned number, int family) {
  int fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  char line[256];
  snprintf(line, sizeof line,
           "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":{\"scope\":\"inside\",\"number\":%u}}\n", number);
  if (fd < 0 || !hand_over_now(line, fd)) say("nosocket %u %d", number, errno);
  if (fd >= 0) close(fd);
}
