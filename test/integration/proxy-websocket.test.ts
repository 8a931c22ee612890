import type { Socket } from 'node:net';
import { constants, createDeflateRaw } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Client, settle, still, within } from '../helpers/client.ts';
import { deflated, frame, handshake, keyIn, messagesIn, switching } from '../helpers/client-frames.ts';
import type { Rig } from '../helpers/client-rig.ts';
import { createSuite, HOST } from '../helpers/client-suite.ts';
import type { Origin } from '../helpers/origin.ts';

const { rig, securely, tlsOrigin } = createSuite();
const MASK = { mask: true };

interface Opened {
  readonly made: Rig;
  readonly target: Origin;
  readonly client: Client;
  /** The origin's end of the WebSocket. */
  readonly peer: Socket;
  /** What the client has received after the handshake. */
  frames(): Buffer;
}

async function open(fields = '', offered = ''): Promise<Opened> {
  const target = await tlsOrigin((socket, text) => {
    if (text.endsWith('\r\n\r\n') && text.startsWith('GET')) socket.write(switching(fields, keyIn(text)));
  });
  const made = rig(target);
  const client = await securely(made);
  client.send(handshake(HOST, '/ws?x=1', offered));
  await client.saw('\r\n\r\n');
  await target.saw('\r\n\r\n');
  const [peer] = target.connections;
  if (peer === undefined) throw new Error('no connection');
  const start = client.bytes.indexOf('\r\n\r\n') + 4;
  return { made, target, client, peer, frames: () => client.bytes.subarray(start) };
}

/** Everything the origin has received after the handshake. */
function up(target: Origin): Buffer {
  const text = target.received();
  return Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
}

/** Opcodes and texts of the messages that an end received. */
const received = (bytes: Buffer): [number, string][] =>
  messagesIn(bytes).map(({ opcode, payload }) => [opcode, payload.toString('latin1')]);

const messages = (made: Rig): [string, number, string][] =>
  (made.recorder.exchanges[0]?.messages ?? []).map((each) => [each.from, each.opcode, each.bytes.toString()]);

const eventually = (made: Rig, check: () => boolean): Promise<true> =>
  made.recorder.until(() => (check() ? true : undefined));

test('the origin is asked before the client gets its 101, and both heads pass unchanged', async () => {
  const { made, target, client } = await open();
  expect(client.text).toBe(switching());
  expect(target.received()).toBe(handshake(HOST, '/ws?x=1'));
  const [exchange] = made.recorder.exchanges;
  expect(exchange?.facts).toMatchObject({ protocol: 'websocket', url: `https://${HOST}/ws?x=1` });
  expect(exchange?.response?.status).toBe(101);
});

test('an origin that refuses answers as to any request', async () => {
  const target = await tlsOrigin((socket) => {
    socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
  });
  const made = rig(target);
  const client = await securely(made);
  client.send(handshake(HOST));
  expect(await client.saw('\r\n\r\nno')).toContain(' 401 ');
  expect((await made.recorder.ended(0)).end?.outcome).toBe('complete');
});

test('messages pass byte for byte and are recorded whole, both ways', async () => {
  const { made, target, client, peer, frames } = await open();
  const sent = Buffer.concat([frame('hello', MASK), frame(Buffer.from([0, 255]), { ...MASK, opcode: 2 })]);
  client.send(sent);
  const back = Buffer.concat([frame('{"type":"a"}'), frame('ünï')]);
  peer.write(back);
  await eventually(made, () => received(frames()).length === 2 && received(up(target)).length === 2);
  expect(received(up(target))).toEqual(received(sent));
  expect(received(frames())).toEqual(received(back));
  // Nobody but gate need keep the masks and the frames.
  await made.gateOnly(() => expect([frames(), up(target)]).toEqual([back, sent]));
  expect(messages(made).filter(([from]) => from === 'client')).toEqual([
    ['client', 1, 'hello'],
    ['client', 2, Buffer.from([0, 255]).toString()],
  ]);
  expect(messages(made).filter(([from]) => from === 'server')).toEqual([
    ['server', 1, '{"type":"a"}'],
    ['server', 1, 'ünï'],
  ]);
});

test('a frame that comes with the 101 is not lost', async () => {
  const target = await tlsOrigin((socket, text) => {
    socket.write(Buffer.concat([Buffer.from(switching('', keyIn(text))), frame('first')]));
  });
  const made = rig(target);
  const client = await securely(made);
  client.send(handshake(HOST));
  await client.saw('first');
  expect(messages(made)).toEqual([['server', 1, 'first']]);
});

test('no byte of a message goes on before it is written', async () => {
  const { made, target, client } = await open();
  let allow: () => void = () => undefined;
  made.recorder.gate = (step) =>
    step === 'message' ? new Promise((resolve) => (allow = resolve)) : Promise.resolve();
  client.send(frame('secret', MASK));
  await eventually(made, () => messages(made).length === 1);
  await settle(120);
  expect(up(target)).toHaveLength(0);
  allow();
  await eventually(made, () => up(target).length > 0);
});

test('fragments are one message; a ping between them keeps its place', async () => {
  const { made, target, client } = await open();
  const sent = Buffer.concat([
    frame('one ', { ...MASK, fin: false }),
    frame('ping!', { ...MASK, opcode: 9 }),
    frame('two ', { ...MASK, opcode: 0, fin: false }),
    frame('three', { ...MASK, opcode: 0 }),
  ]);
  for (const byte of sent) client.send(Buffer.from([byte]));
  await eventually(made, () => received(up(target)).length === 2);
  expect(received(up(target))).toEqual(received(sent));
  await made.gateOnly(() => expect(up(target)).toEqual(sent));
  const texts = messages(made).filter(([, opcode]) => opcode < 8);
  expect(texts.map(([, , text]) => text).join('')).toBe('one two three');
  expect(messages(made)).toContainEqual(['client', 9, 'ping!']);
});

test('a message that dawdles goes on in parts, never stalled', async () => {
  const { made, target, client } = await open();
  const first = frame('begin', { ...MASK, fin: false });
  client.send(first);
  await eventually(made, () => up(target).length === first.length);
  const last = frame(' end', { ...MASK, opcode: 0 });
  client.send(last);
  await eventually(made, () => received(up(target)).length === 1);
  expect(received(up(target))).toEqual([[1, 'begin end']]);
  await made.gateOnly(() => expect(up(target)).toEqual(Buffer.concat([first, last])));
  expect(messages(made)).toEqual([
    ['client', 1, 'begin'],
    ['client', 0, ' end'],
  ]);
});

test('compressed messages are recorded decompressed, over a shared window too', async () => {
  const accepted = 'Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n';
  const { made, target, client, peer, frames } = await open(accepted, accepted);
  expect(client.text, 'compression was not agreed on').toContain('permessage-deflate');
  const sent = Buffer.concat([
    frame(deflated('alpha alpha'), { ...MASK, rsv1: true }),
    frame(deflated('beta beta'), { ...MASK, rsv1: true }),
    frame('plain', MASK),
  ]);
  client.send(sent);
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
  const pack = (text: string): Promise<Buffer> =>
    new Promise((resolve) => {
      const pieces: Buffer[] = [];
      const onData = (piece: Buffer): number => pieces.push(piece);
      deflate.on('data', onData);
      deflate.write(text);
      deflate.flush(constants.Z_SYNC_FLUSH, () => {
        deflate.off('data', onData);
        const all = Buffer.concat(pieces);
        resolve(all.subarray(0, all.length - 4));
      });
    });
  const text = 'the same long sentence, said twice over the same connection';
  const back = Buffer.concat([
    frame(await pack(text), { rsv1: true }),
    frame(await pack(text), { rsv1: true }),
  ]);
  peer.write(back);
  await eventually(made, () => frames().equals(back) && up(target).equals(sent));
  const said = (side: string): string[] =>
    messages(made)
      .filter(([from]) => from === side)
      .map(([, , message]) => message);
  expect(said('client')).toEqual(['alpha alpha', 'beta beta', 'plain']);
  expect(said('server')).toEqual([text, text]);
});

test('broken compression is recorded as it came, and passes', async () => {
  const accepted = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
  const { made, target, client } = await open(accepted, accepted);
  expect(client.text, 'compression was not agreed on').toContain('permessage-deflate');
  const sent = frame(Buffer.from([0xff, 0xfe, 0xfd, 0xfc, 0xfb]), { ...MASK, rsv1: true });
  client.send(sent);
  await eventually(made, () => up(target).equals(sent));
  expect(made.recorder.exchanges[0]?.messages[0]?.bytes).toEqual(Buffer.from([0xff, 0xfe, 0xfd, 0xfc, 0xfb]));
});

test('2 MB messages pass both ways', async () => {
  const { made, target, client, peer, frames } = await open();
  const big = Buffer.alloc(2 * 1024 * 1024, 'abcdefg');
  const sent = frame(big, MASK);
  const back = frame(big, { opcode: 2 });
  client.send(sent);
  peer.write(back);
  await eventually(made, () => frames().length >= back.length && up(target).length >= sent.length);
  const [there, here] = [messagesIn(up(target)), messagesIn(frames())].map(([message]) => message?.payload);
  expect([there?.equals(big), here?.equals(big)], 'the message as it was').toEqual([true, true]);
  await made.gateOnly(() => {
    expect(frames().equals(back)).toBe(true);
    expect(up(target).equals(sent)).toBe(true);
  });
  const sizes = (side: string): number =>
    (made.recorder.exchanges[0]?.messages ?? [])
      .filter((each) => each.from === side)
      .reduce((sum, each) => sum + each.bytes.length, 0);
  expect(sizes('client')).toBe(big.length);
  expect(sizes('server')).toBe(big.length);
});

test.each([1001, 4321])('the close code %i passes both ways', async (code) => {
  const { made, target, client, peer, frames } = await open();
  const reason = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from('going')]);
  peer.write(frame(reason, { opcode: 8 }));
  await eventually(made, () => frames().length > 0);
  expect(received(frames())).toEqual([[8, reason.toString('latin1')]]);
  client.send(frame(reason, { ...MASK, opcode: 8 }));
  await eventually(made, () => up(target).length > 0);
  expect(received(up(target))).toEqual([[8, reason.toString('latin1')]]);
});

test('compressed messages of several MB pass byte for byte and are recorded decompressed, both ways', async () => {
  const accepted = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
  const { made, target, client, peer, frames } = await open(accepted, accepted);
  expect(client.text, 'compression was not agreed on').toContain('permessage-deflate');
  const lines = Array.from({ length: 100_000 }, (_, at) => `line ${at}: ${at * 7919} and so on`);
  const big = Buffer.from(lines.join('\n'));
  expect(big.length).toBeGreaterThan(3_000_000);
  const packed = deflated(big);
  // In fragments, of which only the first is marked as compressed.
  const half = packed.length >> 1;
  const sent = Buffer.concat([
    frame(packed.subarray(0, half), { ...MASK, rsv1: true, fin: false }),
    frame(packed.subarray(half), { ...MASK, opcode: 0 }),
  ]);
  const back = frame(packed, { rsv1: true, opcode: 2 });
  client.send(sent);
  peer.write(back);
  await eventually(made, () => frames().length === back.length && up(target).length === sent.length);
  expect(frames().equals(back)).toBe(true);
  expect(up(target).equals(sent)).toBe(true);
  for (const side of ['client', 'server']) {
    const parts = (made.recorder.exchanges[0]?.messages ?? []).filter((each) => each.from === side);
    expect(Buffer.concat(parts.map((each) => each.bytes)).equals(big)).toBe(true);
    expect(parts[0]?.opcode).toBe(side === 'client' ? 1 : 2);
  }
});

test('a subprotocol passes both ways; so does a pong with what it says', async () => {
  const { made, target, client, peer, frames } = await open(
    'Sec-WebSocket-Protocol: graphql-ws\r\n',
    'Sec-WebSocket-Protocol: chat, graphql-ws\r\n',
  );
  expect(client.text, 'the subprotocol is not what the origin chose').toMatch(
    /\r\nSec-WebSocket-Protocol: graphql-ws\r\n/i,
  );
  expect(target.received()).toMatch(/\r\nSec-WebSocket-Protocol: chat, graphql-ws\r\n/i);
  const ping = frame('are you there', { opcode: 9 });
  const pong = frame('are you there', { ...MASK, opcode: 10 });
  peer.write(ping);
  await eventually(made, () => frames().equals(ping));
  client.send(pong);
  await eventually(made, () => up(target).length >= pong.length);
  expect(received(up(target))).toEqual([[10, 'are you there']]);
  await made.gateOnly(() => expect(up(target)).toEqual(pong));
  expect(messages(made)).toEqual([
    ['server', 9, 'are you there'],
    ['client', 10, 'are you there'],
  ]);
});

test.each([1000, 1011])('the close code %i and its reason are recorded, from either side', async (code) => {
  const { made, target, client, peer } = await open();
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from('the reason')]);
  const bye = frame(payload, { ...MASK, opcode: 8 });
  client.socket.once('end', () => client.socket.end());
  client.send(bye);
  await eventually(made, () => up(target).length >= bye.length);
  expect(received(up(target))).toEqual([[8, payload.toString('latin1')]]);
  await made.gateOnly(() => expect(up(target)).toEqual(bye));
  peer.end(frame(payload, { opcode: 8 }));
  await client.over();
  expect(client.closed).toBe('ended');
  const ended = await made.recorder.ended(0);
  expect(ended.end?.outcome).toBe('complete');
  expect(ended.messages.map((each) => [each.from, each.opcode, each.bytes])).toEqual([
    ['client', 8, payload],
    ['server', 8, payload],
  ]);
});

test('no byte of a message of the origin goes on before it is written', async () => {
  const { made, peer, frames } = await open();
  let allow: () => void = () => undefined;
  made.recorder.gate = (step) =>
    step === 'message' ? new Promise((resolve) => (allow = resolve)) : Promise.resolve();
  peer.write(frame('answer'));
  await eventually(made, () => messages(made).length === 1);
  await settle(120);
  expect(frames()).toHaveLength(0);
  allow();
  await eventually(made, () => frames().equals(frame('answer')));
});

const BLOCK = frame(Buffer.alloc(64 * 1024, 'w'), { opcode: 2 });
const BLOCKS = 1000;
/** More than the buffers of all the sockets on the way hold. */
const HELD_UP = 45 * 1024 * 1024;

/** Bytes of messages that were written. A message that was held up comes in parts. */
const written = (made: Rig): number =>
  (made.recorder.exchanges[0]?.messages ?? []).reduce((sum, each) => sum + each.bytes.length, 0);

/** Sends 62 MB of messages as fast as they are taken; tells how many bytes were. */
function flood(socket: Socket, block: Buffer): () => number {
  let sent = 0;
  const more = (): void => {
    while (sent < BLOCKS && socket.writable) {
      sent += 1;
      if (!socket.write(block)) break;
    }
  };
  socket.on('drain', more);
  more();
  return () => sent * block.length - socket.writableLength;
}

test('a client that reads slowly slows the origin down, and gets everything', async () => {
  const { made, client, peer } = await open();
  client.socket.removeAllListeners('data');
  client.socket.pause();
  const taken = flood(peer, BLOCK);
  await still(taken);
  expect(taken(), 'bytes the origin got rid of while the client read none').toBeLessThan(HELD_UP);
  await made.gateOnly(() => expect(written(made)).toBeLessThan(HELD_UP / 2));
  let got = 0;
  client.socket.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  client.socket.resume();
  await eventually(made, () => got === BLOCKS * BLOCK.length);
  expect(written(made)).toBe(BLOCKS * 64 * 1024);
});

test('an origin that reads slowly slows the client down, and gets everything', async () => {
  const { made, client, peer } = await open();
  peer.removeAllListeners('data');
  peer.pause();
  const block = frame(Buffer.alloc(64 * 1024, 'w'), { ...MASK, opcode: 2 });
  const taken = flood(client.socket, block);
  await still(taken);
  expect(taken(), 'bytes the client got rid of while the origin read none').toBeLessThan(HELD_UP);
  await made.gateOnly(() => expect(written(made)).toBeLessThan(HELD_UP / 2));
  let got = 0;
  peer.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  peer.resume();
  await eventually(made, () => got === BLOCKS * block.length);
  expect(written(made)).toBe(BLOCKS * 64 * 1024);
});

test('the end is recorded before the connection is closed', async () => {
  const { made, client, peer, frames } = await open();
  let allow: () => void = () => undefined;
  made.recorder.gate = (step) =>
    step === 'end' ? new Promise((resolve) => (allow = resolve)) : Promise.resolve();
  const bye = frame(Buffer.concat([Buffer.from([0x03, 0xe9]), Buffer.from('going')]), { opcode: 8 });
  peer.write(bye);
  await eventually(made, () => frames().equals(bye));
  client.send(frame(Buffer.from([0x03, 0xe9]), { ...MASK, opcode: 8 }));
  await settle(30);
  peer.end();
  await settle();
  expect(client.closed).toBe('no');
  allow();
  await client.over();
  expect(client.closed).toBe('ended');
  const ended = await made.recorder.ended(0);
  expect(ended.end?.outcome).toBe('complete');
  expect(ended.messages.map((each) => each.opcode)).toEqual([8, 8]);
});

test('an origin that breaks off without Close breaks the client off', async () => {
  const { made, client, peer } = await open();
  peer.destroy();
  await client.over();
  expect(client.closed).toBe('reset');
  expect((await made.recorder.ended(0)).end?.outcome).toBe('upstream_reset');
});

test('a client that leaves closes the origin', async () => {
  const { made, client, peer } = await open();
  const closed = new Promise((resolve) => peer.once('close', resolve));
  client.destroy();
  await within(closed, 'the end of the connection to the origin');
  expect((await made.recorder.ended(0)).end?.outcome).toBe('client_aborted');
});

test('stop ends an open WebSocket as gate_stopped', async () => {
  const { made, client } = await open();
  await made.engine.stop();
  await client.over();
  expect(made.recorder.exchanges[0]?.end?.outcome).toBe('gate_stopped');
});

test('a message that cannot be written cuts both sides', async () => {
  const { made, target, client } = await open();
  made.recorder.gate = (step) =>
    step === 'message' ? Promise.reject(new Error('disk full')) : Promise.resolve();
  client.send(frame('lost', MASK));
  await client.over();
  expect(client.closed).toBe('reset');
  expect(up(target)).toHaveLength(0);
});

test('another upgrade than websocket is not taken up', async () => {
  const target = await tlsOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const made = rig(target);
  const client = await securely(made);
  client.send(
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
  );
  await client.saw('\r\n\r\nok');
  expect(target.received()).toBe(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
});
