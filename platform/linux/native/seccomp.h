#ifndef GATE_SECCOMP_H
#define GATE_SECCOMP_H

#include <stdbool.h>

/* The last layer before exec: no system call of this process may be made afterwards that the command may not make.
 * `nested`: whether the command may make user namespaces. Fatal on failure. */
void seccomp_apply(bool nested);

#endif
