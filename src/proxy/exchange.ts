import type { EndFacts, ExchangeRecorder, Recorder } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import type { Policy } from '../core/policy.ts';
import { type Answer, auditUnavailable, blocked } from './answer.ts';
import { type Cancel, Cancelled } from './cancel.ts';
import { AuditError, audited, BadRequest } from './errors.ts';
import { bodyToRecord, type Gathered, gather, gatherTime } from './gather.ts';
import { type Framing, NO_BODY } from './http1/framing.ts';
import type { Inbound } from './inbound.ts';
import type { Limits } from './limits.ts';
import { answerTo, endOf, isExpected, timingOf } from './outcome.ts';
import type { Reply } from './reply.ts';
import { relayResponse } from './response-relay.ts';
import { ruleOn } from './rule.ts';
import { sendRequest } from './sender.ts';
import type { IncomingResponse, Route, Speaks, Upstream, UpstreamCall } from './upstream-call.ts';
import { relayWebSocket } from './websocket/relay.ts';
import type { Wire } from './wire.ts';

export interface ExchangeDeps {
  readonly recorder: Recorder;
  readonly policy: Policy;
  readonly upstream: Upstream;
  readonly limits: Limits;
  readonly onBug: (error: unknown) => void;
}

/**
 * One request and its answer, whatever the protocols on both sides: decide, record, forward, relay, end.
 * Every release of bytes stands after the recorder's permission for it.
 */
export class Exchange {
  readonly #deps: ExchangeDeps;
  readonly #inbound: Inbound;
  readonly #reply: Reply;
  readonly #cancel: Cancel;
  readonly #started = performance.now();
  #recorder: ExchangeRecorder | undefined;
  #call: UpstreamCall | undefined;
  #dnsMs: number | undefined;
  #released = false;
  /** The origin's answer has been handed to the recorder, so that gate can give none of its own any more. */
  #answered = false;

  constructor(deps: ExchangeDeps, inbound: Inbound, reply: Reply, cancel: Cancel) {
    this.#deps = deps;
    this.#inbound = inbound;
    this.#reply = reply;
    this.#cancel = cancel;
  }

  /** Runs to the end of the exchange, recorded and answered. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#exchange();
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#cancel.undo = undefined;
    }
  }

  async #exchange(): Promise<void> {
    const { limits, recorder } = this.#deps;
    const { body, facts, claim } = this.#inbound;
    const gathering = gather(body, limits.gatherBytes, gatherTime(this.#inbound, limits));
    const ruling = await ruleOn(claim, speaks(this.#inbound), this.#deps.policy, this.#deps.upstream);
    this.#dnsMs = ruling.dnsMs;
    const gathered = await gathering;
    const recorded = { ...facts, decision: ruling.decision };
    this.#recorder = await audited(recorder.request(recorded, bodyToRecord(this.#inbound, gathered)));
    this.#cancel.check();
    if (gathered.failure !== undefined) throw gathered.failure;
    if (ruling.kind === 'fail') throw ruling.error;
    if (ruling.kind === 'deny') {
      await this.#answer(blocked(ruling.decision, claim.host, claim.port), { outcome: 'denied' });
      return;
    }
    await this.#forward(gathered, {
      target: { host: claim.host, port: claim.port },
      tls: this.#inbound.tls,
      h2: facts.protocol === 'h2',
      candidates: ruling.candidates,
    });
  }

  async #forward(gathered: Gathered, route: Route): Promise<void> {
    const reply = this.#reply;
    const recorder = this.#require();
    const { call, response } = await sendRequest({
      upstream: this.#deps.upstream,
      inbound: this.#inbound,
      gathered,
      route,
      recorder,
      reply,
      cancel: this.#cancel,
      opened: (opened) => {
        this.#call = opened;
      },
      ended: () => this.#recorder === undefined,
      pumpFailed: (error) => this.#pumpFailed(error),
    });
    if (response.status === 101 && this.#inbound.upgrade !== undefined) {
      await this.#relayMessages(call, response, this.#inbound.upgrade);
      return;
    }
    this.#answered = true;
    await relayResponse({
      recorder,
      reply,
      response,
      upstream: { address: call.address, protocol: call.protocol },
      released: () => {
        this.#released = true;
      },
      check: () => this.#cancel.check(),
      end: () => this.#end({ outcome: 'complete' }, response.body.trailers),
    });
    this.#cancel.undo = undefined;
    if (!this.#inbound.body.done) reply.closeAfter();
    call.release();
  }

  /** The client's body broke off, or could not be recorded: that ends the whole exchange. */
  #pumpFailed(error: unknown): void {
    if (this.#recorder === undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#cancel.stop('client_aborted', cause);
  }

  /** The origin switched protocols: from here on there are messages, until one side ends. */
  async #relayMessages(call: UpstreamCall, response: IncomingResponse, client: Wire): Promise<void> {
    const recorder = this.#require();
    const { headers, status, statusText } = response;
    const upstream = { address: call.address, protocol: call.protocol };
    this.#answered = true;
    await audited(recorder.response({ status, statusText, headers, upstream }));
    this.#cancel.check();
    this.#released = true;
    this.#reply.closeAfter();
    this.#reply.head(response);
    // Leaving is a message's matter now, not a reason to cut the origin off at once.
    client.onGone = undefined;
    const origin = call.upgrade();
    const end = await relayWebSocket({ client, origin, headers, recorder });
    this.#cancel.check();
    this.#cancel.undo = undefined;
    await audited(this.#end(end, undefined));
    if (end.outcome !== 'complete') this.#reply.reset();
    if (end.outcome === 'complete') origin.linger(this.#deps.limits.lingerMs).catch(() => undefined);
    else origin.reset();
  }

  /** Answers by gate itself: recorded like any answer, released with its end. */
  async #answer(answer: Answer, end: Pick<EndFacts, 'outcome' | 'error'>): Promise<void> {
    const recorder = this.#require();
    const { status, statusText, headers } = answer;
    const bodyless = this.#inbound.facts.method === 'HEAD';
    const written = [recorder.response({ status, statusText, headers }, true)];
    if (!bodyless) written.push(recorder.responseData(answer.body, true));
    written.push(this.#end(end, undefined));
    await audited(Promise.all(written));
    this.#release(answer, bodyless);
  }

  #release(answer: Answer, bodyless: boolean): void {
    const reply = this.#reply;
    if (!this.#inbound.body.done) reply.closeAfter();
    const { status, statusText, headers } = answer;
    const framing: Framing = bodyless ? NO_BODY : { kind: 'length', length: answer.body.length };
    reply.cork();
    reply.head({ status, statusText, headers, framing });
    // Nobody waits for a client that does not read gate's own short answer.
    if (!bodyless) reply.data(answer.body)?.catch(() => undefined);
    reply.end(undefined);
    reply.uncork();
  }

  async #fail(error: unknown): Promise<void> {
    this.#cancel.undo = undefined;
    this.#call?.abort();
    try {
      await this.#failed(this.#rootCause(error));
    } catch (again) {
      // The record of the failure failed as well, or the client is gone: nothing more can be said to anyone.
      this.#unrecorded(again);
    }
  }

  /** What stopped the exchange, rather than what then broke because of it. */
  #rootCause(error: unknown): unknown {
    if (error instanceof AuditError) return error;
    const { outcome, cause } = this.#cancel;
    if (outcome === undefined) return error;
    return cause instanceof AuditError || cause instanceof BadRequest ? cause : new Cancelled(outcome);
  }

  async #failed(error: unknown): Promise<void> {
    if (error instanceof AuditError || this.#recorder === undefined) {
      this.#unrecorded(error);
      return;
    }
    if (!isExpected(error)) this.#deps.onBug(error);
    const facts = endOf(error, this.#released, this.#cancel.cause);
    const answer = this.#answered ? undefined : answerTo(error, this.#inbound.claim.host);
    if (answer !== undefined) {
      if (error instanceof BadRequest) this.#reply.closeAfter();
      await this.#answer(answer, facts);
      return;
    }
    await audited(this.#end(facts, undefined));
    this.#reply.reset();
  }

  #unrecorded(error: unknown): void {
    this.#recorder = undefined;
    if (this.#released || !(error instanceof AuditError)) {
      this.#reply.reset();
      return;
    }
    this.#released = true;
    this.#reply.closeAfter();
    this.#release(auditUnavailable(this.#inbound.claim.host), this.#inbound.facts.method === 'HEAD');
  }

  /** The one `end`; nothing is recorded after it. */
  #end(facts: Pick<EndFacts, 'outcome' | 'error'>, trailers: HeaderList | undefined): Promise<void> {
    const recorder = this.#require();
    this.#recorder = undefined;
    const more = trailers === undefined ? {} : { trailers };
    const { connectMs, firstByteMs, tlsMs } = this.#call ?? {};
    const parts = { dnsMs: this.#dnsMs, connectMs, tlsMs, firstByteMs };
    const timing = timingOf(performance.now() - this.#started, parts);
    return recorder.end({ ...facts, ...more, timing });
  }

  #require(): ExchangeRecorder {
    if (this.#recorder === undefined) throw new Error('the exchange is not being recorded');
    return this.#recorder;
  }
}

/** Messages over a plain connection are more than a proxy would pass on in requests. */
function speaks({ tls, upgrade }: Inbound): Speaks {
  if (tls) return 'https';
  return upgrade === undefined ? 'http' : 'tunnel';
}
