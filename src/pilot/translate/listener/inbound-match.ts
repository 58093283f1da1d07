import { isHttp, type Protocol } from '../../../model/service.ts';
import { httpNames, meshNames, tcpNames } from '../peer/alpn.ts';
import type { ChainMatch } from './chain.ts';

/** How a workload wants mutual TLS on one port. */
export type InboundTlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT';

/** One way a connection to a port may come in. */
export type InboundRow = {
  readonly match: Pick<ChainMatch, 'transport' | 'protocols'>;
  readonly serves: 'http' | 'tcp';
  /** Whether the proxy ends mutual TLS here; else bytes go on as they come. */
  readonly isMutualTls: boolean;
};

export type InboundMatchInputs = {
  readonly protocol: Protocol;
  readonly mode: InboundTlsMode;
  /** Whether HTTP/1.0 is taken for HTTP. */
  readonly http10: boolean;
};

/**
 * The chains of one port, in order. TLS without one of the mesh's names in its ALPN is the application's own: it goes on as it comes
 * where plaintext may, and never where the port speaks HTTP, which it is not.
 */
export function inboundRows(inputs: InboundMatchInputs): readonly InboundRow[] {
  const { protocol, mode } = inputs;
  if (protocol === 'auto') return sniffedRows(inputs);
  return isHttp(protocol) ? httpRows(mode) : tcpRows(mode);
}

const raw = 'raw_buffer';
const tls = 'tls';

function httpRows(mode: InboundTlsMode): readonly InboundRow[] {
  const plain: InboundRow = { match: { transport: raw }, serves: 'http', isMutualTls: false };
  switch (mode) {
    case 'DISABLE':
      return [plain];
    case 'PERMISSIVE':
      return [{ match: { transport: tls, protocols: meshNames }, serves: 'http', isMutualTls: true }, plain];
    case 'STRICT':
      return [{ match: { transport: tls }, serves: 'http', isMutualTls: true }];
  }
}

function tcpRows(mode: InboundTlsMode): readonly InboundRow[] {
  const plain: InboundRow = { match: { transport: raw }, serves: 'tcp', isMutualTls: false };
  switch (mode) {
    case 'DISABLE':
      return [plain];
    case 'PERMISSIVE':
      return [
        { match: { transport: tls, protocols: meshNames }, serves: 'tcp', isMutualTls: true },
        { match: { transport: tls }, serves: 'tcp', isMutualTls: false },
        plain,
      ];
    case 'STRICT':
      return [{ match: { transport: tls }, serves: 'tcp', isMutualTls: true }];
  }
}

function sniffedRows({ mode, http10 }: InboundMatchInputs): readonly InboundRow[] {
  const protectedHttp: InboundRow = {
    match: { transport: tls, protocols: httpNames },
    serves: 'http',
    isMutualTls: true,
  };
  const plain: readonly InboundRow[] = [
    { match: { transport: raw, protocols: sniffedProtocols(http10) }, serves: 'http', isMutualTls: false },
    { match: { transport: raw }, serves: 'tcp', isMutualTls: false },
  ];
  switch (mode) {
    case 'DISABLE':
      return plain;
    case 'PERMISSIVE':
      return [
        protectedHttp,
        { match: { transport: tls, protocols: tcpNames }, serves: 'tcp', isMutualTls: true },
        ...plain,
        { match: { transport: tls }, serves: 'tcp', isMutualTls: false },
      ];
    case 'STRICT':
      return [protectedHttp, { match: { transport: tls }, serves: 'tcp', isMutualTls: true }];
  }
}

/** What the HTTP inspector calls HTTP. HTTP/1.0 only counts where the proxy may answer it. */
export function sniffedProtocols(http10: boolean): readonly string[] {
  return http10 ? ['http/1.0', 'http/1.1', 'h2c'] : ['http/1.1', 'h2c'];
}
