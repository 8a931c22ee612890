/** `gate help privacy`. */
export const privacy = `gate records what the command sends and gets, on this machine, for you.

What is kept
  - every request and answer, whole: URL, headers, bodies, times
  - names that were looked up, attempts that were refused
  - the command line, working folder, git branch and commit of the run
  - for passed-through hosts only: host, port, bytes and times

What is masked before it is written
  Credentials in headers (authorization, cookie, x-api-key ...), in URLs
  (key=, token=, signatures) and in the command line. A mask keeps the kind, the
  last characters, the length and a fingerprint, so that two uses of one
  key can be told to be the same.

What is not masked
  Bodies. What an agent reads and sends - source code, prompts, answers, a secret in
  a file that it read - is in the record as it was sent. That is what the
  record is for. Treat gate's data folder like the code that you work on.

Where it is
  runs/<run>/ in gate's data folder: ledger.jsonl and bodies.pack, folders 0700, files
  0600. Jailed commands cannot see it. Removing a run is removing its folder;
  \`gate verify\` will say that the run is missing.

What leaves the machine
  What the command sends, to where it sends it. gate itself has no server, no account,
  no telemetry and no update check, and looks up only names that were asked for
  and that your policy lets through.

The local CA
  Its key is made on this machine and never leaves it. It is trusted inside the jail and
  nowhere else: nothing is installed on the host. \`gate ca regenerate\` replaces it.
`;
