/* Who has the terminal: the helper's side. Only out here can the foreground be judged, for inside the pid namespace
 * every outside group has number 0. */
#ifndef GATE_TERMINAL_H
#define GATE_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

/* The controlling terminal, or -1. */
int terminal_open(void);
/* Whether gate's own process group is in the foreground. */
bool terminal_is_ours(int terminal);
/* Whether the command gets the terminal at start: only when it stands at both ends, or `gate run -- x | less` would
 * leave less stopped. */
bool terminal_at_start(int terminal);
/* Takes the terminal for gate's group. */
void terminal_take(int terminal);
/* The modes that it has while it is gate's own; false when it is not. */
bool terminal_modes(int terminal, struct termios *modes);
/* As shells do after a job that a signal ended, for it could not do so itself. */
void terminal_restore(int terminal, const struct termios *modes);
/* Takes it back at the end, unless a group outside (a shell) has it by now. */
void terminal_reclaim(int terminal);

#endif
