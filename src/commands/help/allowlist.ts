/** `gate help allowlist`. The grammar stands here, the other two lists point to it. */
export const allowlist = `The allowlist names the hosts that the command is meant to talk to.

A host on it is forwarded and recorded. A host on no list is forwarded and
recorded too, with the reason "unlisted"; with \`gate run --enforce\` it gets a
403 instead. The denylist is asked first, and wins.

  gate allow api.example.com          add; a running gate obeys within a second
  gate allow --remove api.example.com
  gate lists                          all lists, with hits and conflicts
  gate lists suggest --run last       what a run used and the list lacks

The file is allowlist.txt in gate's config folder (gate help environment). Edit
it by hand if you like: one pattern a line, # begins a comment.

Patterns
  api.example.com        this name, on ports 443 and 80
  api.example.com:8443   this name, on this port only
  *.example.com          every name below it, at any depth; not example.com
  192.0.2.7              an address that was asked for as such
  192.0.2.7:8080         the same, on one port
  [2001:db8::7]:8080     IPv6 with a port needs brackets
  10.0.0.0/8             a range, for addresses that were asked for as such

* is the only wildcard, and works in names only. Case, a trailing dot and
the spelling of international names do not matter.

Private addresses (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 ...) are reached
only by hosts on the allowlist or the passthrough list. A service of this
machine is reached only by an exact entry with its port: localhost:11434,
or \`gate run --allow-local 11434\` for one run.

As long as there is no allowlist.txt, the hosts that gate knows of the started
agent (claude, codex, gemini, opencode) count as allowed.

A bad line stops \`gate run\` at the start and names file and line. Saved during a
run, it leaves the last good list in force.

More: docs/lists.md, docs/decision.md
`;
