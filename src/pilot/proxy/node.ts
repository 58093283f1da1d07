import { isIP } from 'node:net';
import { err, ok, type Result } from '../../kit/result.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Locality } from '../../model/service.ts';
import type { NodeInfo } from '../../xds/node.ts';

/**
 * Reads Envoy's node message as Istio names its parts: id `type~ip~name.namespace~domain` and metadata keys such as NAMESPACE,
 * LABELS, INSTANCE_IPS. The error says which part is wrong.
 */
export function parseProxy(node: NodeInfo): Result<Proxy, string> {
  const parsed = parseNodeId(node.id);
  if (!parsed.ok) return parsed;
  const { metadata } = node;
  const { type, ip, name, domain } = parsed.value;
  const kind = metadata['GENERATOR'] === 'grpc' ? 'proxyless' : type;
  const addresses = instanceAddresses(metadata['INSTANCE_IPS'], ip);
  if (addresses.length === 0) return err(`node id ${quoted(node.id)}: ${quoted(ip)} is no IP address`);
  return ok({
    id: node.id,
    kind,
    addresses,
    name,
    namespace: text(metadata['NAMESPACE']) ?? text(metadata['CONFIG_NAMESPACE']) ?? (domain.split('.')[0] || 'default'),
    dnsDomain: domain,
    labels: textRecord(metadata['LABELS']),
    serviceAccount: text(metadata['SERVICE_ACCOUNT']) ?? '',
    locality: nodeLocality(node),
    network: text(metadata['NETWORK']) ?? '',
    clusterId: text(metadata['CLUSTER_ID']) ?? '',
    interception: interceptionOf(metadata['INTERCEPTION_MODE']),
    dnsCapture: isTrue(metadata['DNS_CAPTURE']),
    http10: metadata['HTTP10'] === '1' || isTrue(metadata['HTTP10']),
    identityFolder: folderOf(metadata['IDENTITY_FOLDER']),
    identity: undefined,
    metadata,
  });
}

type NodeId = {
  readonly type: 'sidecar' | 'router';
  readonly ip: string;
  readonly name: string;
  readonly domain: string;
};

/** Above what the names of pods, namespaces and domains can be together: ids are keys, and stand in every line of the log. */
const LONGEST_ID = 1024;

function parseNodeId(id: string): Result<NodeId, string> {
  if (id.length > LONGEST_ID) return err(`node id ${quoted(id)} has more than ${LONGEST_ID} characters`);
  const parts = id.split('~');
  const [type, ip, name, domain] = parts;
  if (parts.length !== 4 || type === undefined || ip === undefined || name === undefined || domain === undefined) {
    return err(`node id ${quoted(id)} must have four parts: type~ip~name.namespace~domain`);
  }
  if (type !== 'sidecar' && type !== 'router') return err(`node type ${quoted(type)} must be sidecar or router`);
  return ok({ type, ip, name, domain });
}

/** A part of what a client sent, short enough for a status. */
function quoted(part: string): string {
  return JSON.stringify(part.length > 200 ? `${part.slice(0, 200)}…` : part);
}

/** Far more than a pod has. */
const MOST_ADDRESSES = 64;

function instanceAddresses(listed: unknown, ip: string): readonly string[] {
  const given = typeof listed === 'string' && listed !== '' ? listed.split(',', MOST_ADDRESSES + 1) : [ip];
  const candidates = given.length > MOST_ADDRESSES ? [ip] : given;
  return candidates.every((candidate) => isIP(candidate) !== 0) ? candidates : [ip].filter((one) => isIP(one) !== 0);
}

function nodeLocality({ locality: { region, zone, subZone } }: NodeInfo): Locality | undefined {
  return region === '' ? undefined : { region, zone, subzone: subZone };
}

function interceptionOf(value: unknown): Proxy['interception'] {
  return value === 'TPROXY' || value === 'NONE' ? value : 'REDIRECT';
}

/** It becomes part of paths that Envoy is told to open. */
function folderOf(value: unknown): string {
  return typeof value === 'string' && /^\/[\w./-]{1,200}$/.test(value) ? value : '';
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textRecord(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
