/** `gate help jail`: what a person notices in the first hour, with the answer to each. */
export const jail = `The jail leaves a command its files, its terminal and its user, and takes everything
that reaches out of it, except gate's proxy. What you may notice, and what to do:

Log-in in the browser (OAuth)
  The browser outside cannot reach a callback on localhost in the jail, and the jail
  cannot open your browser. Log in once without gate; the credentials lie in files
  and work in the jail. Or use the tool's device code, or an API key; or, where
  the callback's port is known, \`--publish PORT\` and open the printed link yourself.

Keyrings
  The keyring is reached over D-Bus, which is out of reach. Tell the tool to keep its
  credentials in a file, or let the bus in: \`--allow-socket "$XDG_RUNTIME_DIR/bus"\`.
  Programs on the bus act outside the jail; the record says that it was let in.

Docker, podman
  Their sockets do not exist in the jail. \`--allow-socket /var/run/docker.sock\` lets one
  in: its containers run outside, and nothing of their traffic is recorded.

ssh, and git over ssh
  Port 22 is refused, and the ssh agent is out of reach. Use https remotes:
    git config --global url."https://github.com/".insteadOf git@github.com:
  Or pass it through unread: \`--passthrough github.com:22\`, with
  \`--allow-socket "$SSH_AUTH_SOCK"\` for the agent's keys.

sudo
  Programs that change the user gain nothing. Install what is needed before, or
  start gate as the user that the work needs. Root keeps its power over files.

Dev servers
  A server that is started in the jail is reached in the jail only. \`--publish 3000\`
  lets your browser reach it at http://localhost:3000, with its WebSockets. Or start it
  outside, and let the command reach it: \`--allow-local 3000\`.

Databases and services on localhost
  The jail has a loopback of its own. HTTP services, such as a local model:
  \`--allow-local 11434\` (recorded like any host). Databases and others that do not
  speak HTTP: \`--passthrough localhost:5432\`. Sockets in the file system:
  \`--allow-socket /var/run/postgresql/.s.PGSQL.5432\`.

Local sockets
  The command reaches the sockets that are made in the jail, and those that were let in:
  \`--allow-socket PATH\` means the daemon that listens there when the run starts. Datagram
  sockets (logger, sd_notify) cannot be made. Servers in the jail see their clients' user,
  and 0 as their process number.

Links to the IDE
  The editor's sockets and ports run commands outside, so they are out of reach, and
  the variables that name them are taken out. The agent works without the link.

Browsers
  Windows cannot open: the display is out of reach. Headless browsers start, with their
  own sandbox too. Chromium, Chrome, Edge, Brave and Firefox that are installed on this
  machine trust gate in the jail, by a policy file that only the jail has. A browser that
  came without a system package (Playwright's, Puppeteer's) may say that the
  certificate is not trusted: \`sudo mkdir -p /etc/chromium\` gives the policy a place, or
  \`gate ca install --store nss\` adds gate's CA to your own certificate database.

Other ports and protocols
  Ports 80, 443, those in \`capture.ports\` and those that a list names are captured. All
  others are refused at once and recorded. Ping, QUIC and other UDP fail; names are
  answered by gate, and no query leaves the machine.

Certificates
  The system's certificate files contain gate's CA inside the jail. A client that pins its
  own certificate needs \`gate passthrough HOST\`.

Renaming folders above gate's own files
  They are mount points, so that gate's files cannot be moved away: mv says EBUSY
  or EXDEV for ~/.config and the like. Do it outside.

32-bit programs
  They do not run, and are killed at their first system call.

Files of other users
  They show as owner "nobody" for a normal user. Reading and writing them is as before.

Sandboxes of the command's own
  bubblewrap and the like work; only a cgroup namespace is refused. Where \`bwrap\` is
  asked to unshare all at once, name the other namespaces one by one.

A jail in a jail
  \`gate run\` inside \`gate run\` is refused: the command is recorded already.

If any part of the jail cannot be set up, the command does not start: exit code 125,
with the reason. What was let in is named in the summary line and in the record.
`;
