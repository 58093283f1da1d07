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
  if (addresses.length === 0) return err(`node id ${JSON.stringify(node.id)}: ${JSON.stringify(ip)} is no IP address`);
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
    metadata,
  });
}

type NodeId = {
  readonly type: 'sidecar' | 'router';
  readonly ip: string;
  readonly name: string;
  readonly domain: string;
};

function parseNodeId(id: string): Result<NodeId, string> {
  const parts = id.split('~');
  const [type, ip, name, domain] = parts;
  if (parts.length !== 4 || type === undefined || ip === undefined || name === undefined || domain === undefined) {
    return err(`node id ${JSON.stringify(id.slice(0, 200))} must have four parts: type~ip~name.namespace~domain`);
  }
  if (type !== 'sidecar' && type !== 'router')
    return err(`node type ${JSON.stringify(type)} must be sidecar or router`);
  return ok({ type, ip, name, domain });
}

function instanceAddresses(listed: unknown, ip: string): readonly string[] {
  const candidates = typeof listed === 'string' && listed !== '' ? listed.split(',') : [ip];
  return candidates.every((candidate) => isIP(candidate) !== 0) ? candidates : [ip].filter((one) => isIP(one) !== 0);
}

function nodeLocality({ locality: { region, zone, subZone } }: NodeInfo): Locality | undefined {
  return region === '' ? undefined : { region, zone, subzone: subZone };
}

function interceptionOf(value: unknown): Proxy['interception'] {
  return value === 'TPROXY' || value === 'NONE' ? value : 'REDIRECT';
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textRecord(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
