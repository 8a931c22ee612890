/* Second names of protected files, made before the jail was. */
#ifndef GATE_HARDLINKS_H
#define GATE_HARDLINKS_H

#include "spec.h"

/* Finds every other name of a file below the spec's covers and read-only paths: those of covered files are hidden,
 * those of read-only ones made read-only. When one cannot be found the run is refused. */
void hard_links_apply(const struct spec *spec);

#endif
