/** Where things are: the built product, the probe programs, the tools of this machine. */
import { existsSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { NODE } from './identity.ts';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const PROGRAMS = join(import.meta.dirname, 'programs');
/** The program under test; `ESCAPE_CLI` names another build, for example an installed package. */
export const CLI = process.env['ESCAPE_CLI'] ?? join(ROOT, 'dist', 'cli.js');

/** The whole search path of a probe: version managers' shims in a home folder would not be readable for others. */
export const SEARCH = [
  dirname(NODE),
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
];

/** Where a tool is, or undefined. */
export function which(tool: string): string | undefined {
  return SEARCH.map((folder) => join(folder, tool)).find((path) => existsSync(path));
}

export const PYTHON = which('python3') ?? 'python3';

function machineAddress(family: 'IPv4' | 'IPv6'): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const linkLocal = /^(169\.254\.|fe80:)/i;
  return all.find((e) => e.family === family && !e.internal && !linkLocal.test(e.address))?.address;
}

/** An address of this machine that is not loopback: packets to it never leave the machine. */
export const MACHINE = { v4: machineAddress('IPv4'), v6: machineAddress('IPv6') } as const;

/** The first file under /proc or /sys that exists among these; a `*` stands for any one name. */
export function firstOf(pattern: string): string | undefined {
  const [before, after] = pattern.split('*');
  if (before === undefined || after === undefined) return existsSync(pattern) ? pattern : undefined;
  try {
    return readdirSync(before)
      .map((name) => `${before}${name}${after}`)
      .find((path) => existsSync(path));
  } catch {
    return undefined;
  }
}
