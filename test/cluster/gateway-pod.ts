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

/** A stock Envoy that is a gateway, told nothing but where the control plane is: `xebec.istio-system.svc.cluster.local`. */
export function gatewayPod(name: string, namespace: string, controlPlane: string): object {
  const labels = { app: name };
  const bootstrap = renderBootstrap({
    kind: 'router',
    name,
    namespace,
    addresses: ['$(POD_IP)'],
    domain: 'cluster.local',
    labels,
    serviceAccount: 'default',
    workloadName: name,
    clusterId: 'Kubernetes',
    network: '',
    locality: undefined,
    interception: 'NONE',
    dnsCapture: false,
    podPorts: [],
    nodeName: '',
    version: '0.1.0',
    discovery: { host: controlPlane, port: 15010, security: { kind: 'plaintext' } },
    stats: { kind: 'all' },
    adminSocket: undefined,
    overload: undefined,
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      containers: [
        {
          name: 'envoy',
          image: images.envoy,
          args: ['--concurrency', '1', '--log-level', 'warning', '--config-yaml', JSON.stringify(bootstrap)],
          env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
          readinessProbe: { httpGet: { path: '/healthz/ready', port: 15021 }, periodSeconds: 1 },
        },
      ],
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
