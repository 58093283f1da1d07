import { createHash } from 'node:crypto';
import type { Issue } from '../../apis/issue.ts';
import type { DeploymentSpec } from '../../apis/kubernetes/deployment.ts';
import type { Container } from '../../apis/kubernetes/pod.ts';
import { type Capture, parseCapture, renderProblem } from '../../injector/capture.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import { parseSpiffeId, spiffeId } from '../../model/identity.ts';
import type { ObjectMeta } from '../../model/object.ts';

/** One container as a process of the host. */
export type ContainerPlan = {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** TCP ports that must be listened on before the pod is ready. */
  readonly ports: readonly number[];
};

/** `sidecar`: Envoy beside containers; `router`: Envoy alone; `none`: containers alone. */
export type PodKind = 'sidecar' | 'router' | 'none';

/** One pod that should run. Plans that are equal have the same name. */
export type PodPlan = {
  readonly name: string;
  readonly namespace: string;
  readonly deployment: string;
  /** Says which template the pod comes from, as Kubernetes' label of the same purpose. */
  readonly templateHash: string;
  readonly kind: PodKind;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly nodeName: string;
  readonly containers: readonly ContainerPlan[];
  readonly containerPorts: readonly {
    readonly name: string;
    readonly containerPort: number;
    readonly protocol: string;
  }[];
  readonly capture: Capture;
};

export type DeploymentInput = { readonly meta: ObjectMeta; readonly spec: DeploymentSpec };

export const COMMAND_ANNOTATION = 'local.xebec.dev/command';
const INJECT = 'sidecar.istio.io/inject';
const MODE = 'sidecar.istio.io/interceptionMode';
const TLS_MODE = 'security.istio.io/tlsMode';
const TEMPLATES = 'inject.istio.io/templates';
const MOST_REPLICAS = 50;

type Template = DeploymentSpec['template'];

/** The pods of a Deployment, or why it cannot have any here. */
export function planPods({ meta, spec }: DeploymentInput): Result<readonly PodPlan[], readonly Issue[]> {
  const { template } = spec;
  const kind = kindOf(template);
  const issues: Issue[] = [];
  const containers = kind === 'router' ? [] : planContainers(template, issues);
  const capture = parseCapture(template.annotations, { dns: true });
  if (!capture.ok) {
    for (const problem of capture.error) issues.push(annotationIssue(problem.annotation, renderProblem(problem)));
  }
  if (capture.ok && kind === 'sidecar' && capture.value.mode === 'TPROXY') {
    issues.push(annotationIssue(MODE, 'local mode captures by REDIRECT only; its Envoys are not allowed TPROXY'));
  }
  if (spec.replicas > MOST_REPLICAS) {
    issues.push(
      issueAt(['spec', 'replicas'], `local mode runs ${MOST_REPLICAS} replicas at most, not ${spec.replicas}`),
    );
  }
  const { serviceAccountName } = template.spec;
  if (!isAccount(serviceAccountName)) {
    const path = ['spec', 'template', 'spec', 'serviceAccountName'];
    issues.push(
      issueAt(path, `${JSON.stringify(serviceAccountName)} is no name of a service account, such as reviews`),
    );
  }
  if (issues.length > 0 || !capture.ok) return err(issues);
  const templateHash = hashOf(template);
  return ok(
    Array.from({ length: Math.max(0, Math.floor(spec.replicas)) }, (_, index) => ({
      name: `${meta.name}-${templateHash}-${index}`,
      namespace: meta.namespace,
      deployment: meta.name,
      templateHash,
      kind,
      labels: labelsOf(template, { templateHash, kind, capture: capture.value }),
      annotations: template.annotations,
      serviceAccount: template.spec.serviceAccountName,
      nodeName: template.spec.nodeName === '' ? 'local' : template.spec.nodeName,
      containers,
      containerPorts: portsOf(template),
      capture: kind === 'sidecar' ? capture.value : { ...capture.value, mode: 'NONE' },
    })),
  );
}

/** Whether it can be part of an identity. */
function isAccount(serviceAccount: string): boolean {
  const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount };
  return parseSpiffeId(spiffeId(identity)) !== undefined;
}

function kindOf({ labels, annotations }: Template): PodKind {
  const templates = (annotations[TEMPLATES] ?? '').split(',').map((name) => name.trim());
  if (templates.includes('gateway')) return 'router';
  return (labels[INJECT] ?? annotations[INJECT]) === 'false' ? 'none' : 'sidecar';
}

/** What the injector adds to a pod's labels: whose inbound connections Envoy takes can be spoken to by mutual TLS. */
function labelsOf({ labels }: Template, added: Pick<PodPlan, 'templateHash' | 'kind'> & { readonly capture: Capture }) {
  const takesTls = added.kind === 'sidecar' && added.capture.mode === 'REDIRECT';
  return {
    ...(takesTls ? { [TLS_MODE]: 'istio' } : {}),
    ...labels,
    'pod-template-hash': added.templateHash,
  };
}

function portsOf({ spec }: Template): PodPlan['containerPorts'] {
  return spec.containers.flatMap((container) =>
    container.ports.map(({ name, containerPort, protocol }) => ({ name, containerPort, protocol })),
  );
}

function planContainers(template: Template, issues: Issue[]): readonly ContainerPlan[] {
  const plans: ContainerPlan[] = [];
  template.spec.containers.forEach((container, index) => {
    const annotation = index === 0 ? COMMAND_ANNOTATION : `${COMMAND_ANNOTATION}.${container.name}`;
    const command = parseCommand(template.annotations[annotation]);
    if (command.ok) plans.push(planContainer(container, command.value));
    else issues.push(annotationIssue(annotation, `container ${container.name} does not run: ${command.error}`));
  });
  return plans;
}

function planContainer(container: Container, command: ContainerPlan['command']): ContainerPlan {
  return {
    name: container.name,
    command,
    env: Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? ''])),
    ports: container.ports.filter(({ protocol }) => protocol === 'TCP').map(({ containerPort }) => containerPort),
  };
}

function parseCommand(text: string | undefined): Result<ContainerPlan['command'], string> {
  if (text === undefined)
    return err('say with this annotation which command of this host stands for it, such as ["node", "server.ts"]');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!Array.isArray(parsed)) return err(`${JSON.stringify(text)} is not a JSON list such as ["node", "server.ts"]`);
  const words: string[] = parsed.filter((word) => typeof word === 'string');
  const [program, ...args] = words;
  if (words.length !== parsed.length || program === undefined || program === '') {
    return err('the list must hold the program and its arguments, all texts');
  }
  if (words.some((word) => word.includes('\0'))) return err('a command cannot hold the character NUL');
  return ok([program, ...args]);
}

function annotationIssue(annotation: string, message: string): Issue {
  return issueAt(['spec', 'template', 'metadata', 'annotations', annotation], message);
}

function issueAt(path: Issue['path'], message: string): Issue {
  return { code: 'XEB0901', level: 'warning', path, message };
}

function hashOf(template: Template): string {
  return createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 8);
}
