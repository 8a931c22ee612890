/* Attempts that reached nobody, seen on the jail's loopback and told to Node. */
#ifndef GATE_REFUSED_H
#define GATE_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REFUSED_SLOTS = 64, REFUSED_LINE = 96, REFUSED_SNAP = 96 };

struct attempt {
  uint8_t protocol, family;
  uint8_t address[16];
  uint16_t port;
  unsigned long count;
};

struct refused {
  int packets; /* the AF_PACKET socket, or -1 */
  int report;  /* where lines go */
  struct attempt slots[REFUSED_SLOTS];
  size_t used;
  unsigned long others; /* attempts of this window that found no slot */
  char pending[(REFUSED_SLOTS + 1) * REFUSED_LINE];
  size_t pending_size, pending_sent;
  int64_t next_flush_ms;
};

/* Opens the packet socket: needs CAP_NET_RAW in the jail's namespace. Fatal on failure. */
int refused_open(void);
/* Takes what has arrived. */
void refused_read(struct refused *refused);
/* Writes what is due without waiting. Returns milliseconds until it wants to be called again, or -1. */
int refused_flush(struct refused *refused, int64_t now_ms);
/* Writes everything, waiting for the reader; stops when it is gone. */
void refused_finish(struct refused *refused);

#endif
