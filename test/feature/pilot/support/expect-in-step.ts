import { expect } from 'vitest';
import { decodeMessage } from '../../../../src/gen/codec.ts';
import { memoByIdentity } from '../../../../src/kit/memo.ts';
import { emptyRouteConfiguration } from '../../../../src/pilot/view/missing.ts';
import type { XdsSnapshot } from '../../../../src/xds/ports.ts';
import type { EncodedResource } from '../../../../src/xds/resource.ts';
import { type Kind, urls } from './contents.ts';
import { byKind, type ModelEnvoy, toFields } from './model-envoy.ts';

/** The client has exactly what its view has, byte by byte, as far as it asks for it, and waits for nothing. */
export function expectInStep(client: ModelEnvoy, view: XdsSnapshot): void {
  const expected = byKind((kind) =>
    toFields(wanted(kind, client, view).map(({ name, ...rest }) => [name, valueOf(rest.resource)])),
  );
  expect(client.contents()).toEqual(expected);
  expect([...client.warming]).toEqual([]);
}

type Wanted = { readonly name: string; readonly resource: EncodedResource };

function wanted(kind: Kind, client: ModelEnvoy, view: XdsSnapshot): readonly Wanted[] {
  const resources = view.get(urls[kind])?.resources ?? new Map<string, EncodedResource>();
  if (kind === 'cluster' || kind === 'listener') return [...resources].map(([name, resource]) => ({ name, resource }));
  return [...client.subscribed(kind)].flatMap((name) => {
    const resource = resources.get(name) ?? emptyRouteConfiguration(urls[kind], name);
    return resource === undefined ? [] : [{ name, resource }];
  });
}

const valueOf = memoByIdentity(({ frame }: EncodedResource): Uint8Array => {
  const { resources = [] } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame);
  return resources[0]?.resource?.value ?? new Uint8Array();
});
