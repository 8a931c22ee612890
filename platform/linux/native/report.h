/* What is told to Node, one line each, on a socket that nothing comes in by. */
#ifndef GATE_REPORT_H
#define GATE_REPORT_H

/* The places of Node's `stdio` array: see helper.ts. Commands come in by one and reports go out by another, because
 * Node gives a stream up, with what it has not read, when it writes to one whose other end is gone. */
enum { FD_IPC = 3, FD_CONTROL = 4, FD_DEADMAN = 5, FD_REPORT = 6 };

/* The helper's own exit code after a failure; the command's code travels in a line. */
enum { EXIT_FAILED = 125 };

/* "error STEP ERRNO DETAIL", then the end of this process: nothing starts half-jailed. */
_Noreturn void fail(const char *step, const char *detail);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "feature NAME": something that is in force here and not everywhere. */
void feature(const char *name);

#endif
