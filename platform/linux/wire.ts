import { homedir } from 'node:os';
import { GateError } from '../../src/core/errors.ts';
import type { JailFile, JailSpec } from '../jail.ts';

/** DNS over TCP and UDP is served there in any case. */
const DNS_PORT = 53;

/**
 * A jail's description as the helper reads it (native/spec.c): 32 bits of length, then directives of one letter, 32
 * bits of length, the bytes and a NUL. Numbers are little-endian, paths and ports are text.
 * @throws GateError `bad_jail` (exit code 125) for what no jail can be made from.
 */
export function encodeSpec(spec: JailSpec): Buffer {
  checkPorts(spec);
  const captured = new Set(spec.capturePorts.filter((port) => port !== DNS_PORT));
  // A captured port is captured on loopback as well.
  const loopback = new Set(spec.loopbackPorts.filter((port) => port !== DNS_PORT && !captured.has(port)));
  const parts = [
    ...spec.command.map((argument) => text('C', argument)),
    ...Object.entries(spec.env).map(([name, value]) => text('E', `${name}=${value}`)),
    text('W', spec.cwd),
    text('H', spec.env['HOME'] || homedir()),
    ...[...captured].map((port) => text('P', String(port))),
    ...[...loopback].map((port) => text('L', String(port))),
    text('X', String(spec.proxyPort)),
    ...spec.readOnly.map((path) => text('R', path)),
    ...spec.covers.flatMap((cover) => [text('V', cover.folder), ...cover.files.flatMap(file)]),
    ...spec.overlays.flatMap((overlay) => [text('O', overlay.folder), ...overlay.files.flatMap(file)]),
    ...spec.replaced.flatMap(({ path, content }) => [text('S', path), data(content)]),
    ...spec.allowSockets.map((path) => text('A', path)),
    text('N', spec.nestedNamespaces ? '1' : '0'),
  ];
  const body = Buffer.concat(parts);
  return Buffer.concat([length(body.length), body]);
}

function file({ name, content, mode = 0o444 }: JailFile): Buffer[] {
  return [text('F', name), text('M', mode.toString(8)), data(content)];
}

function data(content: string | Buffer): Buffer {
  return directive('D', typeof content === 'string' ? Buffer.from(content) : content);
}

function text(letter: string, value: string): Buffer {
  if (value.includes('\0')) throw badJail(`a NUL byte in ${JSON.stringify(value)}`);
  return directive(letter, Buffer.from(value));
}

function directive(letter: string, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(letter), length(bytes.length), bytes, Buffer.alloc(1)]);
}

function length(size: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(size);
  return bytes;
}

function checkPorts(spec: JailSpec): void {
  const all = [...spec.capturePorts, ...spec.loopbackPorts, spec.proxyPort];
  const bad = all.find((port) => !Number.isInteger(port) || port < 1 || port > 65535);
  if (bad !== undefined) throw badJail(`${bad} is no port`);
  const taken = new Set([DNS_PORT, ...spec.capturePorts, ...spec.loopbackPorts]);
  if (taken.has(spec.proxyPort)) throw badJail(`the proxy's port ${spec.proxyPort} is captured as well`);
}

function badJail(what: string): GateError {
  return new GateError('bad_jail', `no jail can be made: ${what}`);
}
