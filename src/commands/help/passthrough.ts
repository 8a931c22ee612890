/** `gate help passthrough`. */
export const passthrough = `The passthrough list names the hosts whose connections gate does not open.

Their bytes go through a tunnel unread. The record says host, port, bytes and
times, and nothing else. Use it for
  - clients that pin a certificate and refuse any other
  - protocols that are neither HTTP nor TLS: ssh, databases, SMTP

  gate passthrough pinned.example.com
  gate passthrough github.com:22        other protocols need their port
  gate passthrough localhost:5432       a database on this machine
  gate passthrough --remove pinned.example.com
  gate run --passthrough pinned.example.com -- cmd    for one run only

The file is passthrough.txt in gate's config folder (gate help environment).

Patterns are those of the allowlist (gate help allowlist). Without a port they hold
on 443 and 80. A port that is named here is captured in runs that start afterwards.

A host on both lists is passed through unread: \`gate lists\` shows it as a conflict.
The denylist wins over this list. With --enforce, a host on this list is let through.
`;
