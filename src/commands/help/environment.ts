import { CA_VARIABLES, type CaVariable } from '../../supervisor/trust-env.ts';

/** `gate help environment`. The table of CA variables is the one that `gate run` uses. */
export function environment(): string {
  const always = CA_VARIABLES.filter(({ when }) => when === 'always');
  const replaced = CA_VARIABLES.filter(({ when }) => when === 'replace');
  return `What gate reads
  GATE_HOME          an absolute path: config in $GATE_HOME/config, data in $GATE_HOME/data
  XDG_CONFIG_HOME    else config is in $XDG_CONFIG_HOME/gate (~/.config/gate)
  XDG_DATA_HOME      else data is in $XDG_DATA_HOME/gate (~/.local/share/gate)
  NO_COLOR           no colours; so does TERM=dumb, and output that is no terminal
  FORCE_COLOR        colours also where the output is no terminal
  SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS and most others of the CA variables below
                     certificates that are trusted upstream, besides the system's
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, in both cases
                     the proxy by which gate itself connects: http:// or https://HOST:PORT,
                     with USER:PASSWORD@ before HOST. Loopback and --resolve are always direct

What is set in the jail
  GATE_RUN           the run's id; \`gate run\` refuses to start where it is set
  HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, in both cases
                     gate's proxy. What ignores them is captured as well
  NPM_CONFIG_PROXY, NPM_CONFIG_HTTPS_PROXY, CARGO_HTTP_PROXY
                     the same, above the tools' own config files
  NO_PROXY           loopback only
  DENO_TLS_CA_STORE  system,mozilla, unless you set it

CA variables, set to files that contain gate's CA
${rows(always)}
and, only where you have set them, replaced:
${rows(replaced)}
What is taken out
  Variables that lead to what does not exist in the jail, so that tools do not wait for it:
  displays, D-Bus, ssh and gpg agents, tmux, editors, container daemons. One stays where
  its socket is let in with --allow-socket. Proxies of single tools (FTP_PROXY,
  PIP_PROXY, YARN_HTTPS_PROXY ...) go too.
`;
}

function rows(variables: readonly CaVariable[]): string {
  return variables.map(({ name, why }) => `  ${name}\n                     ${why}\n`).join('');
}
