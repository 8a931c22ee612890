/* Control sockets: what would let the command act through a process outside. */
#ifndef GATE_MASKS_H
#define GATE_MASKS_H

#include "spec.h"

/* Masks every socket that can be found, save those of `spec->allowed`. `unix_table` is /proc/net/unix as it was in
 * the network namespace that gate runs in. */
void masks_apply(const struct spec *spec, const char *unix_table);

#endif
