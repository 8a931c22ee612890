import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Policy } from '../../src/core/policy.ts';
import { isIpLiteral } from '../../src/policy/host.ts';
import { createTestAuthority, type TestAuthority } from '../helpers/certs.ts';
import { createRig, type Pinned, type Rig } from '../helpers/client-rig.ts';
import { startCorporateProxy, type TestCorporateProxy } from '../helpers/corporate-proxy.ts';
import { answering, type Origin, ok, startOrigin } from '../helpers/origin.ts';
import {
  addressOf,
  CASES,
  type Case,
  policyOf,
  SOMEWHERE,
  show,
  targetOf,
} from '../unit/policy/decisions.ts';
import { SPELLINGS } from '../unit/policy/spellings.ts';

/** The table of decisions once more, each through the engine's own sockets: what a client is told, and who is asked. */
let gateCa: TestAuthority;
let origin: Origin;
let corporate: TestCorporateProxy;
let rig: Rig | undefined;

beforeAll(async () => {
  gateCa = createTestAuthority('gate');
  origin = await startOrigin(answering(() => ok('from the origin')));
  corporate = await startCorporateProxy({ originPort: origin.port });
});
afterAll(async () => {
  await corporate.stop();
  await origin.stop();
});
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

/** What may be dialled is the test's origin, wherever the case says that the host is. */
function leadingTo(port: number, policy: Policy): Policy {
  return {
    byName: policy.byName,
    byAddress: (target, verdict, candidates) => {
      const judged = policy.byAddress(target, verdict, candidates);
      return {
        ...judged,
        candidates: judged.candidates.map(() => ({ address: '127.0.0.1', port, pinned: true })),
      };
    },
  };
}

function rigFor(one: Case, lookedUp: string[]): Rig {
  const { host, port } = targetOf(one);
  const at = (one.at ?? SOMEWHERE).map(addressOf);
  const pins = at
    .filter(({ pinned }) => pinned)
    .map((each): Pinned => ({ host, port, address: each.address, addressPort: each.port ?? port }));
  const proxy = {
    HTTPS_PROXY: `http://127.0.0.1:${corporate.port}`,
    http_proxy: `http://127.0.0.1:${corporate.port}`,
  };
  return createRig({
    gateCa,
    policy: leadingTo(origin.port, policyOf(one)),
    resolve: pins,
    resolveName: async (name) => {
      lookedUp.push(name);
      return at.map(({ address }) => address);
    },
    proxyEnv: at.length === 0 ? proxy : {},
  });
}

/** By CONNECT, as clients come to a proxy, and then plain HTTP, which may stand on any port. */
async function ask(made: Rig, { host, port }: { host: string; port: number }): Promise<string> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = await made.proxy();
  client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await client.saw(/^HTTP\/1\.1 \d+ .*\r\n(.*\r\n)*\r\n/);
  client.send(`GET /case HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`);
  const text = await client.saw(/from the origin|proxied GET|"type":"gate_blocked"/);
  client.destroy();
  return text;
}

/** What was written down, in the words of the table. */
function recorded({ recorder }: Rig): string {
  const tunnel = recorder.tunnels[0];
  const decision = tunnel?.facts.decision ?? recorder.exchanges[0]?.facts.decision;
  const by = decision?.pattern === undefined ? '' : ` by ${decision.list} ${decision.pattern}`;
  return `${tunnel === undefined ? '' : 'tunnel: '}${decision?.verdict} ${decision?.reason}${by}`;
}

/** A host is named by --resolve or looked up, never both. */
const canBe = ({ at = [] }: Case) => new Set(at.map((each) => addressOf(each).pinned)).size < 2;

describe.each(CASES)('%s', (_, cases) => {
  // promise: decide.deny, decide.enforce, decide.private, decide.vetted, decide.passthrough, deny.silence
  test.each(cases.filter(canBe).map((one) => [show(one), one.says, one] as const))(
    '%s → %s',
    async (_shown, says, one) => {
      const lookedUp: string[] = [];
      const before = origin.connections.length;
      rig = rigFor(one, lookedUp);
      const text = await ask(rig, targetOf(one));
      expect(recorded(rig)).toBe(says);
      const denied = says.startsWith('deny');
      expect(text.includes(`x-gate-block: ${says.split(' ')[1]}`)).toBe(denied);
      if (denied) expect(origin.connections.length).toBe(before);
      const byName = /not_allowlisted|denylisted by deny [^\d:]/.test(says);
      if (byName || isIpLiteral(targetOf(one).host)) expect(lookedUp).toEqual([]);
      expect(rig.bugs).toEqual([]);
    },
  );
});

/** What can stand in a request line; an address with colons stands in brackets there. */
const sendable = SPELLINGS.filter(([spelling]) => /^[!-~]*$/.test(spelling)).map(
  ([spelling, canonical]) => [/^[^[].*:|^:/.test(spelling) ? `[${spelling}]` : spelling, canonical] as const,
);

describe('every spelling of a host', () => {
  // promise: decide.canonical
  test.each(sendable)('%s is %s', async (spelling, canonical) => {
    rig = rigFor({ target: `${canonical ?? 'no.test'}:80`, says: '' }, []);
    const client = await rig.proxy();
    client.send(`CONNECT ${spelling}:80 HTTP/1.1\r\nHost: ${spelling}:80\r\n\r\n`);
    const told = await client.saw(/^HTTP\/1\.1 \d+ .*\r\n(.*\r\n)*\r\n/);
    if (canonical === undefined) {
      expect(told).toMatch(/^HTTP\/1\.1 400 /);
      expect(told).toContain('x-gate-block: bad_host');
      return;
    }
    client.send(`GET /spelt HTTP/1.1\r\nHost: ${spelling}\r\nConnection: close\r\n\r\n`);
    await client.saw(/from the origin|"type":"gate_blocked"/);
    expect(rig.recorder.exchanges[0]?.facts).toMatchObject({ host: canonical, port: 80 });
    client.destroy();
  });
});
