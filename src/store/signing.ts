import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { GateError, messageOf } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import type { GatePaths } from '../core/paths.ts';
import { makePrivateDir, readIfThere, writeOnce } from './files.ts';
import type { RunHead } from './run-head.ts';

/** The signature of a head, as it stands in a `closed` record. */
export const Signature = z.looseObject({ key: z.string(), ed25519: z.string() });
export type Signature = z.infer<typeof Signature>;

/** Signs the heads of runs. */
export interface Signer {
  /** SHA-256 of the public key (SPKI, DER), hex. */
  readonly key: string;
  sign(run: RunId, head: RunHead): Signature;
}

/** The public key by which signatures are checked. */
export interface SignerKey {
  readonly key: string;
  isRight(run: RunId, head: RunHead, signature: Signature): boolean;
}

/** The key pair, in the data folder: it does not exist for what runs in the jail. */
export function signingFiles(paths: Pick<GatePaths, 'data'>): { secret: string; open: string } {
  return { secret: join(paths.data, 'sign.key'), open: join(paths.data, 'sign.pub') };
}

/**
 * The signer of this installation; its Ed25519 key (RFC 8032) is made at the first call. Throws GateError
 * `bad_sign_key` for a key that cannot be read, and where the public key is there without it: a new key would pass
 * for the old one.
 */
export function loadSigner(paths: Pick<GatePaths, 'data'>): Signer {
  const { secret, open } = signingFiles(paths);
  const pem = readIfThere(secret) ?? makeKey(paths.data, secret, open);
  const privateKey = parsed(secret, () => createPrivateKey(pem));
  const publicKey = createPublicKey(privateKey);
  const key = fingerprint(publicKey);
  if (readIfThere(open) === undefined) publish(open, publicKey);
  else if (loadSignerKey(open)?.key !== key) throw bad(open, 'is not the public key of sign.key');
  return {
    key,
    sign: (run, head) => ({ key, ed25519: sign(null, statement(run, head), privateKey).toString('base64') }),
  };
}

/** Reads a public key (PEM). Undefined where there is none; throws GateError `bad_sign_key` for what is no such key. */
export function loadSignerKey(file: string): SignerKey | undefined {
  const pem = readIfThere(file);
  if (pem === undefined) return undefined;
  const publicKey = parsed(file, () => createPublicKey(pem));
  return {
    key: fingerprint(publicKey),
    isRight: (run, head, { ed25519 }) =>
      verify(null, statement(run, head), publicKey, Buffer.from(ed25519, 'base64')),
  };
}

/** What is signed: docs/data-format.md gives it to those who check by hand. */
function statement(run: RunId, { records, head, packBytes }: RunHead): Buffer {
  return Buffer.from(`gate head 1\n${run}\n${records}\n${head}\n${packBytes}\n`);
}

function fingerprint(key: KeyObject): string {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }), 'hex');
}

/** Two gates that start at once end with one key. */
function makeKey(dir: string, secret: string, open: string): Buffer {
  if (readIfThere(open) !== undefined) {
    // Another gate may have made both just now.
    const made = readIfThere(secret);
    if (made !== undefined) return made;
    throw bad(secret, 'is gone, and sign.pub is there');
  }
  makePrivateDir(dir);
  const { privateKey } = generateKeyPairSync('ed25519');
  writeOnce(secret, String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  return readFileSync(secret);
}

function publish(open: string, key: KeyObject): void {
  writeOnce(open, String(key.export({ type: 'spki', format: 'pem' })));
}

function parsed(file: string, parse: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = parse();
  } catch (error) {
    throw bad(file, `cannot be read as a key: ${messageOf(error)}`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw bad(file, 'is not an Ed25519 key');
  return key;
}

function bad(file: string, what: string): GateError {
  return new GateError('bad_sign_key', `${file} ${what}`, {
    hint: 'Put back the file from a backup, or set record.signHeads = false; without both sign.* files a new key is made',
  });
}
