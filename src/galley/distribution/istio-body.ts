import type { ConfigObject } from '../../model/object.ts';

type Policy = ConfigObject<'Policy' | 'MeshPolicy'>;

/** The spec as its message says it. */
export function istioBody(object: ConfigObject): unknown {
  return object.kind === 'Policy' || object.kind === 'MeshPolicy'
    ? withMutualTls((object as Policy).spec)
    : object.spec;
}

/** `mtls:` without a value means mutual TLS, but protobuf has no null: it would read as a peer without any method. */
function withMutualTls(spec: Policy['spec']): unknown {
  if (spec.peers?.some(({ mtls }) => mtls === null) !== true) return spec;
  return { ...spec, peers: spec.peers.map((peer) => (peer.mtls === null ? { ...peer, mtls: {} } : peer)) };
}
