#ifndef GATE_REFUSALS_H
#define GATE_REFUSALS_H

#include <stdbool.h>

#include "filter.h"

/* System calls that are refused whatever their arguments. */
void refusals_add(struct filter *filter, bool nested);

#endif
