import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from './certs.ts';

/** A request as the origin saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
}

/** An HTTPS server on loopback that stands for a public host, with a CA of its own. */
export interface HttpsOrigin {
  readonly host: string;
  readonly port: number;
  readonly seen: Seen[];
  /** The options by which `gate run` finds and trusts it. */
  readonly runOptions: readonly string[];
  stop(): Promise<void>;
}

/** Starts an origin, for `aliases` too. Without a handler it answers `METHOD URL SHA256-OF-BODY`. */
export async function startHttpsOrigin(
  host: string,
  handler?: RequestListener,
  aliases: readonly string[] = [],
): Promise<HttpsOrigin> {
  const authority = createTestAuthority();
  const dir = mkdtempSync(join(tmpdir(), 'gate-origin-'));
  const caFile = join(dir, 'ca.pem');
  writeFileSync(caFile, authority.ca, { mode: 0o644 });
  const seen: Seen[] = [];
  const server = createServer(
    { ...authority.issue([host, ...aliases]) },
    handler ?? ((req, res) => echo(req, res, seen)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    seen,
    runOptions: [
      ...[host, ...aliases].flatMap((name) => ['--resolve', `${name}:443:127.0.0.1:${port}`]),
      '--upstream-ca',
      caFile,
    ],
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function echo(request: IncomingMessage, response: ServerResponse, seen: Seen[]): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const { method = '', url = '' } = request;
    seen.push({ method, url, body });
    response.end(echoText(method, url, body));
  });
}

/** What the echoing origin answers. */
export function echoText(method: string, url: string, body: Buffer | string): string {
  return `${method} ${url} ${createHash('sha256').update(body).digest('hex')}\n`;
}
