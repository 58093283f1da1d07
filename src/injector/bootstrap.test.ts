import { describe, expect, test } from 'vitest';
import { type BootstrapInputs, renderBootstrap } from './bootstrap.ts';

const sidecar: BootstrapInputs = {
  kind: 'sidecar',
  name: 'reviews-v1-7d4-0',
  namespace: 'shop',
  addresses: ['10.244.0.5'],
  domain: 'cluster.local',
  labels: { app: 'reviews', version: 'v1' },
  serviceAccount: 'bookinfo-reviews',
  workloadName: 'reviews-v1',
  clusterId: 'Kubernetes',
  network: '',
  locality: undefined,
  interception: 'REDIRECT',
  dnsCapture: false,
  podPorts: [{ name: 'http', containerPort: 9080, protocol: 'TCP' }],
  nodeName: '',
  version: '1.2.3',
  discovery: { host: 'istiod.istio-system.svc', port: 15010, security: { kind: 'plaintext' } },
  stats: { kind: 'matching', prefixes: ['http.inbound'], suffixes: [], regexes: [] },
  adminSocket: undefined,
  overload: undefined,
};

describe('bootstrap', () => {
  test('the node says who the pod is, as Istio’s does', () => {
    expect(renderBootstrap(sidecar)['node']).toEqual({
      id: 'sidecar~10.244.0.5~reviews-v1-7d4-0.shop~shop.svc.cluster.local',
      cluster: 'reviews.shop',
      metadata: {
        NAME: 'reviews-v1-7d4-0',
        NAMESPACE: 'shop',
        INSTANCE_IPS: '10.244.0.5',
        LABELS: { app: 'reviews', version: 'v1' },
        SERVICE_ACCOUNT: 'bookinfo-reviews',
        WORKLOAD_NAME: 'reviews-v1',
        CLUSTER_ID: 'Kubernetes',
        ISTIO_VERSION: '1.2.3',
        INTERCEPTION_MODE: 'REDIRECT',
        POD_PORTS: '[{"name":"http","containerPort":9080,"protocol":"TCP"}]',
      },
    });
  });

  test('locality, network, node and DNS capture appear when they are known', () => {
    const node = renderBootstrap({
      ...sidecar,
      kind: 'router',
      locality: { region: 'eu', zone: 'eu-1', subzone: 'rack' },
      network: 'net-1',
      nodeName: 'worker',
      dnsCapture: true,
    })['node'];
    expect(node).toMatchObject({
      id: 'router~10.244.0.5~reviews-v1-7d4-0.shop~shop.svc.cluster.local',
      locality: { region: 'eu', zone: 'eu-1', sub_zone: 'rack' },
      metadata: { NETWORK: 'net-1', NODE_NAME: 'worker', DNS_CAPTURE: 'true' },
    });
  });

  test('everything dynamic comes by delta ADS, and Envoy waits for it', () => {
    expect(renderBootstrap(sidecar)['dynamic_resources']).toEqual({
      lds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
      cds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
    });
  });

  test('the control plane is dialled by name or by address, in clear or with the identity files', () => {
    const clusterFor = (discovery: BootstrapInputs['discovery']): unknown =>
      renderBootstrap({ ...sidecar, discovery })['static_resources'];
    expect(clusterFor(sidecar.discovery)).toMatchObject({ clusters: [{}, { name: 'xds-grpc', type: 'STRICT_DNS' }] });
    const secured = clusterFor({
      host: '10.0.0.1',
      port: 15012,
      security: { kind: 'mutual-tls', folder: '/etc/certs', serverNames: ['istiod.istio-system.svc'] },
    });
    expect(secured).toMatchObject({
      clusters: [{}, { type: 'STATIC', transport_socket: { typed_config: { sni: 'istiod.istio-system.svc' } } }],
    });
    expect(JSON.stringify(secured)).toContain('"watched_directory":{"path":"/etc/certs"}');
  });

  test('readiness and metrics are the only paths open to others; an admin socket on request', () => {
    const listeners = (inputs: BootstrapInputs): string => JSON.stringify(renderBootstrap(inputs)['static_resources']);
    expect(listeners(sidecar)).toContain('"path":"/healthz/ready"');
    expect(listeners(sidecar)).toContain('"path":"/stats/prometheus"');
    expect(listeners(sidecar)).not.toContain('"pipe"');
    expect(listeners({ ...sidecar, adminSocket: '/run/x/admin.sock' })).toContain(
      '"pipe":{"path":"/run/x/admin.sock"}',
    );
  });

  test('a gateway’s limits become Envoy’s overload actions', () => {
    const text = JSON.stringify(
      renderBootstrap({ ...sidecar, overload: { maxHeapBytes: 1_000_000, maxConnections: 50 } })['overload_manager'],
    );
    expect(text).toContain('"max_active_downstream_connections":50');
    expect(text).toContain('"max_heap_size_bytes":1000000');
  });
});
