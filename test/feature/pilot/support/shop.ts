import { gateway, httpPort, type Manifest, pod, service, slice, subsets, tcpPort, weighted } from './manifests.ts';
import { node } from './process.ts';

/** Two namespaces that know each other: a shop with two versions of its reviews, and a bank. */
export const shop: readonly Manifest[] = [
  service('shop/reviews', [httpPort]),
  slice('shop/reviews', [
    { address: '10.1.0.11', pod: 'reviews-v1' },
    { address: '10.1.0.12', pod: 'reviews-v2' },
  ]),
  pod('shop/reviews-v1', '10.1.0.11', { app: 'reviews', version: 'v1' }),
  pod('shop/reviews-v2', '10.1.0.12', { app: 'reviews', version: 'v2' }),
  service('shop/db', [tcpPort]),
  slice('shop/db', ['10.1.0.21'], [tcpPort]),
  pod('shop/db', '10.1.0.21', { app: 'db' }),
  pod('shop/client', '10.1.0.31', { app: 'client' }),
  service('bank/ledger', [httpPort]),
  slice('bank/ledger', ['10.1.1.11']),
  pod('bank/ledger', '10.1.1.11', { app: 'ledger' }),
  pod('bank/client', '10.1.1.31', { app: 'client' }),
];

/** An ingress gateway that leads one host to the reviews. */
export const ingress: readonly Manifest[] = [
  service('istio-system/ingress', [{ name: 'http2', port: 80, targetPort: 8080 }]),
  pod('istio-system/ingress', '10.1.9.1', { app: 'ingress' }),
  gateway('shop/front', {
    selector: { app: 'ingress' },
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['shop.example.com'] }],
  }),
];

export const toReviews = (shares: Readonly<Record<string, number>>): Manifest =>
  weighted('shop/reviews', 'reviews.shop.svc.cluster.local', shares);

export const reviewSubsets = (...versions: readonly string[]): Manifest => subsets('shop/reviews', 'reviews', versions);

export const shopClient = node('shop/client', '10.1.0.31', { labels: { app: 'client' } });
export const bankClient = node('bank/client', '10.1.1.31', { labels: { app: 'client' } });
export const reviewsPod = node('shop/reviews-v1', '10.1.0.11', { labels: { app: 'reviews', version: 'v1' } });
export const ingressPod = node('istio-system/ingress', '10.1.9.1', { type: 'router', labels: { app: 'ingress' } });

export const REVIEWS = 'reviews.shop.svc.cluster.local';
