#ifndef GATE_CAPS_H
#define GATE_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID: what root's tools need for files and users. Without
 * DAC_READ_SEARCH, whose open_by_handle_at walks past mounts. */
#define ROOT_CAPS UINT64_C(0xfb)

/* SETFCAP, besides, where the command may make user namespaces: the kernel asks for it when uid 0 is mapped into one, so
 * the sandboxes of codex and browsers need it as root. With it root can leave a file with capabilities behind, as it can
 * a setuid file without it. */
#define ROOT_NESTING_CAPS UINT64_C(0x800000fb)

/* Lowers every capability set, the bounding set too, to `keep`. Fatal on failure. */
void caps_lower(uint64_t keep);
/* The same without the bounding set, for a process that executes nothing and may not change that one any more. */
void caps_set(uint64_t keep);
/* What counts now, of what this thread may use. False with errno. */
bool caps_effective(uint64_t effective, uint64_t permitted);

#endif
