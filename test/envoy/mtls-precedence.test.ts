// Which policy decides how a port is entered: objects of all reaches, of today and classic, together and on real traffic.
import { describe, expect, onTestFinished, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { wireOf } from '../support/mtls-wire.ts';
import { client, echo, type Manifest, outside, service } from '../support/workloads.ts';

const mesh = useMesh({ meshConfig: 'protocolDetectionTimeout: 500ms' });
const ports = ['http:8080', 'grpc:8081', 'tcp:9000'];
const listens = ['http:8080', 'h2c:8081', 'tcp:9000'];

mesh.given(
  client('client'),
  client('stranger', outside),
  echo('web', 'v1', listens, { namespace: 'shop' }),
  echo('bystander', 'v1', listens),
  service('web', ports, { namespace: 'shop', selector: { app: 'web' } }),
  service('bystander', ports, { selector: { app: 'bystander' } }),
  // So that no connection from before a policy is left.
  ...['shop', 'default'].map((namespace) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'short', namespace },
    spec: {
      host: namespace === 'shop' ? 'web' : 'bystander',
      trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
    },
  })),
);

type Mode = 'PERMISSIVE' | 'STRICT' | 'DISABLE';
type Port = 8080 | 8081 | 9000;
type ByPort = Partial<Record<Port, Mode>>;

/** What is said about pods of `web`, in namespace `shop`. */
type Said = {
  readonly mesh?: Mode;
  readonly namespace?: Mode;
  readonly workload?: Mode | 'UNSET';
  readonly ports?: ByPort;
  readonly classicMesh?: Mode;
  readonly classicNamespace?: Mode;
  readonly classicService?: Mode;
  readonly classicPorts?: ByPort;
};

/** The narrower decides; with one reach, what is said today comes before what is classic. */
function expectedMode(said: Said, port: Port): Mode {
  const { workload } = said;
  return (
    said.ports?.[port] ??
    (workload === 'UNSET' ? undefined : workload) ??
    said.classicPorts?.[port] ??
    said.classicService ??
    said.namespace ??
    said.classicNamespace ??
    expectedElsewhere(said)
  );
}

function expectedElsewhere(said: Said): Mode {
  return said.mesh ?? said.classicMesh ?? 'PERMISSIVE';
}

const mtls = (mode: string): object => ({ mtls: { mode } });

function peerAuthentication(namespace: string, name: string, spec: object): Manifest {
  return { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata: { name, namespace }, spec };
}

function classic(kind: 'Policy' | 'MeshPolicy', name: string, mode: Mode, targets?: readonly object[]): Manifest {
  const peers = { STRICT: [{ mtls: {} }], PERMISSIVE: [mtls('PERMISSIVE')], DISABLE: undefined }[mode];
  return {
    apiVersion: 'authentication.istio.io/v1alpha1',
    kind,
    metadata: { name, ...(kind === 'Policy' ? { namespace: 'shop' } : {}) },
    spec: { ...(peers === undefined ? {} : { peers }), ...(targets === undefined ? {} : { targets }) },
  };
}

function todayObjects({ mesh: whole, namespace, workload, ports: own }: Said): readonly Manifest[] {
  const portLevelMtls = Object.fromEntries(Object.entries(own ?? {}).map(([port, mode]) => [port, { mode }]));
  const forWorkload = {
    selector: { matchLabels: { app: 'web' } },
    ...(workload === undefined ? {} : mtls(workload)),
    ...(own === undefined ? {} : { portLevelMtls }),
  };
  return [
    ...(whole === undefined ? [] : [peerAuthentication('istio-system', 'default', mtls(whole))]),
    ...(namespace === undefined ? [] : [peerAuthentication('shop', 'default', mtls(namespace))]),
    ...(workload === undefined && own === undefined ? [] : [peerAuthentication('shop', 'web', forWorkload)]),
  ];
}

function classicObjects(said: Said): readonly Manifest[] {
  const { classicMesh, classicNamespace, classicService, classicPorts = {} } = said;
  return [
    ...(classicMesh === undefined ? [] : [classic('MeshPolicy', 'default', classicMesh)]),
    ...(classicNamespace === undefined ? [] : [classic('Policy', 'default', classicNamespace)]),
    ...(classicService === undefined ? [] : [classic('Policy', 'web', classicService, [{ name: 'web' }])]),
    ...Object.entries(classicPorts).map(([port, mode]) =>
      classic('Policy', `web-${port}`, mode, [{ name: 'web', ports: [{ number: Number(port) }] }]),
    ),
  ];
}

/** A mode is what a client of the mesh and one outside see of it. */
async function modeSeen(server: string, scheme: string, port: Port): Promise<string> {
  const namespace = server === 'web' ? 'shop' : 'default';
  const url = `${scheme}://${server}.${namespace}:${port}`;
  const deployment = `${server}-v1`;
  const inside = await wireOf(mesh, { from: 'client', url, server: deployment });
  const out = await wireOf(mesh, { from: 'stranger', url, server: deployment });
  const known: Readonly<Record<string, Mode>> = {
    'mutual plaintext': 'PERMISSIVE',
    'mutual refused': 'STRICT',
    'plaintext plaintext': 'DISABLE',
  };
  return known[`${inside} ${out}`] ?? `inside ${inside}, outside ${out}`;
}

async function allSeen(): Promise<Readonly<Record<string, string>>> {
  return {
    http: await modeSeen('web', 'http', 8080),
    grpc: await modeSeen('web', 'grpc', 8081),
    tcp: await modeSeen('web', 'tcp', 9000),
    elsewhere: await modeSeen('bystander', 'http', 8080),
  };
}

describe('how a port is entered', () => {
  test.each<readonly [string, Said]>([
    ['nobody says anything', {}],
    ['the mesh does', { mesh: 'STRICT' }],
    ['the mesh and a namespace', { mesh: 'STRICT', namespace: 'PERMISSIVE' }],
    ['all four', { mesh: 'STRICT', namespace: 'DISABLE', workload: 'STRICT', ports: { 9000: 'PERMISSIVE' } }],
    ['a port that takes less than its workload', { workload: 'STRICT', ports: { 8081: 'DISABLE' } }],
    ['a port that takes more than its mesh', { mesh: 'DISABLE', workload: 'PERMISSIVE', ports: { 8081: 'STRICT' } }],
    [
      'a workload that leaves it to its namespace, but for ports',
      { namespace: 'STRICT', workload: 'UNSET', ports: { 8080: 'DISABLE', 9000: 'PERMISSIVE' } },
    ],
    ['ports alone', { ports: { 8080: 'STRICT', 9000: 'DISABLE' } }],
    ['classic: the mesh', { classicMesh: 'STRICT' }],
    ['classic: a namespace otherwise than the mesh', { classicMesh: 'PERMISSIVE', classicNamespace: 'DISABLE' }],
    [
      'classic: a service and one of its ports',
      { classicMesh: 'STRICT', classicService: 'PERMISSIVE', classicPorts: { 9000: 'DISABLE' } },
    ],
    ['both of one reach', { mesh: 'DISABLE', classicMesh: 'STRICT', namespace: 'STRICT', classicNamespace: 'DISABLE' }],
    ['a classic one that is narrower', { mesh: 'STRICT', classicNamespace: 'PERMISSIVE' }],
    [
      'a classic one for a service in a namespace of today',
      { namespace: 'STRICT', classicService: 'DISABLE', classicPorts: { 8080: 'PERMISSIVE' } },
    ],
    [
      'one for a workload beside classic ones for its service',
      { workload: 'STRICT', classicPorts: { 8080: 'DISABLE' } },
    ],
  ])('%s', async (_, said) => {
    onTestFinished(() => mesh.remove('said'));
    await mesh.apply('said', ...todayObjects(said), ...classicObjects(said));
    const expected = {
      http: expectedMode(said, 8080),
      grpc: expectedMode(said, 8081),
      tcp: expectedMode(said, 9000),
      elsewhere: expectedElsewhere(said),
    };
    await expect.poll(allSeen).toEqual(expected);
  });
});
