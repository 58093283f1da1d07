// What the echo server answers, and what a client is asked and tells. One vocabulary for apps, fixtures and tests.

/** How the server saw one request. */
export type Echo = {
  readonly app: string;
  readonly version: string;
  readonly pod: string;
  readonly port: number;
  readonly protocol: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The address the request came from: in a mesh, that of the pod's own Envoy. */
  readonly from: string;
  /** The server name of TLS; empty without. */
  readonly sni: string;
  readonly body: string;
};

/** Certificates for TLS calls, as PEM. Without an authority the server's certificate is not checked. */
export type CallTls = {
  readonly serverName?: string;
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** What the client offers to speak; an Envoy of the mesh knows its own by that. */
  readonly protocols?: readonly string[];
};

/**
 * Some requests to one URL. Its scheme says how: `http https h2c h2 grpc` with a path, `tcp tls` send a line and read one, `banner`
 * waits for the server's line first.
 */
export type CallBatch = {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, the gRPC message, or the line. */
  readonly body?: string;
  readonly count?: number;
  readonly concurrency?: number;
  /** Every HTTP/1.1 request on a connection of its own. */
  readonly fresh?: boolean;
  readonly timeoutMs?: number;
  /** Connects to this IP instead of resolving the URL's host. */
  readonly address?: string;
  readonly tls?: CallTls;
};

/** What became of one request. `status` is HTTP's, or 0 where there is none. */
export type Outcome = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body, if it is the echo server's. */
  readonly echo: Echo | undefined;
  readonly grpcStatus: number | undefined;
  readonly error: string | undefined;
  readonly ms: number;
};

/** Calls without pause until told to stop; each worker takes the batches in turn. */
export type LoadPlan = {
  readonly id: string;
  readonly batches: readonly CallBatch[];
  readonly workers: number;
  /** Between the calls of one worker. */
  readonly pauseMs: number;
};

export type LoadSummary = {
  readonly requests: number;
  /** Counts by `status`, or by `error: …`. */
  readonly results: Readonly<Record<string, number>>;
  /** The first bodies of answers that were not 200. */
  readonly examples: readonly string[];
};

/** One line of JSON to the client program; the answer is one line too. */
export type ClientCommand =
  | { readonly kind: 'calls'; readonly batch: CallBatch }
  | { readonly kind: 'start-load'; readonly plan: LoadPlan }
  | { readonly kind: 'stop-load'; readonly id: string };

export const GRPC_PATH = '/echo.Echo/Echo';
