#define _GNU_SOURCE
#include "refused.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { WINDOW_MS = 200, BATCH = 512 };

static void note(struct refused *refused, const struct attempt *attempt) {
  for (size_t i = 0; i < refused->used; i++) {
    struct attempt *slot = &refused->slots[i];
    if (slot->protocol != attempt->protocol || slot->port != attempt->port || slot->family != attempt->family) continue;
    if (memcmp(slot->address, attempt->address, sizeof slot->address) != 0) continue;
    slot->count++;
    return;
  }
  if (refused->used == REFUSED_SLOTS) {
    refused->others++;
    return;
  }
  refused->slots[refused->used] = *attempt;
  refused->slots[refused->used++].count = 1;
}

static uint16_t port_at(const uint8_t *bytes) { return (uint16_t)(bytes[0] << 8 | bytes[1]); }

static uint32_t word_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/*
 * A refused TCP attempt is seen by its answer: RST with sequence number 0 is what a SYN to nobody gets, and what was
 * dialled is its source. So neither connections that were accepted nor a list of ports matter. UDP and ICMP are judged
 * by their destination.
 */
static bool is_attempt(uint8_t protocol, const uint8_t *head, size_t size) {
  enum { RST = 4, ECHO4 = 8, ECHO6 = 128 };
  switch (protocol) {
    case IPPROTO_TCP: return size >= 20 && (head[13] & RST) && word_at(head + 4) == 0;
    case IPPROTO_UDP: return size >= 8;
    case IPPROTO_ICMP: return head[0] == ECHO4;
    case IPPROTO_ICMPV6: return head[0] == ECHO6;
    default: return true;
  }
}

static bool is_loopback(const struct attempt *attempt) {
  static const uint8_t loopback6[16] = {[15] = 1};
  if (attempt->family == AF_INET) return attempt->address[0] == 127;
  return memcmp(attempt->address, loopback6, sizeof loopback6) == 0;
}

static bool parse(const uint8_t *packet, size_t size, struct attempt *attempt) {
  bool v6 = size > 0 && packet[0] >> 4 == 6;
  size_t head = v6 ? 40 : (size_t)(packet[0] & 0xf) * 4;
  if (size < head + 4) return false;
  attempt->protocol = v6 ? packet[6] : packet[9];
  attempt->family = v6 ? AF_INET6 : AF_INET;
  if (!is_attempt(attempt->protocol, packet + head, size - head)) return false;
  bool back = attempt->protocol == IPPROTO_TCP;
  const uint8_t *address = packet + (v6 ? (back ? 8 : 24) : (back ? 12 : 16));
  memcpy(attempt->address, address, v6 ? 16 : 4);
  if (back) attempt->port = port_at(packet + head);
  else if (attempt->protocol == IPPROTO_UDP) attempt->port = port_at(packet + head + 2);
  return !is_loopback(attempt);
}

void refused_read(struct refused *refused) {
  for (int i = 0; i < BATCH; i++) {
    uint8_t packet[REFUSED_SNAP];
    ssize_t size = recv(refused->packets, packet, sizeof packet, MSG_DONTWAIT);
    if (size < 0) break;
    struct attempt attempt = {0};
    if (parse(packet, (size_t)size, &attempt)) note(refused, &attempt);
  }
  struct tpacket_stats lost = {0};
  socklen_t room = sizeof lost;
  if (getsockopt(refused->packets, SOL_PACKET, PACKET_STATISTICS, &lost, &room) == 0) refused->others += lost.tp_drops;
}

static const char *protocol_name(uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP: return "tcp";
    case IPPROTO_UDP: return "udp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: return "icmp";
    default: return "other";
  }
}

static void add_line(struct refused *refused, const char *protocol, const char *address, unsigned port,
                     unsigned long count) {
  size_t room = sizeof refused->pending - refused->pending_size;
  int size = snprintf(refused->pending + refused->pending_size, room, "%s %s %u %lu\n", protocol, address, port, count);
  if (size > 0 && (size_t)size < room) refused->pending_size += (size_t)size;
}

static void print_window(struct refused *refused) {
  refused->pending_size = refused->pending_sent = 0;
  for (size_t i = 0; i < refused->used; i++) {
    const struct attempt *slot = &refused->slots[i];
    char address[INET6_ADDRSTRLEN];
    if (inet_ntop(slot->family, slot->address, address, sizeof address))
      add_line(refused, protocol_name(slot->protocol), address, slot->port, slot->count);
  }
  if (refused->others) add_line(refused, "other", "*", 0, refused->others);
  refused->used = 0;
  refused->others = 0;
}

/* False when the reader is slow (EAGAIN) or gone. */
static bool send_pending(struct refused *refused) {
  while (refused->pending_sent < refused->pending_size) {
    ssize_t n = send(refused->report, refused->pending + refused->pending_sent,
                     refused->pending_size - refused->pending_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    refused->pending_sent += (size_t)n;
  }
  return true;
}

int refused_flush(struct refused *refused, int64_t now_ms) {
  bool empty = refused->used == 0 && refused->others == 0;
  /* A slow reader makes windows longer, not memory bigger. */
  if (!send_pending(refused)) return WINDOW_MS;
  if (empty) return -1;
  if (now_ms < refused->next_flush_ms) return (int)(refused->next_flush_ms - now_ms);
  refused->next_flush_ms = now_ms + WINDOW_MS;
  print_window(refused);
  return send_pending(refused) ? -1 : WINDOW_MS;
}

void refused_finish(struct refused *refused) {
  refused_read(refused);
  for (int rounds = 0; rounds < 2; rounds++) {
    while (!send_pending(refused)) {
      struct pollfd wait = {refused->report, POLLOUT, 0};
      if (errno != EAGAIN || poll(&wait, 1, -1) < 0 || (wait.revents & (POLLERR | POLLHUP))) return;
    }
    print_window(refused);
  }
}
