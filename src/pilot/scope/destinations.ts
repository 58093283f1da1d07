import type { Destination } from '../../apis/networking/networking.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshVirtualService } from '../../model/mesh-snapshot.ts';

/** Where the routes of a VirtualService lead, copies of requests included. */
export const destinationsOf = memoByIdentity(({ http, tls, tcp }: MeshVirtualService): readonly Destination[] => [
  ...http.flatMap(({ spec: { route = [], mirror, mirrors = [] } }) => [
    ...route.map(({ destination }) => destination),
    ...(mirror === undefined ? [] : [mirror]),
    ...mirrors.map(({ destination }) => destination),
  ]),
  ...[...tls, ...tcp].flatMap(({ spec: { route = [] } }) => route.map(({ destination }) => destination)),
]);
