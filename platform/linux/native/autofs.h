/* Automount points. */
#ifndef GATE_AUTOFS_H
#define GATE_AUTOFS_H

/* Hides them, keeping what is mounted there by now: a mere look at /net/HOST would make a daemon outside call HOST. */
void autofs_hide(void);

#endif
