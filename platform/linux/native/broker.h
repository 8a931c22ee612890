/*
 * The process that makes the jail's connections. A pathname socket is found by its file, whatever the network namespace,
 * and no filter sees a path; so connect waits here, and this process makes the call with a copy of the address, on a
 * copy of the descriptor: nothing that another thread of the command can exchange in between. It lives in the jail's
 * namespaces but not among its processes, so nothing there can signal or trace it.
 */
#ifndef GATE_BROKER_H
#define GATE_BROKER_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "caller.h"
#include "names.h"
#include "notice.h"
#include "spec.h"
#include "turned.h"

/* SYS_PTRACE: descriptors and memory of callers; SYS_CHROOT: their view of the files; NET_ADMIN: to which namespace a
 * socket belongs, and which file it is bound to. All in the jail's user namespace only. */
#define BROKER_CAPS UINT64_C(0x00000000000c1000)
#define CAP_BIT_DAC_OVERRIDE UINT64_C(0x2)
/* DAC_OVERRIDE, SETGID, SETUID besides, where the command may be any user. */
#define BROKER_ROOT_CAPS (BROKER_CAPS | UINT64_C(0xc2))

/* One thread that answers calls. */
struct server {
  struct broker *broker;
  struct notice notice;
  pthread_t thread;
  bool waiting_long; /* in a connect that may take its time */
  struct server *next;
};

struct broker {
  int listener;
  struct lookout lookout;
  struct names names;
  struct turned turned;
  pthread_mutex_t lock; /* for what follows */
  struct server *servers;
  unsigned count, idle;
};

/* What the helper knows of it. */
struct broker_handle {
  pid_t pid;
  int process; /* pidfd */
  int channel; /* for the command's own process */
};

/* After the namespaces are made, but for the one of processes; before anything is mounted. */
struct broker_handle broker_start(const struct spec *spec, bool whole, pid_t helper);
/* After the command ended: lets it tell what is left, and waits for its end. */
void broker_finish(const struct broker_handle *broker);
/* In the command's process: hands over the filter's listener and tries one call. Fatal on failure. */
void broker_offer(int channel, int listener);

/* Serves one call; `patient`: it may take its time, for somebody else is there for the next one. */
void broker_serve(struct server *server, bool patient);
/* Serves a call that renames or removes. */
void serve_rename(struct server *server);
/* Around what may take long: who waits in between can be interrupted. */
void server_waits(struct server *server, bool waits);

#endif
