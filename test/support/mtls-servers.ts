import { echo, type Manifest, service, type Workload } from './workloads.ts';

/** Its Service, and a headless one called `NAME-pods` at the ports that the app listens on. */
export function server(app: string): readonly (Manifest | Workload)[] {
  const selector = { app };
  return [
    echo(app, 'v1', ['http:8080', 'h2c:8081', 'tcp:9000', 'http:8090', 'banner:9500', 'http:8070', 'tcp:9070']),
    service(app, ['http:80>8080', 'grpc:81>8081', 'any:82>8090', 'http-own:8070', 'tcp:9070'], { selector }),
    service(`${app}-pods`, ['http:8080', 'grpc:8081', 'tcp:9000', 'any:8090', 'tcp-1:9500'], {
      selector,
      headless: true,
    }),
  ];
}

/** How that server takes connections. */
export function peerMode(app: string, mode: 'PERMISSIVE' | 'STRICT' | 'DISABLE'): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: app, namespace: 'default' },
    spec: { selector: { matchLabels: { app } }, mtls: { mode } },
  };
}
