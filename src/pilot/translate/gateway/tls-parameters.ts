import { cipherSuites } from '../../../apis/mesh/ciphers.ts';
import type { MeshTlsConfig } from '../../../apis/mesh/mesh-config.ts';
import type { ServerTls } from '../../../apis/networking/networking.ts';
import type { TlsParameters } from '../../../gen/types.ts';
import { TlsParameters_TlsProtocol as TlsProtocol } from '../../../gen/types.ts';

/** `tlsDefaults` of the mesh, for whatever TLS is not the mesh's own. */
export type TlsDefaults = MeshTlsConfig;

const versions = {
  TLS_AUTO: TlsProtocol.TLS_AUTO,
  TLSV1_0: TlsProtocol.TLSv1_0,
  TLSV1_1: TlsProtocol.TLSv1_1,
  TLSV1_2: TlsProtocol.TLSv1_2,
  TLSV1_3: TlsProtocol.TLSv1_3,
} as const;

/** What a server says has the say over the mesh's defaults. */
export function buildTlsParameters(tls: ServerTls, defaults: TlsDefaults): TlsParameters {
  const said = versions[tls.minProtocolVersion ?? 'TLS_AUTO'];
  const least = said === TlsProtocol.TLS_AUTO ? versions[defaults.minProtocolVersion ?? 'TLS_AUTO'] : said;
  return {
    tlsMinimumProtocolVersion: least === TlsProtocol.TLS_AUTO ? TlsProtocol.TLSv1_2 : least,
    tlsMaximumProtocolVersion: versions[tls.maxProtocolVersion ?? 'TLS_AUTO'],
    cipherSuites: known(tls.cipherSuites, cipherSuites) ?? known(defaults.cipherSuites, cipherSuites),
    ecdhCurves: known(defaults.ecdhCurves, curves),
  };
}

/** Envoy refuses a listener that names what it does not know. */
function known(names: readonly string[] = [], all: ReadonlySet<string>): readonly string[] | undefined {
  const usable = new Set(names.filter((name) => all.has(name)));
  return usable.size === 0 ? undefined : [...usable];
}

const curves: ReadonlySet<string> = new Set(['P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768']);
