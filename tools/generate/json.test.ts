import { getOption, hasOption } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { anyOf, decodeMessage, encodeMessage } from '../../src/gen/codec.ts';
import { loadRegistry, messageFromJson, messageToJson } from '../../src/gen/json.ts';

const listener = 'envoy.config.listener.v3.Listener';

describe('json', () => {
  test('is canonical: durations, enums by name, Any opened up', async () => {
    const bytes = encodeMessage(listener, {
      name: 'l',
      listenerFiltersTimeout: { seconds: 1, nanos: 500_000_000 },
      filterChains: [
        {
          filters: [
            {
              name: 'tcp',
              typedConfig: anyOf('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', { cluster: 'c' }),
            },
          ],
        },
      ],
    });
    const json = await messageToJson(listener, bytes);
    const filter = {
      name: 'tcp',
      typedConfig: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
        cluster: 'c',
      },
    };
    expect(json).toEqual({ name: 'l', listenerFiltersTimeout: '1.500s', filterChains: [{ filters: [filter] }] });
    expect(Buffer.from(await messageFromJson(listener, json))).toEqual(Buffer.from(bytes));
    expect(await messageToJson(listener, bytes, { protoFieldNames: true })).toHaveProperty(
      'listener_filters_timeout',
      '1.500s',
    );
  });

  test('takes both spellings of a name and gives equal bytes for equal content', async () => {
    const name = 'envoy.config.core.v3.Metadata';
    const one = await messageFromJson(name, { filter_metadata: { b: { y: 1, x: 2 }, a: {} } });
    const other = await messageFromJson(name, { filterMetadata: { a: {}, b: { x: 2, y: 1 } } });
    expect(one).toEqual(other);
    expect(Object.keys(decodeMessage(name, one).filterMetadata ?? {})).toEqual(['a', 'b']);
  });

  test('knows extensions that the run-time bundle leaves out', async () => {
    const name = 'envoy.extensions.filters.http.kill_request.v3.KillRequest';
    expect(await messageToJson(name, await messageFromJson(name, { kill_request_header: 'x' }))).toEqual({
      killRequestHeader: 'x',
    });
  });

  test.each([
    ['no.Such', {}, 'no.Such is no message of the Envoy API'],
    [listener, { nmae: 'x' }, /this is no envoy\.config\.listener\.v3\.Listener: .*nmae/],
    [
      'google.protobuf.Any',
      { '@type': 'type.googleapis.com/no.Such' },
      /this is no google\.protobuf\.Any: .*no\.Such.*registry/,
    ],
  ])('%s %j is an error that names what is wrong', async (name, json, message) => {
    await expect(messageFromJson(name, json)).rejects.toThrow(message);
  });

  test('an Any of unknown type in bytes is an error that names it', async () => {
    const bytes = encodeMessage('google.protobuf.Any', {
      type_url: 'type.googleapis.com/no.Such',
      value: new Uint8Array([8, 1]),
    });
    await expect(messageToJson('google.protobuf.Any', bytes)).rejects.toThrow(/no\.Such/);
  });

  test('keeps the rules by which Envoy validates', async () => {
    const registry = await loadRegistry();
    const rules = registry.getExtension('validate.rules');
    const address = registry.getMessage('envoy.config.core.v3.SocketAddress')?.field['address'];
    if (rules === undefined || address === undefined) throw new Error('not in the registry');
    expect(hasOption(address, rules)).toBe(true);
    expect(getOption(address, rules)).toMatchObject({ type: { case: 'string', value: { minLen: 1n } } });
  });
});
