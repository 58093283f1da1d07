import type { PodSignerSource } from '../app/pod-identities.ts';
import type { Clock } from '../kit/clock.ts';
import type { ObjectSource } from './plan/local-source.ts';
import type { Environment } from './programs.ts';

/** Sends a signal; a negative number is a process group. A process that is gone is no error. */
export type Kill = (pid: number, signal: 'SIGTERM' | 'SIGKILL') => void;

/** What local mode may touch of its process. `main.ts` makes the real one. */
export type LocalIo = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
  readonly env: Environment;
  /** Resolves at the end of the input. */
  readonly readStdin: () => Promise<string>;
  /** The next line a person typed; undefined at the end of the input, or when the signal aborts. */
  readonly readLine: (signal: AbortSignal) => Promise<string | undefined>;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly platform: string;
  readonly uid: number;
  readonly pid: number;
  readonly cwd: string;
  /** How to start this program again: Node, its options, and `main.ts`. */
  readonly self: readonly [string, ...string[]];
  readonly kill: Kill;
  /** Of this program. */
  readonly version: string;
};

/** What the control plane is asked for. */
export type ControlPlaneInputs = {
  readonly folder: string;
  readonly meshConfig: string | undefined;
  /** Puts local mode's own objects beside those of the folder. */
  readonly wrapSource: (folder: ObjectSource) => ObjectSource;
  /** How long the certificates of pods last, as a person says it; undefined is as everywhere. */
  readonly workloadCertTtl: string | undefined;
  /** Told who makes the identities of pods. */
  readonly useSigner: (signer: PodSignerSource) => void;
  /** Where Envoys find it, and the name by which its certificate must know it. */
  readonly xds: { readonly host: string; readonly port: number; readonly name: string };
  readonly admin: { readonly host: string; readonly port: number };
};

/** Runs the control plane until the signal aborts; `app/assemble.ts` has the real one. */
export type RunControlPlane = (inputs: ControlPlaneInputs, signal: AbortSignal) => Promise<void>;
