import { exchangeId } from '../../core/ids.ts';
import { createAddressPool } from '../../proxy/dns/pool.ts';
import { type Check, type Fact, fact } from '../check.ts';
import { attemptResult, type Evidence, recordsOf } from '../evidence.ts';
import type { Attempt } from '../plan.ts';

/** A connection past gate, on a port that it does not capture. */
export const directSocket: Check = {
  name: 'direct_socket',
  title: 'direct socket',
  expected: 'refused; the listener outside hears nothing',
  facts(evidence) {
    const { before, after } = evidence.arrived;
    const arrived = { outside: before.connections > 0, inside: after.connections !== before.connections };
    return heldBack(evidence, 'socket', 'tcp', arrived);
  },
  id: (evidence) => refusedId(evidence, 'tcp'),
};

/** A question to a resolver of the agent's own choice: what a tool that hides data in names would do. */
export const ownResolver: Check = {
  name: 'own_resolver',
  title: 'DNS leak',
  expected: 'no packet reaches a resolver outside',
  facts(evidence) {
    const { before, after } = evidence.arrived;
    const arrived = {
      outside: before.queries.includes(evidence.plan.names.outside),
      inside: after.queries.length !== before.queries.length,
    };
    return heldBack(evidence, 'resolver', 'udp', arrived);
  },
  id: (evidence) => refusedId(evidence, 'udp'),
};

/** A name that does not exist, asked of the jail's own resolver. */
export const jailResolver: Check = {
  name: 'jail_resolver',
  title: 'name lookup',
  expected: "answered by gate from the jail's own addresses",
  facts(evidence) {
    const result = attemptResult(evidence.inside, 'name');
    const record = nameRecord(evidence);
    return [
      fact(createAddressPool().includes(result), result, `the agent got ${result}`),
      fact(
        record?.answer === result,
        `${shortName(evidence.plan.names.jail)} is on record`,
        'the name is not in the record',
      ),
    ];
  },
  id: (evidence) => idOf(evidence, nameRecord(evidence)?.seq),
};

/** `arrived`: whether what was tried outside the jail, and in it, came to where it was sent. */
function heldBack(
  evidence: Evidence,
  attempt: Attempt,
  proto: 'tcp' | 'udp',
  arrived: { readonly outside: boolean; readonly inside: boolean },
): Fact[] {
  return [
    fact(arrived.outside, '', 'it did not arrive outside the jail either: nothing is proven'),
    ...refusal(evidence, attempt, proto),
    fact(!arrived.inside, 'nothing arrived', 'it ARRIVED OUTSIDE: the jail does not hold'),
  ];
}

function refusal(evidence: Evidence, attempt: Attempt, proto: 'tcp' | 'udp'): Fact[] {
  const outside = attemptResult(evidence.outside, attempt);
  const inside = attemptResult(evidence.inside, attempt);
  return [
    fact(isAnswer(outside), '', `outside the jail it came to ${outside}: nothing is proven`),
    fact(!isAnswer(inside) && inside !== 'not tried', inside, `in the jail it came to ${inside}`),
    fact(
      isLoopback(evidence) || refusedRecord(evidence, proto) !== undefined,
      isLoopback(evidence) ? 'no network here to be recorded' : 'recorded',
      'the attempt is not in the record',
    ),
  ];
}

function isAnswer(result: string): boolean {
  return result === 'done' || /^\d+\./.test(result);
}

/** A machine without a network has only loopback to try, and that is the jail's own: nothing is recorded of it. */
function isLoopback({ plan }: Evidence): boolean {
  return plan.outside.address === '127.0.0.1';
}

function refusedRecord(evidence: Evidence, proto: 'tcp' | 'udp') {
  const { address, tcpPort, udpPort } = evidence.plan.outside;
  const wanted = proto === 'tcp' ? tcpPort : udpPort;
  return recordsOf(evidence, 'refused').find(
    (record) => record.proto === proto && record.address === address && record.port === wanted,
  );
}

function nameRecord(evidence: Evidence) {
  return recordsOf(evidence, 'dns').find(({ name }) => name === evidence.plan.names.jail);
}

function refusedId(evidence: Evidence, proto: 'tcp' | 'udp'): string | undefined {
  return idOf(evidence, refusedRecord(evidence, proto)?.seq);
}

function idOf(evidence: Evidence, seq: number | undefined): string | undefined {
  const run = recordsOf(evidence, 'run.start')[0]?.run;
  return run === undefined || seq === undefined ? undefined : exchangeId(run, seq);
}

function shortName(name: string): string {
  return `${name.slice(0, 4)}…${name.slice(name.indexOf('.'))}`;
}
