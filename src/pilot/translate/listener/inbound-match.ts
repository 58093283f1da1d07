import { isHttp, type Protocol } from '../../../model/service.ts';
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

const raw = 'raw_buffer';

/** The chains of one port, in order. */
export function inboundRows({ protocol, mode, http10 }: InboundMatchInputs): readonly InboundRow[] {
  const isMutualTls = false;
  switch (mode) {
    case 'DISABLE':
    case 'PERMISSIVE':
    case 'STRICT':
      if (isHttp(protocol)) return [{ match: { transport: raw }, serves: 'http', isMutualTls }];
      if (protocol !== 'auto') return [{ match: { transport: raw }, serves: 'tcp', isMutualTls }];
      return [
        { match: { transport: raw, protocols: sniffedProtocols(http10) }, serves: 'http', isMutualTls },
        { match: { transport: raw }, serves: 'tcp', isMutualTls },
      ];
  }
}

/** What the HTTP inspector calls HTTP. HTTP/1.0 only counts where the proxy may answer it. */
export function sniffedProtocols(http10: boolean): readonly string[] {
  return http10 ? ['http/1.0', 'http/1.1', 'h2c'] : ['http/1.1', 'h2c'];
}
