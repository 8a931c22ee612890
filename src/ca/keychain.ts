import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { certificatesIn } from './pem.ts';

const SYSTEM_KEYCHAIN = '/Library/Keychains/System.keychain';

/**
 * The authorities that an administrator installed on a Mac, which stand in no file; none on other systems, or
 * where the keychain cannot be read. Apple's own roots are in /etc/ssl/cert.pem and in Node.
 */
export function keychainRoots(platform: NodeJS.Platform = process.platform): string[] {
  if (platform !== 'darwin') return [];
  try {
    const found = execFileSync('/usr/bin/security', ['find-certificate', '-a', '-p', SYSTEM_KEYCHAIN], {
      encoding: 'latin1',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // The keychain also holds the machine's own identities, which vouch for nobody.
    return certificatesIn(found).filter((pem) => new X509Certificate(pem).ca);
  } catch {
    return [];
  }
}
