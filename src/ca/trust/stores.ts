import { arch } from './arch.ts';
import { debian } from './debian.ts';
import { fedora } from './fedora.ts';
import { java } from './java.ts';
import { macos } from './macos.ts';
import { nss } from './nss.ts';
import type { Machine, TrustStore } from './store.ts';
import { suse } from './suse.ts';

/** Names that `--store` takes, in the order in which they are worked on. */
export const STORE_NAMES = ['system', 'nss', 'java'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

/** Before Debian's: openSUSE has a program of the same name. */
const SYSTEMS: readonly TrustStore[] = [macos, suse, fedora, arch, debian];

/** The store of that name on this machine; undefined where gate knows none. */
export function storeOf(name: StoreName, machine: Machine): TrustStore | undefined {
  if (name === 'nss') return nss;
  if (name === 'java') return java;
  return SYSTEMS.find((store) => store.present(machine));
}
