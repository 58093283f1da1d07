import { renderBootstrap } from '../../src/injector/bootstrap.ts';
import { images } from './image-catalog.ts';

/** Serves its own name on 8080, behind a Service of that name. */
export function echoApp(name: string, namespace: string): readonly object[] {
  const labels = { app: name };
  const serve = `require('node:http').createServer((_, reply) => reply.end('${name}')).listen(8080)`;
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: {
        containers: [
          {
            name: 'app',
            image: images.node,
            command: ['node', '-e', serve],
            readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
          },
        ],
        terminationGracePeriodSeconds: 0,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
  ];
}

/** What was connected under former rules ends with its next answer. */
const drain = ['--drain-strategy', 'immediate', '--drain-time-s', '45'];

export type EnvoyInputs = {
  readonly kind: 'sidecar' | 'router';
  /** Of the pod, and its label `app`. */
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount?: string;
  /** What it claims to be of, where that is not its namespace. */
  readonly claimed?: string;
};

/** The container of a stock Envoy, told where the control plane is, and the identity by which it proves there who it is. */
export function envoyContainer({ kind, name, namespace, serviceAccount = 'default', claimed }: EnvoyInputs): object {
  const serverName = 'xebec.istio-system.svc';
  const bootstrap = renderBootstrap({
    kind,
    name,
    namespace: claimed ?? namespace,
    addresses: ['$(POD_IP)'],
    domain: 'cluster.local',
    labels: { app: name },
    serviceAccount,
    workloadName: name,
    clusterId: 'Kubernetes',
    network: '',
    locality: undefined,
    interception: 'NONE',
    dnsCapture: false,
    podPorts: [],
    nodeName: '',
    version: '0.1.0',
    discovery: {
      host: `${serverName}.cluster.local`,
      port: 15012,
      security: { kind: 'mutual-tls', folder: '/etc/certs', serverNames: [serverName] },
    },
    stats: { kind: 'all' },
    adminSocket: undefined,
    overload: undefined,
  });
  return {
    name: 'envoy',
    image: images.envoy,
    args: [...['--concurrency', '1', '--log-level', 'warning'], ...drain, '--config-yaml', JSON.stringify(bootstrap)],
    env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    readinessProbe: { httpGet: { path: '/healthz/ready', port: 15021 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'identity', mountPath: '/etc/certs', readOnly: true }],
  };
}

/** The identity of an account, as Citadel keeps it. */
export function identityVolume(serviceAccount = 'default'): object {
  return { name: 'identity', secret: { secretName: `istio.${serviceAccount}` } };
}

/** A stock Envoy that is a gateway. */
export function gatewayPod(name: string, namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      containers: [envoyContainer({ kind: 'router', name, namespace })],
      volumes: [identityVolume()],
      terminationGracePeriodSeconds: 0,
    },
  };
}

/** What a person applies so that a gateway sends `shop.example` to a Service. */
export function routing(namespace: string, gateway: string, routes: readonly object[]): readonly object[] {
  return [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: gateway, namespace },
      spec: {
        selector: { app: gateway },
        servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['shop.example'] }],
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'shop', namespace },
      spec: { hosts: ['shop.example'], gateways: [gateway], http: routes },
    },
  ];
}

export function routeTo(host: string, prefix = '/'): object {
  return { match: [{ uri: { prefix } }], route: [{ destination: { host, port: { number: 80 } } }] };
}
