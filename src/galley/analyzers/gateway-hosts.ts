import { completeHost, hostMatches } from '../../apis/host.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type Analyzer, about } from './analyzer.ts';
import { qualifyGateway } from './gateway-references.ts';

type Gateway = ConfigObject<'Gateway'>;

/** A VirtualService is bound to Gateways, and no server of them has its host. */
export const gatewayHosts: Analyzer = {
  name: 'gateway-hosts',
  run: ({ snapshot: { objects }, domain }) => {
    const byName = new Map(objects.Gateway.map((object) => [`${object.meta.namespace}/${object.meta.name}`, object]));
    return objects.VirtualService.flatMap((object) => {
      const names = (object.spec.gateways ?? []).filter((gateway) => gateway !== 'mesh');
      const gateways = names.map((gateway) => byName.get(qualifyGateway(gateway, object.meta.namespace)));
      const found = gateways.filter((gateway) => gateway !== undefined);
      // A missing Gateway has a diagnostic of its own.
      if (found.length === 0 || found.length < gateways.length) return [];
      return (object.spec.hosts ?? []).flatMap((host, index) => {
        const complete = completeHost(host, object.meta.namespace, domain).toLowerCase();
        if (found.some((gateway) => accepts(gateway, complete, object.meta.namespace))) return [];
        const message = `no server of ${names.join(', ')} has host ${complete}: add it to the Gateway's servers, or correct the host`;
        return [about(object, { code: 'IST0132', level: 'warning', path: ['spec', 'hosts', index], message })];
      });
    });
  },
};

function accepts(gateway: Gateway, host: string, namespace: string): boolean {
  return gateway.spec.servers.some((server) => server.hosts.some((entry) => covers(entry, gateway, host, namespace)));
}

function covers(entry: string, gateway: Gateway, host: string, namespace: string): boolean {
  const slash = entry.indexOf('/');
  const scope = slash < 0 ? '*' : entry.slice(0, slash);
  const dnsName = entry.slice(slash + 1).toLowerCase();
  const isOpen = scope === '*' || scope === namespace || (scope === '.' && gateway.meta.namespace === namespace);
  return isOpen && hostMatches(dnsName, host);
}
