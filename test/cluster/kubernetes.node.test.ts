import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { images } from './image-catalog.ts';
import type { NodeClient } from './node-client.ts';
import { sharedNode } from './node-shared.ts';

const node = sharedNode(images.tools, images.node);
const { namespace } = node;
const client = { pod: 'client', namespace };

const serve = `require('node:http').createServer((request, response) => response.end('hello')).listen(8080, () => console.log('serving'))`;

const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        initContainers: [
          { name: 'sidecar', image: images.tools, restartPolicy: 'Always', command: ['sleep', 'infinity'] },
        ],
        containers: [
          {
            name: 'web',
            image: images.node,
            command: ['node', '-e', serve],
            readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
          },
        ],
        terminationGracePeriodSeconds: 0,
      },
    },
  },
};

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
};

const clientPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client', namespace },
  spec: {
    containers: [{ name: 'client', image: images.tools, command: ['sleep', 'infinity'] }],
    terminationGracePeriodSeconds: 0,
  },
};

async function curl(...args: readonly string[]): Promise<string> {
  return node.client().exec(client, ['curl', '--silent', '--show-error', '--max-time', '5', ...args]);
}

async function read(kubernetes: NodeClient, path: string, ...object: readonly string[]): Promise<string> {
  return kubernetes.kubectl(['get', ...object, `--namespace=${namespace}`, `--output=jsonpath={${path}}`]);
}

describe('the node', () => {
  beforeAll(async () => {
    await node.client().apply([web, service, clientPod]);
    await node.client().waitForCondition('Available', ['deployment/web', `--namespace=${namespace}`]);
    await node.client().waitForCondition('Ready', ['pod/client', `--namespace=${namespace}`]);
  });

  test('runs native sidecars', async () => {
    expect(await read(node.client(), '.items[0].status.initContainerStatuses[0].ready', 'pod', '-l', 'app=web')).toBe(
      'true',
    );
  });

  test('lets pods reach Services by short and full names, and a Service its own pod', async () => {
    expect(await curl('http://web')).toBe('hello');
    expect(await curl(`http://web.${namespace}.svc.cluster.local`)).toBe('hello');
    const fetchSelf = "fetch('http://web').then((reply) => reply.text()).then(console.log)";
    const pod = { pod: 'deployment/web', namespace, container: 'web' };
    expect(await node.client().exec(pod, ['node', '-e', fetchSelf])).toBe('hello\n');
  });

  test('says of names outside that they do not exist', async () => {
    const getent = ['exec', 'client', `--namespace=${namespace}`, '--', 'getent', 'hosts', 'example.com'];
    const result = await node.client().tryKubectl(getent);
    expect(result.status).toBe(2);
  });

  test('lets pods reach the API server, with a token of their own', async () => {
    const script =
      'curl -s --cacert $0/ca.crt -H "Authorization: Bearer $(cat $0/token)" https://kubernetes.default/version';
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    expect(JSON.parse(await node.client().exec(client, ['sh', '-c', script, folder]))).toMatchObject({ major: '1' });
  });

  test('lets this process reach Services and pods, and pods this process', async () => {
    const address = await read(node.client(), '.spec.clusterIP', 'service', 'web');
    expect(await (await fetch(`http://${address}`)).text()).toBe('hello');
    const pod = await read(node.client(), '.items[0].status.podIP', 'pod', '-l', 'app=web');
    expect(await (await fetch(`http://${pod}:8080`)).text()).toBe('hello');

    const server = createServer((_, response) => response.end('from outside'));
    const { outside } = node.client().access.addresses;
    server.listen(0, outside);
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      expect(await curl(`http://${outside}:${port}`)).toBe('from outside');
    } finally {
      server.close();
    }
  });

  test('follows pods that come and go', async () => {
    const before = await read(node.client(), '.items[0].status.podIP', 'pod', '-l', 'app=web');
    await node.client().kubectl(['delete', 'pod', '-l', 'app=web', `--namespace=${namespace}`]);
    await node.client().waitFor('the Service answers again', async () => {
      const addresses = await read(node.client(), '.items[*].endpoints[*].addresses[0]', 'endpointslice');
      return addresses !== '' && !addresses.split(' ').includes(before) && (await curl('http://web')) === 'hello'
        ? true
        : undefined;
    });
  });

  test('has logs', async () => {
    expect(await node.client().podLogs({ pod: 'deployment/web', namespace, container: 'web' })).toBe('serving\n');
  });

  test('takes NetworkPolicies', async () => {
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'all', namespace },
      spec: { podSelector: {}, ingress: [{}] },
    };
    await node.client().apply([policy]);
    expect(await read(node.client(), '.metadata.name', 'networkpolicy', 'all')).toBe('all');
  });

  test('is there for both versions of helm', async () => {
    for (const helm of ['helm3', 'helm4'] as const)
      expect(JSON.parse(await node.client().helm(helm, ['list', '--output=json', `--namespace=${namespace}`]))).toEqual(
        [],
      );
  });
});
