import { z } from 'zod';
import { isCidr } from '../apis/address.ts';
import { parseConfigSource } from '../apis/mesh/config-source.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { LogLevel } from '../telemetry/pino-logger.ts';

/** The controllers that one process can run. Those of later issues join this list. */
export const CONTROLLERS = ['galley', 'pilot', 'citadel'] as const;
export type Controller = (typeof CONTROLLERS)[number];

export type Address = { readonly host: string; readonly port: number };

/** What a process needs to know, merged once from flags, environment and defaults. */
export type ProcessConfig = {
  /** A folder of YAML. With a Kubernetes API beside it, the folder has the say where both have an object. */
  readonly source: string | undefined;
  /** Whether the mesh is read from a Kubernetes API: that of the cluster it runs in, or of a kubeconfig. */
  readonly kubernetes: boolean;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Where Istio's configuration comes from instead: `xds://host:port`, `mcp://host:port` or `fs:///path`. */
  readonly configSources: readonly string[];
  /** A folder with the files of an identity (those of `istio.<account>`), by which `xds://` sources are called over mutual TLS. */
  readonly configSourceIdentity: string | undefined;
  /** The namespaces in whose Secrets gateways find certificates, `*` for all of the cluster; the root namespace if none is named. */
  readonly secretNamespaces: readonly string[];
  /** The namespace xebec runs in, which is the mesh's root namespace too. */
  readonly namespace: string;
  /** This replica among its kind; the pod's name in a cluster. */
  readonly replica: string | undefined;
  /** The Service whose endpoints are the replicas. */
  readonly service: string;
  /** A MeshConfig file that overrides the folder's own. */
  readonly meshConfig: string | undefined;
  readonly controllers: readonly Controller[];
  /** gRPC over TLS, with identities: xDS and certificate requests. */
  readonly xds: Address | undefined;
  /** Names and addresses by which callers find it, beside those of its Services. */
  readonly xdsNames: readonly string[];
  /** xDS for whoever asks, unproven; undefined when it is off. */
  readonly xdsPlaintext: Address | undefined;
  /** What tokens of callers must be meant for. */
  readonly tokenAudiences: readonly string[];
  /** Accounts, as `namespace/name`, that may ask for certificates of other accounts with a pod on their node. */
  readonly trustedNodeAccounts: readonly string[];
  /** Accounts, as `namespace/name`, that may read verified configuration over `xds`, beside those of the root namespace. */
  readonly configConsumers: readonly string[];
  /** Everything for people: health, metrics and debug pages, which tell all of the mesh. */
  readonly admin: Address;
  /** Only health and metrics, for probes and Prometheus. */
  readonly monitoring: Address | undefined;
  /** HTTPS for the API server's admission reviews. */
  readonly webhook: Address | undefined;
  /** A PEM pair for the webhook, watched; without it, and with a Kubernetes API, xebec makes its own. */
  readonly webhookCertFile: string | undefined;
  readonly webhookKeyFile: string | undefined;
  /** gRPC for consumers of verified configuration. */
  readonly mcp: Address | undefined;
  /** The signing certificate of the mesh in files, as the Secret `cacerts` has them; without it, Secrets are read. */
  readonly caCertsFolder: string | undefined;
  /** Roots of other meshes that this one trusts too: a PEM file, watched. */
  readonly rootCertFile: string | undefined;
  /** Authorities to trust beside the system's where keys of tokens are fetched, as PEM. */
  readonly jwksCa: string | undefined;
  /** Blocks that keys of tokens may be fetched from although they are not of the internet. */
  readonly jwksAllowedCidrs: readonly string[];
  readonly workloadCertTtlMs: number;
  readonly maxWorkloadCertTtlMs: number;
  /** Of a root that xebec makes. */
  readonly caCertTtlMs: number;
  /** How long everybody is told of a new root before it signs. */
  readonly rootAnnounceMs: number;
  /** Which share of its life a workload certificate has left when it is renewed, and how long that is at least. */
  readonly workloadCertGracePeriodRatio: number;
  readonly workloadCertMinGraceMs: number;
  /** Whether accounts get identities in namespaces whose labels do not say. */
  readonly citadelEnableNamespacesByDefault: boolean;
  /** The only namespaces whose accounts get identities; none means all. */
  readonly listenedNamespaces: readonly string[];
  readonly logLevel: LogLevel;
  /** The DNS suffix of the Kubernetes cluster. */
  readonly domain: string;
  readonly debounceAfterMs: number;
  readonly debounceMaxMs: number;
};

export type Flags = Readonly<Partial<Record<keyof ProcessConfig, string>>>;
type Environment = Readonly<Record<string, string | undefined>>;

const address = z.string().transform((text, context) => {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65535) {
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text)} is no address; write host:port, such as 127.0.0.1:15010`,
    });
    return z.NEVER;
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
});

const addressOrOff = z.preprocess((text) => (text === 'off' ? undefined : text), address.optional());

const milliseconds = z.string().transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text);
  if (match === null) {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no duration; write 100ms or 10s` });
    return z.NEVER;
  }
  return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
});

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Of certificates, which live for minutes to years. */
const lifetime = z.string().transform((text, context) => {
  const match = /^(\d+)(s|m|h|d)$/.exec(text);
  const ms = Number(match?.[1]) * (unitMs[match?.[2] ?? ''] ?? Number.NaN);
  if (!(ms > 0)) {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no lifetime; write 30m, 24h or 90d` });
    return z.NEVER;
  }
  return ms;
});

const share = z.string().transform((text, context) => {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 1) return number;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no share; write a number from 0 to 1` });
  return z.NEVER;
});

const controllers = z.string().transform((text, context) => {
  const names = text.split(',').map((name) => name.trim());
  const known: readonly string[] = CONTROLLERS;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    context.addIssue({
      code: 'custom',
      message: `unknown controller ${unknown.map((name) => JSON.stringify(name)).join(', ')}; there are ${CONTROLLERS.join(', ')}`,
    });
    return z.NEVER;
  }
  return CONTROLLERS.filter((name) => names.includes(name));
});

const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true');

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const namespaces = list.refine(
  (names) => names.every((each) => /^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/.test(each)),
  {
    error: 'lists something else than namespaces or *',
  },
);

const cidrs = list.refine((blocks) => blocks.every(isCidr), {
  error: 'has something that is no block of addresses; write 10.96.0.0/12',
});

const accounts = list.refine(
  (names) =>
    names.every((each) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(each)),
  { error: 'lists something else than accounts, such as istio-system/ztunnel' },
);

const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, { error: 'is no name of Kubernetes' });

const file = z.string().min(1, { error: 'names no file' }).optional();

const schema = z.object({
  source: z.string().min(1, { error: 'names no folder' }).optional(),
  kubernetes: flag.prefault('false'),
  kubeconfig: file,
  context: z.string().min(1, { error: 'names no context' }).optional(),
  configSources: list.prefault(''),
  configSourceIdentity: z.string().min(1, { error: 'names no folder' }).optional(),
  secretNamespaces: namespaces.prefault(''),
  namespace: name.prefault('istio-system'),
  replica: name.optional(),
  service: name.prefault('xebec'),
  meshConfig: file,
  controllers: controllers.prefault(CONTROLLERS.join(',')),
  xds: address.optional(),
  xdsNames: list.prefault(''),
  xdsPlaintext: addressOrOff.prefault('127.0.0.1:15010'),
  tokenAudiences: list.refine((names) => names.length > 0, { error: 'names no audience' }).prefault('istio-ca'),
  trustedNodeAccounts: accounts.prefault(''),
  configConsumers: accounts.prefault(''),
  admin: address.prefault('127.0.0.1:8080'),
  monitoring: address.optional(),
  webhook: address.optional(),
  webhookCertFile: file,
  webhookKeyFile: file,
  mcp: address.optional(),
  caCertsFolder: z.string().min(1, { error: 'names no folder' }).optional(),
  rootCertFile: file,
  jwksCa: file,
  jwksAllowedCidrs: cidrs.prefault(''),
  workloadCertTtlMs: lifetime.prefault('24h'),
  maxWorkloadCertTtlMs: lifetime.prefault('90d'),
  caCertTtlMs: lifetime.prefault('3650d'),
  rootAnnounceMs: lifetime.prefault('24h'),
  workloadCertGracePeriodRatio: share.prefault('0.5'),
  workloadCertMinGraceMs: lifetime.prefault('10m'),
  citadelEnableNamespacesByDefault: flag.prefault('true'),
  listenedNamespaces: list.prefault(''),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' })
    .prefault('info'),
  domain: z.string().min(1, { error: 'names no domain' }).prefault('cluster.local'),
  debounceAfterMs: milliseconds.prefault('100ms'),
  debounceMaxMs: milliseconds.prefault('10s'),
});

type Setting = { readonly flag: string; readonly variables: readonly string[] };

/** How a person says each setting. */
const settings: Readonly<Record<keyof ProcessConfig, Setting>> = {
  source: { flag: '--source', variables: ['XEBEC_SOURCE'] },
  kubernetes: { flag: '--kubernetes', variables: ['XEBEC_KUBERNETES'] },
  kubeconfig: { flag: '--kubeconfig', variables: ['XEBEC_KUBECONFIG', 'KUBECONFIG'] },
  context: { flag: '--context', variables: ['XEBEC_CONTEXT'] },
  configSources: { flag: '--config-source', variables: ['XEBEC_CONFIG_SOURCE'] },
  configSourceIdentity: { flag: '--config-source-identity', variables: ['XEBEC_CONFIG_SOURCE_IDENTITY'] },
  secretNamespaces: { flag: '--secret-namespaces', variables: ['XEBEC_SECRET_NAMESPACES'] },
  namespace: { flag: '--namespace', variables: ['XEBEC_NAMESPACE', 'POD_NAMESPACE'] },
  replica: { flag: '--replica', variables: ['XEBEC_REPLICA', 'POD_NAME'] },
  service: { flag: '--service', variables: ['XEBEC_SERVICE'] },
  meshConfig: { flag: '--mesh-config', variables: ['XEBEC_MESH_CONFIG'] },
  controllers: { flag: '--controllers', variables: ['XEBEC_CONTROLLERS'] },
  xds: { flag: '--xds', variables: ['XEBEC_XDS'] },
  xdsNames: { flag: '--xds-names', variables: ['XEBEC_XDS_NAMES'] },
  xdsPlaintext: { flag: '--xds-plaintext', variables: ['XEBEC_XDS_PLAINTEXT'] },
  tokenAudiences: { flag: '--token-audiences', variables: ['XEBEC_TOKEN_AUDIENCES', 'TOKEN_AUDIENCES'] },
  trustedNodeAccounts: {
    flag: '--ca-trusted-node-accounts',
    variables: ['XEBEC_CA_TRUSTED_NODE_ACCOUNTS', 'CA_TRUSTED_NODE_ACCOUNTS'],
  },
  configConsumers: { flag: '--config-consumers', variables: ['XEBEC_CONFIG_CONSUMERS'] },
  admin: { flag: '--admin', variables: ['XEBEC_ADMIN'] },
  monitoring: { flag: '--monitoring', variables: ['XEBEC_MONITORING'] },
  webhook: { flag: '--webhook', variables: ['XEBEC_WEBHOOK'] },
  webhookCertFile: { flag: '--webhook-cert-file', variables: ['XEBEC_WEBHOOK_CERT_FILE'] },
  webhookKeyFile: { flag: '--webhook-key-file', variables: ['XEBEC_WEBHOOK_KEY_FILE'] },
  mcp: { flag: '--mcp', variables: ['XEBEC_MCP'] },
  caCertsFolder: { flag: '--ca-certs-folder', variables: ['XEBEC_CA_CERTS_FOLDER'] },
  rootCertFile: { flag: '--root-cert-file', variables: ['XEBEC_ROOT_CERT_FILE'] },
  jwksCa: { flag: '--jwks-ca', variables: ['XEBEC_JWKS_CA'] },
  jwksAllowedCidrs: { flag: '--jwks-allowed-cidrs', variables: ['XEBEC_JWKS_ALLOWED_CIDRS'] },
  workloadCertTtlMs: {
    flag: '--workload-cert-ttl',
    variables: ['XEBEC_WORKLOAD_CERT_TTL', 'DEFAULT_WORKLOAD_CERT_TTL'],
  },
  maxWorkloadCertTtlMs: {
    flag: '--max-workload-cert-ttl',
    variables: ['XEBEC_MAX_WORKLOAD_CERT_TTL', 'MAX_WORKLOAD_CERT_TTL'],
  },
  caCertTtlMs: { flag: '--ca-cert-ttl', variables: ['XEBEC_CA_CERT_TTL', 'CITADEL_SELF_SIGNED_CA_CERT_TTL'] },
  rootAnnounceMs: { flag: '--root-announce', variables: ['XEBEC_ROOT_ANNOUNCE'] },
  workloadCertGracePeriodRatio: {
    flag: '--workload-cert-grace-period-ratio',
    variables: ['XEBEC_WORKLOAD_CERT_GRACE_PERIOD_RATIO'],
  },
  workloadCertMinGraceMs: {
    flag: '--workload-cert-min-grace-period',
    variables: ['XEBEC_WORKLOAD_CERT_MIN_GRACE_PERIOD', 'CITADEL_WORKLOAD_CERT_MIN_GRACE_PERIOD'],
  },
  citadelEnableNamespacesByDefault: {
    flag: '--citadel-enable-namespaces-by-default',
    variables: ['XEBEC_CITADEL_ENABLE_NAMESPACES_BY_DEFAULT', 'CITADEL_ENABLE_NAMESPACES_BY_DEFAULT'],
  },
  listenedNamespaces: { flag: '--listened-namespaces', variables: ['XEBEC_LISTENED_NAMESPACES'] },
  logLevel: { flag: '--log-level', variables: ['XEBEC_LOG_LEVEL'] },
  domain: { flag: '--domain', variables: ['XEBEC_DOMAIN'] },
  debounceAfterMs: { flag: '--debounce-after', variables: ['XEBEC_DEBOUNCE_AFTER', 'PILOT_DEBOUNCE_AFTER'] },
  debounceMaxMs: { flag: '--debounce-max', variables: ['XEBEC_DEBOUNCE_MAX', 'PILOT_DEBOUNCE_MAX'] },
};

/** Merges flags over environment over defaults. The error has one line per bad setting, in the words of whoever set it. */
export function parseProcessConfig(flags: Flags, environment: Environment): Result<ProcessConfig, string> {
  const given: Record<string, string> = {};
  const origin: Record<string, string> = {};
  for (const [key, { flag, variables }] of Object.entries(settings)) {
    const variable = variables.find((name) => environment[name] !== undefined && environment[name] !== '');
    const value = flags[key as keyof ProcessConfig] ?? (variable === undefined ? undefined : environment[variable]);
    origin[key] = flags[key as keyof ProcessConfig] === undefined && variable !== undefined ? variable : flag;
    if (value !== undefined) given[key] = value;
  }
  // Whoever has the port where callers prove who they are must ask for the other one.
  if (given['xds'] !== undefined) given['xdsPlaintext'] ??= 'off';
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    return err(parsed.error.issues.map((issue) => `${origin[String(issue.path[0])]}: ${issue.message}`).join('\n'));
  }
  const problem = contradiction(parsed.data);
  return problem === undefined ? ok({ ...absent, ...parsed.data }) : err(problem);
}

const absent = {
  configSourceIdentity: undefined,
  xds: undefined,
  source: undefined,
  kubeconfig: undefined,
  context: undefined,
  replica: undefined,
  meshConfig: undefined,
  monitoring: undefined,
  webhook: undefined,
  webhookCertFile: undefined,
  webhookKeyFile: undefined,
  mcp: undefined,
  caCertsFolder: undefined,
  rootCertFile: undefined,
  jwksCa: undefined,
};

/** What each setting alone does not show. */
function contradiction(config: z.infer<typeof schema>): string | undefined {
  if (config.source === undefined && !config.kubernetes && config.configSources.length === 0) {
    return '--source: is missing; give a folder of YAML to serve, or a cluster with --kubernetes';
  }
  const wrongSource = config.configSources.map(parseConfigSource).find(({ ok: isGood }) => !isGood);
  if (wrongSource?.ok === false) return `--config-source: ${wrongSource.error}`;
  if (config.configSources.includes('k8s://'))
    return '--config-source: k8s:// is what is read without this setting; leave it out, and give --kubernetes';
  if ((config.webhookCertFile === undefined) !== (config.webhookKeyFile === undefined)) {
    return '--webhook-cert-file and --webhook-key-file: give both or none';
  }
  if (config.webhook !== undefined && config.webhookCertFile === undefined && !config.kubernetes) {
    return '--webhook: needs a certificate; give --webhook-cert-file and --webhook-key-file';
  }
  return identityContradiction(config);
}

function identityContradiction(config: z.infer<typeof schema>): string | undefined {
  const hasAuthority = config.kubernetes || config.caCertsFolder !== undefined;
  if (config.xds !== undefined && !config.controllers.includes('citadel') && !hasAuthority) {
    return '--xds: needs a certificate of the mesh; run the controller citadel too, or give --kubernetes or --ca-certs-folder';
  }
  const { workloadCertTtlMs, maxWorkloadCertTtlMs, caCertTtlMs } = config;
  if (workloadCertTtlMs > maxWorkloadCertTtlMs) return '--workload-cert-ttl: is longer than --max-workload-cert-ttl';
  if (workloadCertTtlMs > caCertTtlMs) return '--workload-cert-ttl: is longer than --ca-cert-ttl';
  return undefined;
}
