#ifndef GATE_COPYTREE_H
#define GATE_COPYTREE_H

/* Copies what lies in `from` into `to`, leaving what is there already. Bounded; fatal on failure. */
void copy_tree(int from, const char *to);

#endif
