// What must become of a call between any two kinds of workloads, by rules that are written here and owe nothing to what Envoys do.
// `mtls-matrix.test.ts` makes every call there is and compares.

export const clients = ['meshed', 'plain'] as const;
export const modes = ['PERMISSIVE', 'STRICT', 'DISABLE'] as const;
export const rules = ['none', 'DISABLE', 'ISTIO_MUTUAL', 'SIMPLE'] as const;

/** What a port speaks, and how it is called. */
export type Protocol = {
  readonly name: string;
  /** KIND:PORT of the app, as echo.ts reads it. */
  readonly listens: string;
  /** NAME:PORT of the Service. */
  readonly declared: string;
  readonly scheme: string;
  /** Whether the app ends TLS itself, and whether the client's app begins it. */
  readonly serverTls: boolean;
  readonly clientTls: boolean;
  /** Whether an Envoy can see that it is HTTP. */
  readonly isHttp: boolean;
};

const plain = { serverTls: false, clientTls: false };
const tls = { serverTls: true, clientTls: true };

// Ports called `any…` say nothing of their protocol.
export const protocols: readonly Protocol[] = [
  { name: 'http', listens: 'http:8080', declared: 'http:8080', scheme: 'http', isHttp: true, ...plain },
  { name: 'grpc', listens: 'h2c:8081', declared: 'grpc:8081', scheme: 'grpc', isHttp: true, ...plain },
  { name: 'tcp', listens: 'tcp:9000', declared: 'tcp:9000', scheme: 'tcp', isHttp: false, ...plain },
  { name: 'tls', listens: 'tls:9443', declared: 'tls:9443', scheme: 'tls', isHttp: false, ...tls },
  { name: 'https', listens: 'https:8443', declared: 'https:8443', scheme: 'https', isHttp: false, ...tls },
  { name: 'sniffed http/1', listens: 'http:8090', declared: 'any1:8090', scheme: 'http', isHttp: true, ...plain },
  { name: 'sniffed h2c', listens: 'h2c:8091', declared: 'any2:8091', scheme: 'h2c', isHttp: true, ...plain },
  { name: 'sniffed grpc', listens: 'h2c:8092', declared: 'any3:8092', scheme: 'grpc', isHttp: true, ...plain },
  { name: 'sniffed raw', listens: 'tcp:9002', declared: 'any4:9002', scheme: 'tcp', isHttp: false, ...plain },
  { name: 'sniffed tls', listens: 'tls:9444', declared: 'any5:9444', scheme: 'tls', isHttp: false, ...tls },
  { name: 'sniffed https', listens: 'https:8444', declared: 'any6:8444', scheme: 'https', isHttp: false, ...tls },
  { name: 'mysql first', listens: 'banner:3306', declared: 'mysql:3306', scheme: 'banner', isHttp: false, ...plain },
  { name: 'tcp first', listens: 'banner:9500', declared: 'tcp-1:9500', scheme: 'banner', isHttp: false, ...plain },
  { name: 'known first', listens: 'banner:5900', declared: 'any7:5900', scheme: 'banner', isHttp: false, ...plain },
  { name: 'sniffed first', listens: 'banner:9600', declared: 'any8:9600', scheme: 'banner', isHttp: false, ...plain },
  // The client's app leaves TLS to its Envoy, which is what SIMPLE is for.
  {
    ...{ name: 'originated', listens: 'tls:9445', declared: 'tcp-2:9445', scheme: 'tcp', isHttp: false },
    ...{ serverTls: true, clientTls: false },
  },
];

export type Cell = {
  readonly client: (typeof clients)[number];
  readonly protocol: Protocol;
  readonly mode: (typeof modes)[number];
  readonly rule: (typeof rules)[number];
};

/** `M` by mutual TLS, `P` without, `-` refused; then whether the server's Envoy saw HTTP (`h`) or bytes (`b`). */
export type Verdict = 'Mh' | 'Mb' | 'Ph' | 'Pb' | '--';

/** What the client's side puts around what its app sends. */
function wrapping({ client, mode, rule }: Cell): 'nothing' | 'mutual' | 'simple' {
  if (client === 'plain') return 'nothing';
  switch (rule) {
    case 'none':
      return mode === 'DISABLE' ? 'nothing' : 'mutual';
    case 'DISABLE':
      return 'nothing';
    case 'ISTIO_MUTUAL':
      return 'mutual';
    case 'SIMPLE':
      return 'simple';
  }
}

export function expectedVerdict(cell: Cell): Verdict {
  const { mode, protocol } = cell;
  const seen = protocol.isHttp ? 'h' : 'b';
  const understands = protocol.clientTls === protocol.serverTls;
  switch (wrapping(cell)) {
    // An app's own TLS is not the mesh's: STRICT refuses it like any other byte.
    case 'nothing':
      return mode !== 'STRICT' && understands ? `P${seen}` : '--';
    // Where the server's Envoy does not end it, nobody of the mesh does.
    case 'mutual':
      return mode !== 'DISABLE' && understands ? `M${seen}` : '--';
    // It shows no certificate, so that only the app may end it; whoever sent it had none inside.
    case 'simple':
      return mode !== 'STRICT' && protocol.serverTls && !protocol.clientTls ? 'Pb' : '--';
  }
}

/**
 * Whose Envoys wait until they give up finding out what a connection is: its client does not speak before its server does. Ports of
 * well-known servers of that kind are not looked at for HTTP; TLS around it speaks for it.
 */
export function expectedWaits(cell: Cell): { readonly client: number; readonly server: number } {
  const { client, mode, protocol } = cell;
  if (protocol.scheme !== 'banner') return { client: 0, server: 0 };
  const isSniffed = protocol.name === 'sniffed first';
  const looksForTls = mode !== 'DISABLE';
  return {
    client: client === 'meshed' && isSniffed ? 1 : 0,
    server: wrapping(cell) === 'nothing' && (looksForTls || isSniffed) ? 1 : 0,
  };
}

export function allCells(): readonly Cell[] {
  return modes.flatMap((mode) =>
    protocols.flatMap((protocol) =>
      rules.flatMap((rule) => clients.map((client): Cell => ({ client, protocol, mode, rule }))),
    ),
  );
}

/** A line for each protocol and client; columns are modes, and in each the rules in their order. */
export function tableOf(verdicts: ReadonlyMap<Cell, string>): string {
  const cells = [...verdicts.keys()];
  const lines = protocols.flatMap((protocol) =>
    clients.map((client) => {
      const columns = modes.map((mode) =>
        rules
          .map((rule) => {
            const cell = cells.find(
              (one) => one.client === client && one.protocol === protocol && one.mode === mode && one.rule === rule,
            );
            return (cell === undefined ? undefined : verdicts.get(cell)) ?? '??';
          })
          .join(' '),
      );
      return `${client.padEnd(6)} ${protocol.name.padEnd(14)} ${columns.join(' | ')}`;
    }),
  );
  const head = `${' '.repeat(21)} ${modes.map((mode) => mode.padEnd(11)).join(' | ')}  (${rules.join(', ')})`;
  return [head, ...lines].join('\n');
}
