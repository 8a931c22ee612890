/**
 * The jail's `/etc/resolv.conf`. No search list: with one, and a resolver that answers everything, `api.example`
 * would become `api.example.corp.example`. No `edns0`: resolvers that use EDNS do so unasked, and glibc's plain
 * questions are all that is needed. The socket answers on every v4 address, so 127.0.0.1 is merely the usual one.
 */
export function resolvConf(): string {
  return '# Written by gate: names are answered inside the jail, and no query leaves it.\nnameserver 127.0.0.1\noptions ndots:1\n';
}

/**
 * The jail's `/etc/hosts`: loopback, and the machine's own name (programs look it up at start). What the user's
 * own file adds is left out, because a name in it would reach gate as a bare address.
 */
export function hostsFile(hostname: string): string {
  const own = /^[A-Za-z0-9_.-]{1,253}$/.test(hostname) && !/^localhost\.?$/i.test(hostname);
  const lines = ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback'];
  // 127.0.1.1, as Debian has it: looking up 127.0.0.1 must go on to say localhost.
  if (own) lines.push(`127.0.1.1 ${hostname}`);
  return `# Written by gate.\n${lines.join('\n')}\n`;
}
