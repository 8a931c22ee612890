/* A stopped command stops gate, so that the shell notices; a continued gate continues the command. */
#ifndef GATE_STOPPING_H
#define GATE_STOPPING_H

#include "message.h"
#include "supervise.h"

void command_stopped(struct supervisor *supervisor, const struct message *message);
void continue_command(struct supervisor *supervisor);

#endif
