import { isIp, isSubnet } from '../address.ts';
import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { isDnsLabel, isDnsName } from '../names.ts';
import { checkPort } from '../rules/scalars.ts';
import { issuesOf, parseBody } from '../schema/parse.ts';
import { type MeshNetworks, meshNetworksSchema, type Network } from './mesh-networks.ts';

/** The networks of the mesh; absent when an issue is an error, and then the ones from before stay in force. */
export type ParsedMeshNetworks = { readonly networks: MeshNetworks | undefined; readonly issues: readonly Issue[] };

/** Reads what the `meshNetworks` key of the `istio` ConfigMap holds, once its YAML is read. */
export function parseMeshNetworks(body: unknown): ParsedMeshNetworks {
  const parsed = parseBody(meshNetworksSchema, body ?? {}, []);
  const issues = issuesOf(parsed, validateNetworks);
  return { networks: issues.some(({ level }) => level === 'error') ? undefined : parsed.spec, issues };
}

function validateNetworks({ networks = {} }: MeshNetworks): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues).at('networks');
  for (const [name, network] of Object.entries(networks)) checkNetwork(field.at(name), network);
  return issues;
}

function checkNetwork(field: Field, { endpoints, gateways }: Network): void {
  field.at('endpoints').each(endpoints, (at, { fromCidr, fromRegistry }) => {
    if (fromCidr !== undefined && !isSubnet(fromCidr)) {
      at.at('fromCidr').error('XEB0905', {
        problem: 'is not a block of addresses',
        got: fromCidr,
        allowed: 'such as 10.0.0.0/8',
      });
    }
    if (fromRegistry !== undefined && !isDnsLabel(fromRegistry)) {
      at.at('fromRegistry').error('XEB0905', {
        problem: 'is not the name of a registry',
        got: fromRegistry,
        allowed: 'a DNS label',
      });
    }
  });
  field.at('gateways').each(gateways, (at, { registryServiceName, address, port }) => {
    const host = registryServiceName ?? address ?? '';
    const member = registryServiceName === undefined ? 'address' : 'registryServiceName';
    if (!isDnsName(host) && !(member === 'address' && isIp(host))) {
      at.at(member).error('XEB0905', { problem: 'is not a host', got: host, allowed: 'a host name or an IP address' });
    }
    checkPort(at.at('port'), port);
  });
}
