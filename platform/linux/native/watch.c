/* The packet socket behind refused.h, and a filter that lets by what is worth a look. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "refused.h"
#include "report.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { V6 = 18, TCP4 = 11, UDP4 = 13, TCP6 = 22, UDP6 = 24, TAKE = 26, DROP = 27, DNS_PORT = 53, RST = 4 };

#define LOAD_BYTE(at) {BPF_LD | BPF_B | BPF_ABS, 0, 0, at}
#define LOAD_HALF(at) {BPF_LD | BPF_H | BPF_ABS, 0, 0, at}
#define IF(test, here, value, yes, no) {BPF_JMP | (test) | BPF_K, (yes) - (here) - 1, (no) - (here) - 1, value}

/* The bulk of the traffic are accepted connections: they must not cost a copy each. */
static struct sock_filter program[] = {
    /* 0 */ LOAD_BYTE(0),
    /* 1 */ {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0},
    /* 2 */ IF(BPF_JEQ, 2, 0x60, V6, 3),
    /* 3, IPv4: a later fragment has no ports */ LOAD_HALF(6),
    /* 4 */ IF(BPF_JSET, 4, 0x1fff, DROP, 5),
    /* 5, with options: let refused.c look */ LOAD_BYTE(0),
    /* 6 */ IF(BPF_JEQ, 6, 0x45, 7, TAKE),
    /* 7 */ LOAD_BYTE(9),
    /* 8 */ IF(BPF_JEQ, 8, IPPROTO_TCP, TCP4, 9),
    /* 9 */ IF(BPF_JEQ, 9, IPPROTO_UDP, UDP4, 10),
    /* 10 */ IF(BPF_JEQ, 10, IPPROTO_ICMP, TAKE, DROP),
    /* 11 */ LOAD_BYTE(20 + 13),
    /* 12 */ IF(BPF_JSET, 12, RST, TAKE, DROP),
    /* 13, the command's own loopback traffic */ LOAD_BYTE(16),
    /* 14 */ IF(BPF_JEQ, 14, 127, DROP, 15),
    /* 15, answers of gate's DNS */ LOAD_HALF(20),
    /* 16 */ IF(BPF_JEQ, 16, DNS_PORT, DROP, 17),
    /* 17 */ {BPF_JMP | BPF_JA, 0, 0, 28 - 17 - 1},
    /* 18, IPv6 */ LOAD_BYTE(6),
    /* 19 */ IF(BPF_JEQ, 19, IPPROTO_TCP, TCP6, 20),
    /* 20 */ IF(BPF_JEQ, 20, IPPROTO_UDP, UDP6, 21),
    /* 21 */ IF(BPF_JEQ, 21, IPPROTO_ICMPV6, TAKE, DROP),
    /* 22 */ LOAD_BYTE(40 + 13),
    /* 23 */ IF(BPF_JSET, 23, RST, TAKE, DROP),
    /* 24 */ LOAD_HALF(40),
    /* 25 */ IF(BPF_JEQ, 25, DNS_PORT, DROP, TAKE),
    /* 26, all of it up to what refused.c reads */ {BPF_RET | BPF_K, 0, 0, REFUSED_SNAP},
    /* 27 */ {BPF_RET | BPF_K, 0, 0, 0},
    /* 28, questions to gate's DNS, which listens on every IPv4 address */ LOAD_HALF(22),
    /* 29 */ {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, DNS_PORT},
    /* 30 */ {BPF_RET | BPF_K, 0, 0, 0},
    /* 31 */ {BPF_RET | BPF_K, 0, 0, REFUSED_SNAP},
};

int refused_open(void) {
  /* No protocol yet: nothing is queued before the filter stands. */
  int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("refused", "packet socket");
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) fail("refused", "filter");
  int on = 1;
  /* On loopback each packet passes twice. */
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) fail("refused", "direction");
  int room = 4 << 20;
  /* More room for a flood where we may; drops are counted in any case. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  struct sockaddr_ll lo = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("lo")};
  if (bind(fd, (struct sockaddr *)&lo, sizeof lo) < 0) fail("refused", "bind");
  return fd;
}
