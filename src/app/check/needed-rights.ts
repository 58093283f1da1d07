import { type Collection, collections } from '../../apis/collections.ts';
import { secretNamespacesOf } from '../sources.ts';
import type { CheckInputs } from './check.ts';

/** What xebec's account must be allowed, and what it is for. */
export type NeededRight = {
  readonly purpose: string;
  readonly group: string;
  readonly plural: string;
  readonly subresource?: 'status';
  /** Of one object alone. */
  readonly name?: string;
  /** Where; everywhere if nothing is said. */
  readonly namespace?: string;
  readonly verbs: readonly string[];
};

const istioKinds: readonly Collection[] = Object.values(collections).filter(({ source }) => source === 'istio');
const read = ['list', 'watch'];

type Settings = Pick<CheckInputs, 'config' | 'hasWebhook' | 'hasXds'>;

/** Everything that a xebec of these settings asks of the API server. The chart grants this, and nothing else. */
export function neededRights(settings: Settings): readonly NeededRight[] {
  const { config, hasWebhook } = settings;
  const readsIstio = config.configSources.length === 0;
  const runsGalley = config.controllers.includes('galley');
  const runsCitadel = config.controllers.includes('citadel');
  return [
    ...forMesh(config.namespace),
    ...forGateways(settings),
    ...(readsIstio ? forConfiguration() : []),
    ...(runsGalley || runsCitadel ? forElection(settings) : []),
    ...(runsGalley && readsIstio ? forStatus() : []),
    ...(runsCitadel || (runsGalley && readsIstio) ? [events] : []),
    ...(runsGalley && hasWebhook ? forWebhook(settings) : []),
    ...(runsCitadel ? [...forAuthority(settings), ...forIdentities(settings)] : []),
    ...forCallers(settings),
  ];
}

const events: NeededRight = {
  purpose: 'tells of objects in Events',
  group: 'events.k8s.io',
  plural: 'events',
  verbs: ['create', 'patch'],
};

const tokenReviews: NeededRight = {
  purpose: 'learns who calls',
  group: 'authentication.k8s.io',
  plural: 'tokenreviews',
  verbs: ['create'],
};

function forMesh(namespace: string): readonly NeededRight[] {
  const purpose = 'reads the mesh';
  return [
    ...['namespaces', 'nodes', 'pods', 'services'].map((plural) => ({ purpose, group: '', plural, verbs: read })),
    { purpose, group: 'discovery.k8s.io', plural: 'endpointslices', verbs: read },
    { purpose, group: '', plural: 'configmaps', name: 'istio', namespace, verbs: ['get', ...read] },
  ];
}

function forGateways({ config }: Settings): readonly NeededRight[] {
  const right = { purpose: 'reads the certificates of gateways', group: '', plural: 'secrets', verbs: read };
  const namespaces = secretNamespacesOf(config);
  return namespaces.includes('*') ? [right] : namespaces.map((namespace) => ({ ...right, namespace }));
}

function forConfiguration(): readonly NeededRight[] {
  const purpose = 'reads Istio’s configuration';
  return [
    { purpose, group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions', verbs: ['get', ...read] },
    ...istioKinds.map(({ group, plural }) => ({ purpose, group, plural, verbs: read })),
  ];
}

function forElection({ config }: Settings): readonly NeededRight[] {
  const { namespace, service } = config;
  const right = { purpose: 'elects a leader', group: 'coordination.k8s.io', plural: 'leases', namespace };
  return [
    { ...right, name: `${service}-leader`, verbs: ['get', 'update'] },
    { ...right, verbs: ['create'] },
  ];
}

function forStatus(): readonly NeededRight[] {
  const purpose = 'writes what became of each object';
  return istioKinds.map(({ group, plural }): NeededRight => {
    return { purpose, group, plural, subresource: 'status', verbs: ['patch'] };
  });
}

function forWebhook({ config }: Settings): readonly NeededRight[] {
  const { namespace, service } = config;
  const purpose = 'keeps the webhook’s certificate';
  const configurations = { purpose, group: 'admissionregistration.k8s.io', plural: 'validatingwebhookconfigurations' };
  const secrets = { purpose, group: '', plural: 'secrets', namespace };
  return [
    { ...configurations, verbs: read },
    { ...configurations, name: `${service}-${namespace}`, verbs: ['patch'] },
    { ...secrets, name: 'xebec-webhook-tls', verbs: ['get', 'update'] },
    { ...secrets, verbs: ['create'] },
  ];
}

function forAuthority({ config }: Settings): readonly NeededRight[] {
  const { namespace } = config;
  const secrets = { purpose: 'keeps what signs identities', group: '', plural: 'secrets', namespace };
  const configMaps = { purpose: 'tells the roots of the mesh', group: '', plural: 'configmaps', namespace };
  return [
    { ...secrets, name: 'istio-ca-secret', verbs: ['get', ...read, 'update'] },
    { ...secrets, name: 'cacerts', verbs: ['get', ...read] },
    { ...secrets, verbs: ['create'] },
    { ...configMaps, name: 'istio-security', verbs: [...read, 'patch', 'delete'] },
    { ...configMaps, name: 'istio-ca-root-cert', verbs: ['get', ...read, 'patch', 'delete'] },
    { ...configMaps, verbs: ['create'] },
  ];
}

/** What it takes to serve over TLS. Who does not run citadel reads what somebody else keeps. */
function forCallers({ config, hasXds }: Settings): readonly NeededRight[] {
  if (!hasXds) return [];
  if (config.controllers.includes('citadel')) return [tokenReviews];
  const right = { purpose: 'reads what signs identities', group: '', namespace: config.namespace };
  return [
    tokenReviews,
    { ...right, plural: 'secrets', name: 'istio-ca-secret', verbs: ['get', ...read] },
    { ...right, plural: 'secrets', name: 'cacerts', verbs: ['get', ...read] },
    { ...right, plural: 'configmaps', name: 'istio-ca-root-cert', verbs: ['get'] },
  ];
}

/** Everywhere, or in the namespaces that were named. */
function forIdentities({ config }: Settings): readonly NeededRight[] {
  const { listenedNamespaces } = config;
  const places = listenedNamespaces.length === 0 ? [{}] : listenedNamespaces.map((namespace) => ({ namespace }));
  const purpose = 'gives accounts their identities';
  const roots = { purpose: 'tells the roots of the mesh', group: '', plural: 'configmaps' };
  return places.flatMap((place): readonly NeededRight[] => [
    { purpose, group: '', plural: 'serviceaccounts', verbs: ['get', ...read], ...place },
    { purpose, group: '', plural: 'secrets', verbs: ['get', ...read, 'create', 'update', 'delete'], ...place },
    { ...roots, name: 'istio-ca-root-cert', verbs: [...read, 'patch', 'delete'], ...place },
    { ...roots, verbs: ['create'], ...place },
  ]);
}
