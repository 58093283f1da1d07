/** What a command may touch of the process. `main.ts` makes the real one. */
export type CliIo = {
  /** The result: stdout. */
  readonly out: (text: string) => void;
  /** Progress and diagnostics: stderr. */
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readStdin: () => Promise<string>;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
};

/** What commands exit with. */
export const EXIT = { fine: 0, findings: 1, usage: 2, unreachable: 3, partial: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
