/** One stream of /debug/syncz; of its types what decides whether Envoy has all that it should. */
export type SyncedStream = {
  readonly proxy: string;
  readonly is_writing: boolean;
  readonly types: readonly {
    readonly typeUrl: string;
    readonly targetVersion: string;
    readonly ackedVersion: string;
    readonly isAwaitingAnswer: boolean;
    readonly held: number;
    readonly lastError?: string;
  }[];
};

/** Whether every stream of /debug/syncz has answered for everything there is. A rejection is told, never waited for. */
export function isInSync(syncz: string): boolean {
  const streams = JSON.parse(syncz) as readonly SyncedStream[];
  for (const { proxy, types } of streams) {
    const rejected = types.find(({ lastError }) => lastError !== undefined);
    if (rejected !== undefined) throw new Error(`${proxy} rejects ${rejected.typeUrl}: ${rejected.lastError}`);
  }
  return streams.every(
    ({ is_writing, types }) =>
      !is_writing && types.every(({ isAwaitingAnswer, held }) => !isAwaitingAnswer && held === 0),
  );
}
