import { join } from 'node:path';

/** Any Kubernetes or Istio object; JSON is YAML too. */
export type Manifest = Readonly<Record<string, unknown>>;

/** The folders of one mesh: sockets of clients and request logs, certificates of servers, and one that Envoys may write to. */
export type MeshFolders = { readonly sockets: string; readonly certificates: string; readonly logs: string };

export type Workload = (folders: MeshFolders) => Manifest;

type WorkloadOptions = {
  readonly namespace?: string;
  /** The Deployment's name by default. */
  readonly account?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly replicas?: number;
  /** More arguments for the program. */
  readonly args?: readonly string[];
};

const APPS = join(import.meta.dirname, 'apps');
const COMMAND = 'local.xebec.dev/command';

/**
 * A Deployment of the echo server, `NAME-VERSION` by default, labelled `app` and `version`. Ports are `KIND:PORT`, as echo.ts reads
 * them.
 */
export function echo(app: string, version: string, ports: readonly string[], options: WorkloadOptions = {}): Workload {
  return ({ sockets, certificates }) => {
    const args = ['--app', app, '--version', version, '--certs', certificates, '--log', sockets];
    return deployment({
      ...options,
      name: `${app}-${version}`,
      labels: { app, version, ...options.labels },
      command: ['node', join(APPS, 'echo.ts'), ...args, ...(options.args ?? []), ...ports],
      ports: ports.map((port) => Number(port.split(':')[1])),
    });
  };
}

/** A Deployment whose pod makes calls when it is told to. */
export function client(name: string, options: WorkloadOptions = {}): Workload {
  return ({ sockets }) =>
    deployment({
      ...options,
      name,
      labels: { app: name, ...options.labels },
      command: ['node', join(APPS, 'client.ts'), sockets],
      ports: [],
    });
}

/** A server or client without Envoy: the world outside the mesh. */
export const outside: WorkloadOptions = { annotations: { 'sidecar.istio.io/inject': 'false' } };

/** An ingress gateway: its Service's ports are `NAME:PORT>TARGET`. */
export function gateway(name: string, ports: readonly string[]): readonly (Manifest | Workload)[] {
  const labels = { istio: name };
  const listened = ports.map((text) => Number(/(\d+)$/.exec(text)?.[1]));
  return [
    service(name, ports, { namespace: 'istio-system', selector: labels }),
    () =>
      deployment({
        namespace: 'istio-system',
        name,
        labels,
        annotations: { 'inject.istio.io/templates': 'gateway' },
        command: undefined,
        ports: listened,
      }),
  ];
}

type ServiceOptions = {
  readonly namespace?: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly headless?: boolean;
  readonly appProtocol?: string;
};

/** A Service; ports are `NAME:PORT` or `NAME:PORT>TARGET`, and without a name `:PORT`. */
export function service(name: string, ports: readonly string[], options: ServiceOptions): Manifest {
  const { namespace = 'default', selector, headless, appProtocol } = options;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      ...(headless === true ? { clusterIP: 'None' } : {}),
      selector,
      ports: ports.map((text) => {
        const [, portName = '', port = '', target = port] = /^([a-z0-9-]*):(\d+)(?:>(\d+))?$/.exec(text) ?? [];
        return {
          ...(portName === '' ? {} : { name: portName }),
          ...(appProtocol === undefined ? {} : { appProtocol }),
          port: Number(port),
          targetPort: Number(target),
        };
      }),
    },
  };
}

type DeploymentInputs = WorkloadOptions & {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[] | undefined;
  readonly ports: readonly number[];
};

function deployment(inputs: DeploymentInputs): Manifest {
  const { name, namespace = 'default', labels, command, ports, replicas = 1, annotations = {} } = inputs;
  const { account = name } = inputs;
  const commandLine = command === undefined ? {} : { [COMMAND]: JSON.stringify(command) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { ...annotations, ...commandLine } },
        spec: {
          serviceAccountName: account,
          containers: [{ name: 'app', image: 'test', ports: ports.map((containerPort) => ({ containerPort })) }],
        },
      },
    },
  };
}
