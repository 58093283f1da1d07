import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kit/clock.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { KubeApi } from './api.ts';
import { KubeClient } from './client.ts';
import { type CredentialSource, Credentials, ServiceAccountSource } from './credentials.ts';
import { wordsOf } from './errors.ts';
import { defaultLimits, type TransportLimits } from './transport-limits.ts';

/** Where the API server is, and who we are there. */
export type KubeAccess =
  | {
      readonly kind: 'in-cluster';
      /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
      readonly host: string | undefined;
      readonly port: string | undefined;
      /** Where the files of the service account are; the kubelet’s place if it is not told. */
      readonly directory?: string;
    }
  | {
      readonly kind: 'kubeconfig';
      /** One file, or several as KUBECONFIG has them. */
      readonly path: string;
      /** The current context if it is not told. */
      readonly context?: string | undefined;
    };

export type ConnectOptions = {
  readonly access: KubeAccess;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Stands in the audit log, and as the manager of fields that are written without an apply. */
  readonly userAgent: string;
  readonly limits?: Partial<TransportLimits>;
};

export type KubeConnection = KubeApi & {
  /** Ends every call and watch. */
  close(): Promise<void>;
  readonly server: string;
  /** The namespace of the pod, or of the context; `undefined` if there is none. */
  readonly namespace: string | undefined;
};

/** Where somebody is, as one kind of access found out. */
export type Found = {
  readonly server: string;
  readonly namespace: string | undefined;
  readonly source: CredentialSource;
};

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Reads what is needed to talk to the API server. It does not talk yet: a server that is away is met by the first call. */
export async function connectKubeApi(options: ConnectOptions): Promise<Result<KubeConnection, string>> {
  const found = await find(options.access);
  if (!found.ok) return found;
  const { server, namespace, source } = found.value;
  const { clock, log, metrics, userAgent } = options;
  const credentials = new Credentials(source, clock, log);
  try {
    await credentials.current();
  } catch (error) {
    return err(unreadable(wordsOf(error), options.access));
  }
  const limits = { ...defaultLimits, ...options.limits };
  // Its package costs 29 MB: who reads a folder does not pay.
  const { Transport } = await import('./transport.ts');
  const transport = new Transport({ server, credentials, clock, log, userAgent, limits });
  const client = new KubeClient(transport, metrics);
  return ok(Object.assign(client, { close: () => transport.close(), server, namespace }));
}

async function find(wanted: KubeAccess): Promise<Result<Found, string>> {
  switch (wanted.kind) {
    case 'in-cluster':
      return await findInCluster(wanted);
    case 'kubeconfig': {
      // Its package costs half a second and 88 MB: only who has a kubeconfig pays. The image does without.
      const reader = await import('./kubeconfig.ts').catch(missingPackage);
      if (reader !== undefined) return await reader.findByKubeconfig(wanted);
      return err(
        'cannot connect to the Kubernetes API: this is xebec’s image, which knows no kubeconfigs; run xebec in a pod, or from a checkout',
      );
    }
  }
}

/** Nothing where the package is not installed; anything else is a fault. */
function missingPackage(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
  throw error;
}

async function findInCluster(wanted: KubeAccess & { readonly kind: 'in-cluster' }): Promise<Result<Found, string>> {
  const { host, port, directory = SERVICE_ACCOUNT } = wanted;
  if (host === undefined || host === '' || port === undefined || port === '')
    return err(
      'cannot connect to the Kubernetes API: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is no pod; name a kubeconfig',
    );
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(server))
    return err(
      `cannot connect to the Kubernetes API: ${server} is no address; correct KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT`,
    );
  return ok({
    server,
    namespace: await readIfThere(join(directory, 'namespace')),
    source: new ServiceAccountSource(directory),
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    await access(path);
    const text = (await readFile(path, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function unreadable(reason: string, wanted: KubeAccess): string {
  const remedy =
    wanted.kind === 'in-cluster'
      ? 'give the pod its service account (automountServiceAccountToken: true), or name a kubeconfig'
      : `check the user and the certificates of ${wanted.path}`;
  return `cannot connect to the Kubernetes API: the credentials cannot be read (${reason}); ${remedy}`;
}
