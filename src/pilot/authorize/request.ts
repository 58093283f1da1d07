/** What a proxy knows of a request, or of a connection, when it decides about it. */
export type AccessRequest = {
  /** The name that the peer has proven, such as `spiffe://cluster.local/ns/shop/sa/cart`; undefined without mutual TLS. */
  readonly peer: string | undefined;
  /** Of the connection. */
  readonly sourceIp: string;
  /** Of the client, as far as proxies in between are believed. */
  readonly remoteIp: string;
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** The server name that the client asked for. */
  readonly sni: string | undefined;
  /** Undefined for TCP. */
  readonly http: HttpRequest | undefined;
};

export type HttpRequest = {
  readonly method: string;
  /** As the proxy passes it on, which is after normalisation; with its query. */
  readonly path: string;
  readonly host: string;
  /** By lower-case name; a header that came several times has several values. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Of the token that was accepted. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  /** What other filters found out, by their name. */
  readonly metadata: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
};
