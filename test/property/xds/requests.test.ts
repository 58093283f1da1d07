import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../src/gen/codec.ts';
import { defaultLimits } from '../../../src/xds/limits.ts';
import { readNode } from '../../../src/xds/node.ts';
import { decodeDeltaRequest, decodeSotwRequest } from '../../../src/xds/request.ts';

const text = fc.string({ maxLength: 20, unit: 'grapheme' });
const names = fc.array(text, { maxLength: 10 });
const versions = fc.dictionary(text, text);
const error = fc.option(text, { nil: undefined });

describe('requests', () => {
  it('are read as the Envoy API writes them, delta', () => {
    fc.assert(
      fc.property(
        fc.record({ subscribe: names, unsubscribe: names, versions, nonce: text, error, id: text }),
        (said) => {
          const bytes = encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
            node: { id: said.id, userAgentName: 'envoy' },
            typeUrl: 't',
            resourceNamesSubscribe: said.subscribe,
            resourceNamesUnsubscribe: said.unsubscribe,
            initialResourceVersions: said.versions,
            responseNonce: said.nonce,
            ...(said.error === undefined ? {} : { errorDetail: { code: 3, message: said.error } }),
          });
          const read = decodeDeltaRequest(Buffer.from(bytes), defaultLimits);
          expect(read.ok).toBe(true);
          if (!read.ok) return;
          const { subscribe, unsubscribe, initialVersions, nonce, error: why, node } = read.value;
          const back = { subscribe, unsubscribe, versions: Object.fromEntries(initialVersions), nonce, error: why };
          const { id, ...rest } = said;
          expect(back).toEqual(rest);
          expect(node === undefined ? undefined : readNode(node)).toMatchObject({ id, userAgentName: 'envoy' });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are read as the Envoy API writes them, state of the world', () => {
    fc.assert(
      fc.property(names, text, (resourceNames, responseNonce) => {
        const bytes = encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
          typeUrl: 't',
          resourceNames,
          responseNonce,
          versionInfo: 'v',
        });
        expect(decodeSotwRequest(Buffer.from(bytes), defaultLimits)).toMatchObject({
          ok: true,
          value: { names: resourceNames, nonce: responseNonce },
        });
      }),
      { numRuns: 100 },
    );
  });

  it('that are no requests are refused with a status, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
        for (const decode of [decodeDeltaRequest, decodeSotwRequest]) {
          const read = decode(Buffer.from(bytes), defaultLimits);
          if (!read.ok) expect(read.error.message).not.toBe('');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
