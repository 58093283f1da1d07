/** What a client may ask for. Far above what proxies need, low enough that a hostile one harms only itself. */
export type Limits = {
  readonly requestBytes: number;
  readonly namesPerRequest: number;
  readonly nameLength: number;
  readonly nodeBytes: number;
  readonly typesPerStream: number;
  readonly subscriptionsPerType: number;
};

export const defaultLimits: Limits = {
  requestBytes: 4 * 1024 * 1024,
  namesPerRequest: 100_000,
  nameLength: 4096,
  nodeBytes: 1024 * 1024,
  typesPerStream: 128,
  subscriptionsPerType: 100_000,
};
