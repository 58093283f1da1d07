export type Manifest = Readonly<Record<string, unknown>>;

/** A namespace with one service. */
export function makeMesh(): readonly Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop', namespace: 'default', labels: { app: 'shop' } },
      spec: {
        clusterIP: '10.96.0.10',
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
        selector: { app: 'shop' },
      },
    },
  ];
}

export function makeVirtualService(
  name: string,
  timeout = '1s',
  labels: Readonly<Record<string, string>> = {},
): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'default', labels },
    spec: { hosts: [`${name}.example.com`], http: [{ timeout, route: [{ destination: { host: 'shop' } }] }] },
  };
}

export function makeDestinationRule(name: string): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace: 'default' },
    spec: { host: `${name}.example.com`, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
  };
}
