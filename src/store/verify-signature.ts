import type { Finding, FindingKind } from './finding.ts';
import type { RunInfo } from './runs.ts';
import type { SignerKey } from './signing.ts';

/** A run whose start names a key must have its end signed by it. */
export function signatureOf(info: RunInfo, key: SignerKey | undefined): Finding[] {
  const { run, heads } = info;
  const { opened, ended } = heads ?? {};
  if (ended?.type !== 'closed') return [];
  const { signature } = ended;
  const error = (kind: FindingKind, message: string): Finding[] => [
    { level: 'error', kind, file: 'heads', run, message },
  ];
  if (signature === undefined) {
    if (opened?.key === undefined) return [];
    return error('signature_missing', 'the run was to be signed, and its head has no signature');
  }
  if (key === undefined) {
    return error('signature_wrong', `there is no public key to check the signature of key ${signature.key}`);
  }
  if (signature.key !== key.key || (opened?.key ?? key.key) !== key.key) {
    return error('signature_wrong', `the head was signed with key ${signature.key}, not ${key.key}`);
  }
  if (key.isRight(run, ended, signature)) return [];
  return error('signature_wrong', 'the signature is not of this head: heads.jsonl was edited');
}
