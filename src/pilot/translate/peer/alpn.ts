import { isHttp, type Protocol } from '../../../model/service.ts';
import type { UpstreamHttp } from '../policy/http-protocol.ts';

// A client says by ALPN that the TLS is the mesh's and not its application's, and what is inside: servers that do not know their
// port's protocol see nothing else of it before they end the TLS. The names are Istio's, so that its proxies understand them.

/** What is inside is HTTP, in whatever version: the server looks at its first bytes. */
export const HTTP_INSIDE = 'istio-http/1.1';

export const httpNames: readonly string[] = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
export const tcpNames: readonly string[] = ['istio-peer-exchange', 'istio'];
export const meshNames: readonly string[] = [...tcpNames, ...httpNames];

export type OfferInputs = { readonly protocol: Protocol; readonly speaks: UpstreamHttp };

/**
 * What a cluster offers. The plain names decide which HTTP is spoken, so they are left out where the client's own is. Where the protocol
 * is not known, it says TCP, and routes say that it is HTTP.
 */
export function offeredProtocols({ protocol, speaks }: OfferInputs): readonly string[] {
  if (!isHttp(protocol)) return ['istio'];
  switch (speaks) {
    case 'http1':
      return [HTTP_INSIDE, 'istio', 'http/1.1'];
    case 'http2':
      return ['istio-h2', 'istio', 'h2'];
    case 'as-client':
      return [HTTP_INSIDE, 'istio'];
  }
}
