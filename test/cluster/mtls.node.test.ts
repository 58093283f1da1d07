import type { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificatesIn } from '../../src/citadel/authority/pem.ts';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { envoyContainer, gatewayPod, identityVolume } from './gateway-pod.ts';
import { images } from './image-catalog.ts';
import { meshedClient, meshedServer } from './meshed-pods.ts';
import { sharedNode } from './node-shared.ts';
import { type Answer, ask, askOverTls, Traffic } from './pod-traffic.ts';
import { Release } from './release.ts';

// Identities, mutual TLS and policies between real pods, with the chart as it is installed; and all that is ever renewed, renewed under load.

const node = sharedNode(images.node, images.envoy);
const release = new Release({ client: node.client, helm: 'helm3', name: 'xebec', namespace: 'istio-system' });
const { namespace } = node;
const elsewhere = `${namespace}-elsewhere`;
const server = `server.${namespace}.svc.cluster.local`;

/** Short enough to see all of it; longer than the kubelet takes to renew what a pod has mounted. */
const lifetimes = [
  'citadel.workloadCertTtl=60s',
  'citadel.maxWorkloadCertTtl=60s',
  'citadel.rootAnnounce=20s',
  'citadel.caCertTtl=2m',
  'extraArgs={--workload-cert-min-grace-period=1s}',
];

const address: Record<string, string> = {};
const edgeAuthorities = [createAuthority('first'), createAuthority('second')] as const;
const edgeRoots = edgeAuthorities.map(({ certificate }) => certificate).join('');

function security(kind: string, name: string, app: string, spec: object): object {
  const selector = { matchLabels: { app } };
  return { apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace }, spec: { selector, ...spec } };
}

function peers(mode: 'PERMISSIVE' | 'STRICT'): object {
  return security('PeerAuthentication', 'server', 'server', { mtls: { mode } });
}

function denial(account: string): object {
  const from = [{ source: { principals: [`cluster.local/ns/${namespace}/sa/${account}`] } }];
  return security('AuthorizationPolicy', 'server', 'server', { action: 'DENY', rules: [{ from }] });
}

function edgeSecret(authority: Authority): object {
  const { certificate, key } = authority.issue(['edge.example']);
  const stringData = { 'tls.crt': certificate, 'tls.key': key };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'edge', namespace },
    type: 'kubernetes.io/tls',
    stringData,
  };
}

/** The edge ends TLS by a Secret, and is a client of the mesh behind it. */
const edge = [
  gatewayPod('edge', namespace),
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge', namespace },
    spec: {
      selector: { app: 'edge' },
      servers: [
        {
          port: { number: 8443, name: 'https', protocol: 'HTTPS' },
          hosts: ['edge.example'],
          tls: { mode: 'SIMPLE', credentialName: 'edge' },
        },
      ],
    },
  },
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'edge', namespace },
    spec: {
      hosts: ['edge.example'],
      gateways: ['edge'],
      http: [{ route: [{ destination: { host: server, port: { number: 9090 } } }] }],
    },
  },
];

const callBy = (client: string) => ask(`${address[client] ?? ''}:9090`, '/', server);
const callPlainly = () => ask(`${address['server'] ?? ''}:9080`, '/', server);
const callEdge = () => askOverTls(`${address['edge'] ?? ''}:8443`, 'edge.example', edgeRoots);

/** How a call ended, in a word. */
function outcomeOf(call: Promise<Answer>): Promise<number | 'refused'> {
  return call.then(
    ({ status }) => status,
    () => 'refused' as const,
  );
}

function spiffeOf(account: string): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}

/** Those that the mesh is told of. */
async function rootsOfMesh(): Promise<readonly X509Certificate[]> {
  return certificatesIn(await release.read('.data.root-cert\\.pem', 'configmap', 'istio-ca-root-cert')) ?? [];
}

/** That of an account's certificate. */
async function rootInUse(account: string): Promise<X509Certificate> {
  const args = ['get', 'secret', `istio.${account}`, `--namespace=${namespace}`];
  const chain = await node.client().kubectl([...args, '--output=jsonpath={.data.cert-chain\\.pem}']);
  const [leaf] = certificatesIn(Buffer.from(chain, 'base64').toString()) ?? [];
  const root = (await rootsOfMesh()).find((each) => leaf?.checkIssued(each) === true);
  if (root === undefined) throw new Error('the account has a certificate of no root');
  return root;
}

/** The serial of the certificate by which a pod proves itself, as its Envoy has it. */
async function serialInUse(pod: string): Promise<string> {
  const script = "fetch('http://127.0.0.1:15000/certs').then((reply) => reply.text()).then(console.log)";
  const text = await node.client().exec({ pod, namespace, container: 'app' }, ['node', '-e', script]);
  const { certificates } = JSON.parse(text) as {
    readonly certificates: readonly { readonly cert_chain: readonly { readonly serial_number: string }[] }[];
  };
  return certificates.flatMap(({ cert_chain }) => cert_chain)[0]?.serial_number ?? '';
}

describe('pods of a mesh', () => {
  beforeAll(async () => {
    await release.prepare();
    const values = [...lifetimes, `secretNamespaces={${namespace}}`];
    await release.change('install', ...values.map((value) => `--set=${value}`));
    await node.client().kubectl(['create', 'namespace', elsewhere]);
    await node
      .client()
      .apply([
        ...meshedServer('server', namespace),
        ...meshedClient('client', namespace),
        ...meshedClient('stranger', namespace),
        edgeSecret(edgeAuthorities[0]),
        ...edge,
        peers('PERMISSIVE'),
      ]);
    await node.client().waitForCondition('Ready', ['pod', '--all', `--namespace=${namespace}`], 120_000);
    for (const pod of ['server', 'client', 'stranger', 'edge']) {
      const get = ['get', 'pod', pod, `--namespace=${namespace}`, '--output=jsonpath={.status.podIP}'];
      address[pod] = await node.client().kubectl(get);
    }
  });
  afterAll(async () => {
    await node.client().tryKubectl(['delete', 'namespace', elsewhere, '--wait=false', '--ignore-not-found']);
    await release.remove();
  });

  test('are called by anybody while it is PERMISSIVE, and know who calls where that is proven', async () => {
    await node.client().waitFor('a client of the mesh is known', async () => {
      return (await callBy('client')).body.includes(`URI=${spiffeOf('client')}`) ? true : undefined;
    });
    expect((await callBy('client')).body).toContain(`By=${spiffeOf('server')}`);
    expect(await callPlainly()).toEqual({ status: 200, body: 'somebody' });
    expect((await callEdge()).body).toContain(`URI=${spiffeOf('default')}`);
  });

  test('refuse who proves nothing while it is STRICT, from wherever he calls', async () => {
    await node.client().apply([peers('STRICT')]);
    await node.client().waitFor('nobody gets in unproven', async () => {
      return (await outcomeOf(callPlainly())) === 'refused' ? true : undefined;
    });
    const call = "fetch('http://server:9090').then((reply) => console.log(reply.status), () => console.log('refused'))";
    const plainly = await node.client().exec({ pod: 'client', namespace, container: 'app' }, ['node', '-e', call]);
    expect(plainly).toBe('refused\n');
    const proven = await callBy('client');
    expect(proven.status).toBe(200);
    expect(proven.body).toContain(`URI=${spiffeOf('client')}`);
  });

  test('deny one identity, and let another one pass', async () => {
    await node.client().apply([denial('stranger')]);
    await node.client().waitFor('the stranger is denied', async () => {
      return (await callBy('stranger')).status === 403 ? true : undefined;
    });
    expect(await callBy('stranger')).toEqual({ status: 403, body: 'RBAC: access denied' });
    expect((await callBy('client')).status).toBe(200);
    expect((await callEdge()).status).toBe(200);
  });

  test('S1: who claims to be of another namespace is told nothing', async () => {
    const liar = { kind: 'sidecar', name: 'liar', namespace: elsewhere, claimed: namespace } as const;
    const spec = { containers: [envoyContainer(liar)], volumes: [identityVolume()], terminationGracePeriodSeconds: 0 };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'liar', namespace: elsewhere }, spec };
    await node.client().apply([pod]);
    const said = `spiffe://cluster.local/ns/${elsewhere}/sa/default: it claims namespace \\"${namespace}\\"`;
    await node.client().waitFor('it is refused', async () => {
      return (await release.kubectl('logs', 'deployment/xebec')).includes(said) ? true : undefined;
    });
    // An Envoy that was told of no cluster never opens a port, not even its own.
    const get = ['get', 'pod', 'liar', `--namespace=${elsewhere}`, '--output=jsonpath={.status.podIP}'];
    const ip = await node.client().kubectl(get);
    const ports = [15_021, 15_090].map((port) => outcomeOf(ask(`${ip}:${port}`, '/')));
    expect(await Promise.all(ports)).toEqual(['refused', 'refused']);
  });

  test('have every certificate replaced while they are called, also while the control plane restarts, and nobody notices', async () => {
    const [before, first] = [await serialInUse('server'), await rootInUse('server')];
    const traffics = [
      new Traffic(() => callBy('client'), spiffeOf('client')),
      new Traffic(callEdge, spiffeOf('default')),
    ];
    try {
      // A leaf: the Secret is made anew, and the pod goes on with it.
      await node.client().kubectl(['delete', 'secret', 'istio.server', `--namespace=${namespace}`]);
      await node.client().waitFor('Envoy has another certificate', async () => {
        return (await serialInUse('server')) === before ? undefined : true;
      });
      // The edge's own.
      await node.client().apply([edgeSecret(edgeAuthorities[1])]);
      const [, second] = edgeAuthorities;
      await node.client().waitFor('the edge shows the second', async () => {
        return (await askOverTls(`${address['edge'] ?? ''}:8443`, 'edge.example', second.certificate)).status === 200
          ? true
          : undefined;
      });
      // The root: told of, signed with, and at last alone. Meanwhile every leaf is renewed because of its age, too.
      await release.kubectl('annotate', 'secret', 'istio-ca-secret', 'ca.xebec.dev/rotate=now');
      await node
        .client()
        .waitFor('two roots are trusted', async () => ((await rootsOfMesh()).length > 1 ? true : undefined));
      await release.kubectl('rollout', 'restart', 'deployment/xebec');
      await release.kubectl('rollout', 'status', 'deployment/xebec', '--timeout=120s');
      await node.client().waitFor(
        'the first root is forgotten',
        async () => {
          const roots = await rootsOfMesh();
          return roots.some(({ fingerprint256 }) => fingerprint256 === first.fingerprint256) ? undefined : true;
        },
        180_000,
      );
      await node.client().waitFor('the pods believe it no more', async () => {
        const pod = { pod: 'server', namespace, container: 'envoy' };
        const believed = await node.client().exec(pod, ['cat', '/etc/certs/root-cert.pem']);
        return believed.includes(first.toString().trim()) ? undefined : true;
      });
      expect((await callBy('client')).status).toBe(200);
    } finally {
      await Promise.all(traffics.map((traffic) => traffic.end()));
    }
    expect(traffics.map(({ failures }) => failures)).toEqual([[], []]);
    for (const { count } of traffics) expect(count).toBeGreaterThan(300);
    // It is still shut to everybody else.
    expect(await outcomeOf(callPlainly())).toBe('refused');
    expect(await outcomeOf(callBy('stranger'))).toBe(403);
  });
});
