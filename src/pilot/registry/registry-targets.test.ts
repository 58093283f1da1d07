import { expect, it } from 'vitest';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { endpointSlice, node, pod, service, serviceEntry, workloadEntry } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { collectDiagnostics } from './diagnose.ts';
import { Registry, type RegistryView } from './registry.ts';

type View = RegistryView & { readonly diagnostics: readonly Diagnostic[] };

function view(objects: readonly ConfigObject[]): View {
  const registry = new Registry({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  const found = registry.update(configSnapshot(objects));
  return { ...found, diagnostics: collectDiagnostics([], registry.diagnostics()) };
}

function targets(objects: readonly ConfigObject[], address = '10.1.0.1'): readonly string[] {
  return (view(objects).targetsByAddress.get(address) ?? []).map(
    ({ service: { name }, port, targetPort }) => `${name}:${port.port}→${targetPort}`,
  );
}

const labels = { app: 'web' };

it('are the services that select the pod, ready or not, by port number or name', () => {
  const objects = [
    pod('web', { labels: { ...labels, v: '1' }, ports: { http: 8080 }, ready: false }),
    service('young', { selector: labels, ports: [{ port: 80, targetPort: 'http' }] }, { createdAt: 2 }),
    service('old', { selector: { v: '1' }, ports: [{ port: 81, targetPort: 9090 }, 82] }, { createdAt: 1 }),
    service('no-such-port', { selector: labels, ports: [{ port: 83, targetPort: 'admin' }] }),
    service('udp', { selector: labels, ports: [{ port: 84, protocol: 'UDP' }] }),
    service('other', { selector: { app: 'other' } }),
    service('everything', { selector: {} }),
    service('elsewhere/web'),
  ];
  expect(targets(objects)).toEqual(['old:81→9090', 'old:82→82', 'young:80→8080']);
});

it('are found under every address of a pod, but not under its host’s', () => {
  const dual = pod('web', { podIPs: ['10.1.0.1', 'fd00::1'] });
  expect(targets([service('web'), dual], 'fd00::1')).toEqual(['web:80→80']);
  const { targetsByAddress, workloadsByAddress } = view([
    service('web'),
    pod('web', { ip: '192.168.0.1', hostNetwork: true }),
  ]);
  expect([targetsByAddress.size, workloadsByAddress.size]).toEqual([0, 0]);
});

it('are found by name for pods on their host’s network, which share an address', () => {
  const gateway = (name: string) => pod(name, { ip: '192.168.0.1', hostNetwork: true, labels });
  const web = service('web', { selector: labels, ports: [{ port: 80, targetPort: 8080 }] });
  const registry = new Registry({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  const objects = [web, gateway('a'), gateway('b')];
  const { hostPods } = registry.update(configSnapshot(objects));
  expect([...hostPods.keys()]).toEqual(['a.default', 'b.default']);
  expect(hostPods.get('b.default')).toMatchObject({ workload: { name: 'b', labels }, targets: [{ targetPort: 8080 }] });
  const [, , second] = objects;
  const changed = registry.update(configSnapshot([web, ...(second === undefined ? [] : [second])])).hostPods;
  expect([...changed.keys()]).toEqual(['b.default']);
  expect(changed.get('b.default')).toBe(hostPods.get('b.default'));
  expect(registry.update(configSnapshot([web])).hostPods.size).toBe(0);
});

it('include ServiceEntries that select a pod or a WorkloadEntry', () => {
  const ports = [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }];
  const entry = serviceEntry('db', { ports, workloadSelector: { labels } });
  expect(targets([entry, pod('web', { labels })])).toEqual(['db:80→8080']);
  expect(
    targets([entry, workloadEntry('vm', { address: '10.9.0.1', labels, ports: { http: 7000 } })], '10.9.0.1'),
  ).toEqual(['db:80→7000']);
  expect(
    targets([service('web', { selector: labels }), workloadEntry('vm', { address: '10.9.0.1', labels })], '10.9.0.1'),
  ).toEqual(['web:80→80']);
});

it('include services that list the address by hand', () => {
  const entry = serviceEntry('db', {
    resolution: 'STATIC',
    endpoints: [{ address: '10.1.0.1', ports: { https: 8443 } }],
  });
  expect(targets([entry])).toEqual(['db:443→8443']);
  expect(targets([entry, pod('unselected')])).toEqual(['db:443→8443']);
  const objects = [service('manual', { selector: {} }), endpointSlice('manual', { ports: { http: 8080 } })];
  expect(targets(objects)).toEqual(['manual:80→8080']);
});

it('say when services disagree on one port of a workload: the oldest decides', () => {
  const old = service(
    'old',
    { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    { createdAt: 1 },
  );
  const same = service(
    'same',
    { selector: labels, ports: [{ name: 'http', port: 81, targetPort: 8080 }] },
    { createdAt: 2 },
  );
  const other = service(
    'other',
    { selector: labels, ports: [{ name: 'grpc', port: 82, targetPort: 8080 }] },
    { createdAt: 3 },
  );
  const pods = [pod('a', { ip: '10.1.0.1', labels }), pod('b', { ip: '10.1.0.2', labels })];
  const { targetsByAddress, diagnostics } = view([old, same, other, ...pods]);
  expect(targetsByAddress.get('10.1.0.1')?.map(({ service: { name } }) => name)).toEqual(['old', 'same', 'other']);
  expect(diagnostics).toMatchObject([
    { code: 'IST0116', object: { kind: 'Service', name: 'other' }, level: 'warning' },
  ]);
});

it('belong to the living pod when an ending one had its address', () => {
  const ending = pod('old', { labels: { app: 'old' } }, { deletedAt: 5, createdAt: 9 });
  const living = pod('new', { labels }, { createdAt: 1 });
  const { workloadsByAddress, targetsByAddress } = view([service('web'), service('old'), ending, living]);
  expect(workloadsByAddress.get('10.1.0.1')?.name).toBe('new');
  expect(targetsByAddress.get('10.1.0.1')).toMatchObject([{ service: { name: 'web' } }]);
});

it('describe the workload itself', () => {
  const objects = [
    node('n1', { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' }),
    pod('web-0', {
      nodeName: 'n1',
      serviceAccountName: 'sa',
      owner: { kind: 'StatefulSet', name: 'web', controller: true },
    }),
    pod('said', { ip: '10.1.0.2', nodeName: 'n1', labels: { 'topology.istio.io/locality': 'a.b.c' } }),
  ];
  const { workloadsByAddress } = view(objects);
  expect(workloadsByAddress.get('10.1.0.1')).toEqual({
    name: 'web-0',
    namespace: 'default',
    controller: 'web',
    addresses: ['10.1.0.1'],
    labels: { app: 'web-0' },
    serviceAccount: 'sa',
    locality: { region: 'r', zone: 'z', subzone: '' },
    network: '',
    node: 'n1',
    origin: { kind: 'Pod', namespace: 'default', name: 'web-0' },
  });
  expect(workloadsByAddress.get('10.1.0.2')?.locality).toEqual({ region: 'a', zone: 'b', subzone: 'c' });
});
