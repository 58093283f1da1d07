import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../gen/codec.ts';
import { encodeResource } from './resource.ts';

const typeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

function resource(name: string, content = 'content'): ReturnType<typeof encodeResource> {
  return encodeResource({ typeUrl, name, value: Buffer.from(content), needs: [], origins: [] });
}

describe('encodeResource', () => {
  it.each(['a', 'ümlaut|80||svc', 'x'.repeat(200)])('frames %j as the delta response has it', (name) => {
    const { frame, version } = resource(name);
    const { resources } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame);
    expect(resources).toHaveLength(1);
    expect(resources?.[0]).toMatchObject({ name, version, resource: { type_url: typeUrl } });
    expect(Buffer.from(resources?.[0]?.resource?.value ?? []).toString()).toBe('content');
  });

  it('ends in what a state-of-the-world response has', () => {
    const { frame, anyOffset } = resource('a', 'c'.repeat(300));
    const { resources } = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', frame.subarray(anyOffset));
    expect(resources).toEqual([{ type_url: typeUrl, value: expect.anything() }]);
    expect(resources?.[0]?.value).toHaveLength(300);
  });

  it('has a version that depends on type and content alone', () => {
    expect(resource('a').version).toBe(resource('b').version);
    expect(resource('a').version).not.toBe(resource('a', 'other').version);
    expect(resource('a').version).toMatch(/^[\w-]{16}$/);
  });
});
