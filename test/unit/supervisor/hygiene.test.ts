import { describe, expect, test } from 'vitest';
import { childEnvironment, DANGLING, danglingVariables } from '../../../src/supervisor/hygiene.ts';

const options = {
  run: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  proxyPort: 4711,
  trust: { ca: '/ca/ca.pem', bundle: '/ca/bundle.pem', extra: '/ca/extra.pem' },
  isolation: 'captured' as const,
  allowSockets: [] as string[],
};

describe('dangling variables', () => {
  test.each<[string, string, string | undefined]>([
    ['DISPLAY', ':0', '/tmp/.X11-unix/X0'],
    ['DISPLAY', 'unix:1.0', '/tmp/.X11-unix/X1'],
    ['DISPLAY', 'localhost:10.0', undefined],
    ['WAYLAND_DISPLAY', 'wayland-0', '/run/user/1/wayland-0'],
    ['WAYLAND_DISPLAY', '/x/wayland-0', '/x/wayland-0'],
    ['TMUX', '/tmp/tmux-1/default,77,0', '/tmp/tmux-1/default'],
    ['SSH_AUTH_SOCK', '/tmp/ssh-x/agent.1', '/tmp/ssh-x/agent.1'],
    ['DBUS_SESSION_BUS_ADDRESS', 'unix:path=/run/user/1/bus,guid=ab', '/run/user/1/bus'],
    ['DBUS_SESSION_BUS_ADDRESS', 'tcp:host=x;unix:guid=ab,path=/run/user/1/bus', '/run/user/1/bus'],
    ['DBUS_SESSION_BUS_ADDRESS', 'unix:abstract=/tmp/dbus-x', undefined],
    ['DOCKER_HOST', 'unix:///run/docker.sock', '/run/docker.sock'],
    ['DOCKER_HOST', 'tcp://127.0.0.1:2375', undefined],
    ['KITTY_LISTEN_ON', 'unix:/tmp/kitty', '/tmp/kitty'],
    ['KITTY_LISTEN_ON', 'unix:@kitty', undefined],
    ['GPG_AGENT_INFO', '/run/S.gpg-agent:1:1', '/run/S.gpg-agent'],
    ['VSCODE_IPC_HOOK_CLI', '/run/user/1/vscode-ipc-x.sock', '/run/user/1/vscode-ipc-x.sock'],
    ['NVIM', '/run/user/1/nvim.1.0', '/run/user/1/nvim.1.0'],
  ])('%s=%s goes, and stays with its socket', (name, value, socket) => {
    const env = { [name]: value, XDG_RUNTIME_DIR: '/run/user/1' };
    expect(danglingVariables(env, [])).toEqual([name]);
    expect(danglingVariables(env, ['/somewhere/else'])).toEqual([name]);
    if (socket === undefined) return;
    expect(danglingVariables(env, [socket])).toEqual([]);
    expect(danglingVariables(env, [`${socket.slice(0, socket.lastIndexOf('/'))}/`])).toEqual([]);
    expect(danglingVariables(env, [socket.slice(0, -1)])).toEqual([name]);
  });

  test('what belongs together goes and stays together', () => {
    const env = { SSH_AUTH_SOCK: '/a/agent', SSH_AGENT_PID: '1', TMUX: '/t/default,1,0', TMUX_PANE: '%1' };
    expect(danglingVariables(env, [])).toEqual(['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'TMUX', 'TMUX_PANE']);
    expect(danglingVariables(env, ['/a/agent'])).toEqual(['TMUX', 'TMUX_PANE']);
  });

  test("the editor's helper for git goes as a whole, and stays with its socket", () => {
    const env = {
      VSCODE_GIT_IPC_HANDLE: '/run/user/1/vscode-git-x.sock',
      VSCODE_GIT_ASKPASS_NODE: '/opt/code/node',
      VSCODE_GIT_ASKPASS_MAIN: '/opt/code/askpass-main.js',
      VSCODE_GIT_ASKPASS_EXTRA_ARGS: '--ms-enable-electron-run-as-node',
    };
    expect(danglingVariables(env, [])).toEqual(Object.keys(env));
    expect(danglingVariables(env, ['/run/user/1/vscode-git-x.sock'])).toEqual([]);
  });

  test.each<[string, string, boolean]>([
    ['GIT_ASKPASS', '/home/x/.vscode-server/bin/y/extensions/git/dist/askpass.sh', true],
    ['GIT_ASKPASS', '/usr/bin/ksshaskpass', true],
    ['GIT_ASKPASS', '/home/x/bin/print-token', false],
    ['SSH_ASKPASS', '/usr/lib/seahorse/ssh-askpass', true],
    ['SSH_ASKPASS', '/usr/bin/ssh-askpass', true],
    ['SSH_ASKPASS', '/home/x/bin/print-token', false],
    ['BROWSER', '/home/x/.vscode-server/bin/y/bin/helpers/browser.sh', true],
    ['BROWSER', 'firefox', false],
  ])('%s=%s goes only where it needs what is not there', (name, value, goes) => {
    expect(danglingVariables({ [name]: value }, [])).toEqual(goes ? [name] : []);
  });

  test('facts about the session stay', () => {
    const env = {
      SSH_CONNECTION: '1 2 3 4',
      SSH_TTY: '/dev/pts/1',
      TERM_PROGRAM: 'vscode',
      XDG_RUNTIME_DIR: '/r',
    };
    expect(danglingVariables(env, [])).toEqual([]);
  });

  test('are listed once, each with its reason', () => {
    expect(new Set(DANGLING.map(({ name }) => name)).size).toBe(DANGLING.length);
    for (const row of DANGLING) {
      expect(row.why).toMatch(/\w{3}/);
      if (row.with !== undefined) expect(DANGLING.some(({ name }) => name === row.with)).toBe(true);
    }
  });
});

describe('the environment of the command', () => {
  test('is the user’s, without what leads nowhere, with gate’s own', () => {
    const env = { HOME: '/home/x', DISPLAY: ':0', CURL_CA_BUNDLE: '/mine.pem', UNSET: undefined };
    const child = childEnvironment(env, options);
    expect(child).toMatchObject({ HOME: '/home/x', CURL_CA_BUNDLE: '/ca/bundle.pem', GATE_RUN: options.run });
    expect(child).not.toHaveProperty('DISPLAY');
    expect(child).not.toHaveProperty('UNSET');
  });

  test('has no other proxy left in it, in whatever case', () => {
    const env = {
      npm_config_https_proxy: 'http://corp:3128',
      NPM_CONFIG_PROXY: 'http://corp:3128',
      Ftp_Proxy: 'http://corp:3128',
      grpc_proxy: 'http://corp:3128',
      HTTPS_PROXY: 'http://corp:3128',
      all_proxy: 'socks5://127.0.0.1:1080',
    };
    const child = childEnvironment(env, options);
    expect(Object.entries(child).filter(([, value]) => /corp|socks/.test(value))).toEqual([]);
    expect(child['NPM_CONFIG_PROXY']).toBe('http://127.0.0.1:4711');
  });

  test('keeps everything that works where there is no jail', () => {
    const env = { DISPLAY: ':0', SSH_AUTH_SOCK: '/a/agent' };
    expect(childEnvironment(env, { ...options, isolation: 'none' })).toMatchObject(env);
  });

  test('changes nothing in what it was given', () => {
    const env = Object.freeze({ DISPLAY: ':0', HTTP_PROXY: 'x' });
    childEnvironment(env, options);
    expect(env).toEqual({ DISPLAY: ':0', HTTP_PROXY: 'x' });
  });
});
