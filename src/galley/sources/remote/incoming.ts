import { apiVersionsOf, collections } from '../../../apis/collections.ts';
import { defaultMeshConfig } from '../../../apis/mesh/default-mesh-config.ts';
import { decodeMessage } from '../../../gen/codec.ts';
import type { IstioCodec } from '../../../gen/istio.ts';
import type { McpMetadata } from '../../../gen/types.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import { objectKey } from '../../../model/ids.ts';
import { GENERATION_ANNOTATION, UID_ANNOTATION } from '../../distribution/encode-resource.ts';
import { type DistributedKind, meshConfigSettings, meshNetworksSettings } from '../../distribution/kinds.ts';
import { isRecord } from '../../is-record.ts';
import { readMeta } from '../read-meta.ts';
import type { SourceObject } from '../source.ts';

/** Turns what a config source sends into objects. */
export type ReadIncoming = (bytes: Uint8Array) => Result<SourceObject, string>;

/** Reads encoded `istio.mcp.v1alpha1.Resource`s of one kind. The error says what is wrong with one. */
export function incomingOf(kind: DistributedKind, codec: IstioCodec): ReadIncoming {
  const collection = collections[kind.kind];
  const apiVersion = apiVersionsOf(collection)[0] ?? '';
  const expected = `type.googleapis.com/${kind.message}`;
  return (bytes) =>
    catching(() => {
      const { metadata = {}, body } = decodeMessage('istio.mcp.v1alpha1.Resource', bytes);
      if (body?.type_url !== expected) return err(`the body is ${body?.type_url ?? 'missing'}, not ${expected}`);
      const { namespace, name } = splitName(metadata.name ?? '');
      const json = codec.decode(kind.message, body.value ?? new Uint8Array());
      const parts = collection.source === 'kubernetes' && isRecord(json) ? json : { spec: json };
      const whole = { ...parts, apiVersion, kind: kind.kind, metadata: metadataOf(parts, metadata) };
      const meta = readMeta(whole.metadata, namespace);
      const key = objectKey(kind.kind, namespace, name);
      return ok({ key, apiVersion, kind: kind.kind, meta, body: whole, locate: undefined });
    });
}

/** The mesh's settings as the ConfigMap that Galley looks for, so that one way leads in. Each part keeps what the other said. */
export function incomingSettings(
  rootNamespace: string,
  codec: IstioCodec,
): { readonly mesh: ReadIncoming; readonly networks: ReadIncoming } {
  const metadata = { name: 'istio', namespace: rootNamespace };
  const key = objectKey('ConfigMap', rootNamespace, 'istio');
  const meta = readMeta(metadata, rootNamespace);
  let data: Readonly<Record<string, string>> = {};
  const taking = (name: string, read: (bytes: Uint8Array) => unknown): ReadIncoming => {
    return (bytes) =>
      catching(() => {
        data = { ...data, [name]: JSON.stringify(read(bytes)) };
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
        return ok({ key, apiVersion: 'v1', kind: 'ConfigMap', meta, body, locate: undefined });
      });
  };
  const { message } = meshConfigSettings;
  return {
    mesh: taking('mesh', (bytes) => {
      const given = codec.decode(message, bytes);
      return takeZeros(given, codec.decode(message, bytes, { zeros: true }), defaultMeshConfig);
    }),
    networks: taking('meshNetworks', (bytes) => codec.decode(meshNetworksSettings.message, bytes)),
  };
}

/**
 * Where our default is another than zero, a zero must be said: on the wire it was not. Everywhere else absent and zero mean the
 * same.
 */
function takeZeros(given: unknown, complete: unknown, defaults: unknown): unknown {
  if (!isRecord(given) || !isRecord(complete) || !isRecord(defaults)) return given ?? complete;
  const entries = Object.keys(defaults).flatMap((key) => {
    const value = takeZeros(given[key], complete[key], defaults[key]);
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...given, ...Object.fromEntries(entries) };
}

type Json = Readonly<Record<string, unknown>>;

/** What travels beside the body has the say; owners and the like travel in it. */
function metadataOf(parts: Json, metadata: McpMetadata): Json {
  const { namespace, name } = splitName(metadata.name ?? '');
  const { [GENERATION_ANNOTATION]: generation, [UID_ANNOTATION]: uid, ...annotations } = metadata.annotations ?? {};
  const created = millisOf(metadata.createTime);
  return {
    ...(isRecord(parts['metadata']) ? parts['metadata'] : {}),
    name,
    ...(namespace === '' ? {} : { namespace }),
    labels: metadata.labels ?? {},
    annotations,
    ...(uid === undefined ? {} : { uid }),
    ...(generation === undefined ? {} : { generation: Number(generation) }),
    ...(created === undefined ? {} : { creationTimestamp: new Date(created).toISOString() }),
  };
}

function millisOf(time: McpMetadata['createTime']): number | undefined {
  if (time === undefined) return undefined;
  return Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6;
}

function splitName(qualified: string): { readonly namespace: string; readonly name: string } {
  const slash = qualified.indexOf('/');
  return slash < 0
    ? { namespace: '', name: qualified }
    : { namespace: qualified.slice(0, slash), name: qualified.slice(slash + 1) };
}

function catching(read: () => Result<SourceObject, string>): Result<SourceObject, string> {
  try {
    return read();
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
