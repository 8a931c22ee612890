/**
 * What a jail is, whatever the system: a command started with no way out but the listeners it was given.
 * One implementation a system; platform/index.ts chooses.
 */
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';

/** A file that exists only inside the jail. */
export interface JailFile {
  /** Path relative to the folder it is placed in; folders in between are made. */
  readonly name: string;
  readonly content: string | Buffer;
  /** Permission bits; 0o444 where absent. */
  readonly mode?: number;
}

export interface JailSpec {
  /** Program (found along `env.PATH`) and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The command's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** TCP ports captured on every address, v4 and v6. */
  readonly capturePorts: readonly number[];
  /** TCP ports captured on loopback only (127.0.0.1 and ::1): services of the host that are let in. */
  readonly loopbackPorts: readonly number[];
  /** The proxy's TCP port on the jail's 127.0.0.1. */
  readonly proxyPort: number;
  /** Existing files and folders that become read-only; what leads to them cannot be renamed away. */
  readonly readOnly: readonly string[];
  /** Existing folders that the jail sees as a read-only tmpfs holding only these files. */
  readonly covers: readonly { readonly folder: string; readonly files: readonly JailFile[] }[];
  /** Existing folders that keep their content, with these files in front of it, read-only. */
  readonly overlays: readonly { readonly folder: string; readonly files: readonly JailFile[] }[];
  /** Single existing files replaced by this text; links are followed. Prefer covers and overlays. */
  readonly replaced: readonly { readonly path: string; readonly content: string | Buffer }[];
  /** Control sockets to leave reachable; every other known one is masked. */
  readonly allowSockets: readonly string[];
  /** Whether the command may make user namespaces of its own (for its own sandbox). */
  readonly nestedNamespaces: boolean;
}

/** A listener inside the jail, served by this process. */
export interface JailListener {
  readonly server: Server;
  readonly port: number;
  /** `any`: every address; `loopback`: a host service let in; `proxy`: the proxy's own port; `dns`: DNS over TCP. */
  readonly scope: 'any' | 'loopback' | 'proxy' | 'dns';
}

/** An attempt that the jail refused, counted over a short window. */
export interface RefusedAttempt {
  readonly proto: 'tcp' | 'udp' | 'icmp' | 'other' | 'unix';
  /** Of `unix`: the path of the socket. */
  readonly address: string;
  readonly port?: number;
  readonly count: number;
}

/** How the command ended: by itself, or by a signal (`SIGTERM`, or `SIGRTMIN+n`). */
export type CommandEnd = { readonly exitCode: number } | { readonly signal: string; readonly number: number };

/** A jail that stands, with the command not yet started. It closes its listeners and sockets when it is gone. */
export interface Jail {
  readonly platform: string;
  /** What is in force here, for `run.start`; for example `pidns`, `landlock-scope`, `seccomp`. */
  readonly features: readonly string[];
  readonly listeners: readonly JailListener[];
  /** UDP sockets on which the jail's DNS questions arrive. */
  readonly dnsSockets: readonly DatagramSocket[];
  /** Starts the command. Rejects with a GateError: exit code 127, 126, or 125 with the step and the fix. */
  launch(): Promise<void>;
  /**
   * Connects to a server in the jail that listens on this port of its loopback. Nothing in the jail can open such
   * a connection. Rejects with the system's error. Absent where the command's servers listen on this machine itself.
   */
  readonly connect?: (port: number) => Promise<Socket>;
  /**
   * Resolves once, after the command ended and everything in the jail is gone. Only after `launch`. Rejects with a
   * GateError (exit code 125) when the jail itself broke and took the command with it.
   */
  readonly ended: Promise<CommandEnd>;
  /** Passes a signal to the command's process group. */
  signal(signal: NodeJS.Signals): void;
  /** Ends everything in the jail at once; `ended` still resolves if the command had been launched. */
  destroy(): void;
}

export interface JailEvents {
  /** Called for each refused attempt, also for those that arrive just before `ended`. */
  refused(attempt: RefusedAttempt): void;
}

/** Makes a jail. Rejects with a GateError (exit code 125) when any part cannot be set up; nothing is left over. */
export type CreateJail = (spec: JailSpec, events: JailEvents) => Promise<Jail>;
