/** `gate help exit-codes`. */
export const exitCodes = `gate run exits as the command exited:
  0-124   the command's own code
  125     gate itself could not do its job: wrong usage, no jail, or the audit
          trail failed. The message says which
  126     the command was found and cannot be executed
  127     the command was not found
  128+n   signal n ended the command: 130 SIGINT, 137 SIGKILL, 143 SIGTERM

A command that itself exits with 125, 126 or 127 is passed on as it is. gate's own
failures always print a line that begins with "gate: ". When SIGINT ended the
command, gate ends by SIGINT too, so that a shell loop around it stops.

Every other command:
  0       done, also when the result is empty
  1       the answer is no: a broken chain, no such id, not on the list
  2       wrong usage
  125     internal failure
`;
