import { Body } from '../core/body.ts';
import type { RequestRecord } from '../core/record.ts';
import { isMcp } from '../parsers/mcp.ts';
import type { Content, Traffic } from '../parsers/parser.ts';
import { type Reading, readTraffic } from '../parsers/registry.ts';
import { applyRules } from '../rules/apply.ts';
import type { Subject } from '../rules/rule.ts';
import type { PackReader } from '../store/pack-reader.ts';
import { type BodyText, readBodyText } from './bodies.ts';
import type { Scanner } from './decode/scan.ts';
import type { ExchangeRecords } from './follower.ts';
import { headSubject } from './head.ts';
import { type MessageTexts, readMessages } from './messages.ts';
import type { Analysed, AnalysisSetup, Job } from './protocol.ts';
import { createSightings, type Sightings } from './sightings.ts';

export interface AnalyseOptions {
  readonly job: Job;
  readonly records: ExchangeRecords;
  readonly pack: PackReader;
  readonly scanner: Scanner;
  readonly fingerprint: (value: string) => string;
  readonly setup: AnalysisSetup;
}

interface Texts {
  readonly request: BodyText | undefined;
  readonly response: BodyText | undefined;
  readonly messages: MessageTexts;
}

/** Decodes, parses, searches and judges one exchange, or some messages of one. */
export async function analyse(options: AnalyseOptions): Promise<Analysed> {
  const { job, records, setup } = options;
  const texts = await readTexts(options);
  const traffic = trafficOf(job, records, texts);
  const reading = readTraffic(traffic);
  const maskKey = Buffer.from(setup.maskKey);
  const sightings = createSightings({ scanner: options.scanner, fingerprint: options.fingerprint, maskKey });
  search(sightings, job, records, texts);
  const flags = applyRules(subjectOf(options, texts, { traffic, reading, sightings }), setup.rules);
  const { secrets, pii } = sightings;
  const notScanned = leftOut(texts);
  const fields = {
    id: job.id,
    ...(job.messages === undefined ? {} : { messages: [...job.messages] as [number, number] }),
    flags,
    secrets: [...secrets],
    pii,
    ...(reading.llm === undefined ? {} : { llm: reading.llm }),
    parser: reading.parser.name,
    parserVersion: reading.parser.version,
    ...(notScanned === undefined ? {} : { notScanned }),
  };
  return { fields, content: contentBytes(reading.content) };
}

async function readTexts({ job, records, pack, setup }: AnalyseOptions): Promise<Texts> {
  const { request, end } = records;
  const sent = end?.requestBody ?? wholeBody(request?.body);
  return {
    request: await readBodyText(pack, sent, setup.scanBytes),
    response: await readBodyText(pack, end?.responseBody, setup.scanBytes),
    messages: await readMessages(pack, records.messages, setup.scanBytes, pathOf(job.url)),
  };
}

/** A body that came with its request; undefined for one that was open then. */
function wholeBody(body: RequestRecord['body'] | undefined): Body | undefined {
  const parsed = Body.safeParse(body);
  return parsed.success ? parsed.data : undefined;
}

function trafficOf(job: Job, records: ExchangeRecords, { request, response, messages }: Texts): Traffic {
  const facts = {
    host: job.host,
    path: pathOf(job.url),
    requestHeaders: job.headers,
    responseHeaders: records.response?.headers ?? [],
  };
  if (messages.traffic !== undefined) return { ...facts, ...messages.traffic };
  return {
    ...facts,
    method: job.method,
    status: records.response?.status,
    request: request?.text,
    response: response?.text,
    whole: records.end?.outcome === 'complete' && (request?.whole ?? true) && (response?.whole ?? true),
  };
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname;
  } catch {
    // `*` of OPTIONS, and the like.
    return '';
  }
}

function search(sightings: Sightings, job: Job, records: ExchangeRecords, texts: Texts): void {
  sightings.scan({ where: () => 'url', text: job.url, from: 'client', places: false });
  sightings.headers(job.headers);
  const { request, response, messages } = texts;
  if (request !== undefined) {
    const contentType = contentTypeOf(job.headers);
    sightings.scan({
      where: () => 'request.body',
      text: request.text,
      contentType,
      from: 'client',
      places: true,
    });
  }
  if (response !== undefined) {
    const contentType = contentTypeOf(records.response?.headers ?? []);
    sightings.scan({
      where: () => 'response.body',
      text: response.text,
      contentType,
      from: 'server',
      places: true,
    });
  }
  for (const part of messages.parts) sightings.scan(part);
}

function contentTypeOf(headers: Job['headers']): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
}

interface Found {
  readonly traffic: Traffic;
  readonly reading: Reading;
  readonly sightings: Sightings;
}

function subjectOf(options: AnalyseOptions, texts: Texts, { traffic, reading, sightings }: Found): Subject {
  const { job, records, setup } = options;
  const { request, response, messages } = texts;
  const undecoded = [
    ['request', request],
    ['response', response],
  ] as const;
  return {
    ...headSubject(job, setup),
    ...(records.response === undefined ? {} : { status: records.response.status }),
    responseHeaders: records.response?.headers ?? [],
    requestBytes: request?.bytes ?? 0,
    responseBytes: response?.bytes ?? 0,
    dataMessages: records.dataMessages,
    mcp: reading.parser.name === 'mcp' || messages.mcp || isMcp(traffic),
    secrets: sightings.secrets,
    toolResults: reading.toolResults,
    failures: [
      ...undecoded.flatMap(([side, body]) =>
        body?.problem === undefined ? [] : [`${side} body: ${body.problem}`],
      ),
      ...messages.problems,
      ...reading.problems,
    ],
  };
}

function leftOut({ request, response }: Texts): { request?: number; response?: number } | undefined {
  const left = {
    ...((request?.left ?? 0) > 0 ? { request: request?.left ?? 0 } : {}),
    ...((response?.left ?? 0) > 0 ? { response: response?.left ?? 0 } : {}),
  };
  return Object.keys(left).length === 0 ? undefined : left;
}

function contentBytes(content: Content | undefined): Uint8Array {
  // Not of Node's pool: what is posted takes the whole pool along.
  return content === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(content));
}
