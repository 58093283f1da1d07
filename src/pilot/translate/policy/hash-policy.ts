import type { ConsistentHash, LoadBalancer } from '../../../apis/networking/networking.ts';
import type { RouteAction_HashPolicy } from '../../../gen/types.ts';
import { durationOf } from '../protobuf.ts';

/** What of a request decides its endpoint; nothing where the load balancer does not hash. */
export function buildHashPolicy(balancer: LoadBalancer | undefined): RouteAction_HashPolicy | undefined {
  const hash = balancer?.consistentHash;
  if (hash === undefined) return undefined;
  if (hash.httpHeaderName !== undefined) return { header: { headerName: hash.httpHeaderName } };
  if (hash.httpCookie !== undefined) return cookiePolicy(hash.httpCookie);
  if (hash.useSourceIp === true) return { connectionProperties: { sourceIp: true } };
  if (hash.httpQueryParameterName !== undefined) return { queryParameter: { name: hash.httpQueryParameterName } };
  return undefined;
}

/** For TCP, which has only the client's address to go by. */
export function hashesSourceIp(balancer: LoadBalancer | undefined): boolean {
  return balancer?.consistentHash?.useSourceIp === true;
}

/** Envoy makes the cookie when it is missing, if there is a lifetime; 0 is one: the browser's session. */
function cookiePolicy(cookie: NonNullable<ConsistentHash['httpCookie']>): RouteAction_HashPolicy {
  return {
    cookie: {
      name: cookie.name ?? '',
      path: cookie.path,
      ttl: durationOf(cookie.ttl),
      attributes: cookie.attributes?.map(({ name = '', value = '' }) => ({ name, value })),
    },
  };
}
