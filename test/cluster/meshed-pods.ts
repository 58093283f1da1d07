import { envoyContainer, identityVolume } from './gateway-pod.ts';
import { images } from './image-catalog.ts';

// Pods with a stock Envoy beside the application, without injection: nothing is captured, so Envoy has ports of its own.

/** A listener of a Sidecar carries the Services that have its port. */
const SERVICE_PORT = 9090;

/** Says who called, by what Envoy makes of the client's certificate. */
const tellCaller = `require('node:http').createServer((request, reply) => reply.end(
  request.headers['x-forwarded-client-cert'] ?? 'somebody')).listen(8080, '127.0.0.1')`;

/** A Service whose pods are entered by Envoy alone, on 9080. Each request of a client opens a connection. */
export function meshedServer(name: string, namespace: string): readonly object[] {
  const selector = { app: name };
  return [
    ...meshedPod({ name, namespace, role: 'server', command: ['node', '-e', tellCaller], readyPort: 9080 }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector, ports: [{ name: 'http', port: SERVICE_PORT, targetPort: 9080 }] },
    },
    sidecar(name, namespace, {
      ingress: [
        {
          port: { number: 9080, name: 'http', protocol: 'HTTP' },
          captureMode: 'NONE',
          defaultEndpoint: '127.0.0.1:8080',
        },
      ],
    }),
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name, namespace },
      spec: { host: name, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } } },
    },
  ];
}

/** Sends on what comes to its port 9090, to the Service that the request names. */
export function meshedClient(name: string, namespace: string): readonly object[] {
  return [
    ...meshedPod({ name, namespace, role: 'client', command: ['sleep', 'infinity'], readyPort: SERVICE_PORT }),
    sidecar(name, namespace, {
      egress: [
        {
          port: { number: SERVICE_PORT, name: 'http', protocol: 'HTTP' },
          bind: '0.0.0.0',
          captureMode: 'NONE',
          hosts: ['./*'],
        },
      ],
    }),
  ];
}

function sidecar(app: string, namespace: string, spec: object): object {
  const workloadSelector = { labels: { app } };
  const egress = [{ hosts: ['./*'] }];
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: app, namespace },
    spec: { workloadSelector, egress, ...spec },
  };
}

type PodInputs = {
  /** Of its account too. */
  readonly name: string;
  readonly namespace: string;
  readonly role: 'client' | 'server';
  readonly command: readonly string[];
  readonly readyPort: number;
};

function meshedPod({ name, namespace, role, command, readyPort }: PodInputs): readonly object[] {
  const takesMutualTls = role === 'server' ? { 'security.istio.io/tlsMode': 'istio' } : {};
  const envoy = envoyContainer({ kind: 'sidecar', name, namespace, serviceAccount: name });
  const readinessProbe = { tcpSocket: { port: readyPort }, periodSeconds: 1 };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: name, role, ...takesMutualTls } },
      spec: {
        serviceAccountName: name,
        containers: [
          { name: 'app', image: images.node, command },
          { ...envoy, readinessProbe },
        ],
        volumes: [identityVolume(name)],
        terminationGracePeriodSeconds: 0,
      },
    },
  ];
}
