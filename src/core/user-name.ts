import { userInfo } from 'node:os';

/** The name of the user that gate runs as, or the number of one that has none. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in passwd has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
