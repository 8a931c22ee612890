#ifndef GATE_SECCOMP_H
#define GATE_SECCOMP_H

#include <stdbool.h>

/* The last layer before exec: no system call of this process may be made afterwards that the command may not make.
 * `nested`: whether the command may make user namespaces. `files`: whether a file or symlink is protected that the
 * command could unlink. Returns the descriptor by which the broker answers the calls that wait for it. Fatal on
 * failure. */
int seccomp_apply(bool nested, bool files);

#endif
