/** The origin of the benchmark: HTTPS on loopback, one process. Says `{"port":…}` and serves until it is killed. */
import { createCipheriv, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { EVENT_EVERY_MS, EVENTS, MEGABYTE } from '../scenarios.ts';

const [, , key = '', cert = ''] = process.argv;

// A key stream never repeats, so that nobody can store or compress it away; and it costs next to nothing.
const noise = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
const zeros = Buffer.alloc(MEGABYTE);
const PROSE = 'the quick brown fox jumps over the lazy dog and goes on to say something else '.repeat(13);
let answers = 0;

const server = createServer({ key, cert, noDelay: true }, (request, response) => {
  request.resume();
  request.on('end', () => answer(request, response));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/big') whole(response, 'application/octet-stream', noise.update(zeros));
  else if (request.url === '/events') events(response);
  else small(response);
}

function small(response: ServerResponse): void {
  answers += 1;
  const text = JSON.stringify({ id: answers, text: PROSE }).slice(0, 1022);
  whole(response, 'application/json', Buffer.from(`${text}"}`));
}

function whole(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

/** Each event says when it was sent, by the clock that all processes of a machine share. */
function events(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    response.write(`event: delta\ndata: {"at":"${process.hrtime.bigint()}","text":"some words of it"}\n\n`);
    if (sent < EVENTS) return;
    clearInterval(timer);
    response.end();
  }, EVENT_EVERY_MS);
  response.on('close', () => clearInterval(timer));
  response.flushHeaders();
}
