import type { CallTls } from './apps/calls.ts';
import { identitySeen } from './identities.ts';
import type { TestMesh } from './mesh.ts';

export type WireCall = {
  /** The client's Deployment; its account is called so, too. */
  readonly from: string;
  readonly url: string;
  /** The server's Deployment. */
  readonly server: string;
  readonly tls?: CallTls;
};

/**
 * How a call came to a server: `mutual` by mutual TLS as the client's own account, `plaintext`, or `refused`. For requests the app says
 * it, by what its Envoy told it; for bytes Envoy does, by the handshakes that it counted: one call at a time.
 */
export async function wireOf(mesh: TestMesh, { from, url, server, tls }: WireCall): Promise<string> {
  const isLine = /^(?:tcp|banner):/.test(url);
  const count = (): Promise<number> => mesh.stat(server, /^listener\.[^/]*15006\.ssl\.handshake$/);
  const before = isLine ? await count() : 0;
  const options = { ...(tls === undefined ? {} : { tls }), ...(isLine ? { body: 'a line' } : {}), fresh: true };
  const outcome = await mesh.call(from, url, options);
  if (outcome.echo === undefined) return outcome.error === 'timeout' ? 'no end' : 'refused';
  if (isLine) return (await count()) > before ? 'mutual' : 'plaintext';
  const caller = identitySeen(outcome);
  if (caller === undefined) return 'plaintext';
  return caller.endsWith(`/sa/${from}`) ? 'mutual' : caller;
}
