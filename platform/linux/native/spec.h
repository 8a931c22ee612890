/* What Node asks for, read once from the control socket. */
#ifndef GATE_SPEC_H
#define GATE_SPEC_H

#include <stdbool.h>
#include <sys/types.h>

#include "util.h"

struct jail_file {
  const char *name; /* relative */
  const char *data;
  size_t size;
  mode_t mode;
};

/* A folder with the files it gets, or (replaced) a path with one. */
struct place {
  const char *path;
  struct list files;
};

struct spec {
  struct list argv, env;
  const char *cwd, *home;
  struct list capture_ports, loopback_ports; /* decimal text */
  const char *proxy_port;
  struct list read_only, covers, overlays, replaced, allowed;
  bool nested;
};

void spec_read(int fd, struct spec *spec);
long port_of(const char *text);
const char *spec_env(const struct spec *spec, const char *name);

#endif
