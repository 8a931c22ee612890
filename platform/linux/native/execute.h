#ifndef GATE_EXECUTE_H
#define GATE_EXECUTE_H

#include "spec.h"

/* Becomes the command, or tells Node "exec ERRNO PATH" and ends. */
_Noreturn void execute(const struct spec *spec);

#endif
