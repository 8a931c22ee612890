#define _GNU_SOURCE
#include "net.h"

#include <errno.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"
#include "util.h"

static void loopback_up(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("network", "socket");
  struct ifreq request = {0};
  strcpy(request.ifr_name, "lo");
  if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) fail("network", "lo flags");
  request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) fail("network", "lo up");
  close(fd);
}

/* Without a destination: every address. `width` bits of an IPv4 one otherwise. */
struct route_request {
  struct nlmsghdr head;
  struct rtmsg route;
  struct rtattr interface_head;
  uint32_t interface;
  struct rtattr destination_head;
  uint32_t destination;
};

/* 0, or the errno the kernel answered with. */
static int add_local_route(int fd, unsigned char family, uint32_t destination, unsigned char width) {
  struct route_request request = {
      .head = {.nlmsg_len = width ? sizeof request : offsetof(struct route_request, destination_head),
               .nlmsg_type = RTM_NEWROUTE,
               .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK,
               .nlmsg_seq = family},
      .route = {.rtm_family = family,
                .rtm_dst_len = width,
                .rtm_table = RT_TABLE_LOCAL,
                .rtm_protocol = RTPROT_BOOT,
                .rtm_scope = RT_SCOPE_HOST,
                .rtm_type = RTN_LOCAL},
      .interface_head = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
      .interface = if_nametoindex("lo"),
      .destination_head = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_DST},
      .destination = htonl(destination),
  };
  if (send(fd, &request, sizeof request, 0) < 0) fail("network", "route request");
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    char rest[512];
  } answer;
  if (recv(fd, &answer, sizeof answer, 0) < (ssize_t)(sizeof answer.head + sizeof(int)))
    fail("network", "route answer");
  if (answer.head.nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -answer.error.error;
}

static bool has_ipv6(void) {
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  close(fd);
  /* A host that turned IPv6 off may hand that down to new namespaces; then nothing leaves by it either. */
  write_file("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "0");
  char *addresses = read_file("/proc/thread-self/net/if_inet6");
  return addresses && strstr(addresses, "00000000000000000000000000000001");
}

bool network_up(void) {
  loopback_up();
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) fail("network", "netlink");
  int problem = add_local_route(fd, AF_INET, 0, 0);
  /* The kernel's own route for 127/8 prefers 127.0.0.1 as source: answers of a wildcard DNS socket to who asked
   * 127.0.0.53 would come from there, and be thrown away. Ours has no preference. */
  if (!problem) problem = add_local_route(fd, AF_INET, INADDR_LOOPBACK & 0xff000000, 8);
  errno = problem;
  if (problem) fail("network", "IPv4 route");
  bool ipv6 = has_ipv6();
  problem = ipv6 ? add_local_route(fd, AF_INET6, 0, 0) : 0;
  errno = problem;
  if (problem) fail("network", "IPv6 route");
  close(fd);
  return ipv6;
}
