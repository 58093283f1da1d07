import { isIP } from 'node:net';
import { err, ok, type Result } from '../kit/result.ts';

/** Everything, or what is listed (an empty list is nothing). */
export type Selection<T> = '*' | readonly T[];

/** Which of a pod's traffic goes through its Envoy. Every value is checked: it may reach iptables as it is. */
export type Capture = {
  readonly mode: 'REDIRECT' | 'TPROXY' | 'NONE';
  readonly includeInboundPorts: Selection<number>;
  /** Only where `includeInboundPorts` is `*`. Without Envoy's own ports, which are always left alone. */
  readonly excludeInboundPorts: readonly number[];
  readonly includeOutboundRanges: Selection<Cidr>;
  readonly excludeOutboundRanges: readonly Cidr[];
  readonly includeOutboundPorts: readonly number[];
  readonly excludeOutboundPorts: readonly number[];
  /** Interfaces of virtual machines inside the pod, whose inbound traffic is the machine's outbound. */
  readonly virtualInterfaces: readonly string[];
  readonly excludeInterfaces: readonly string[];
  /** Whether DNS queries go to Envoy's DNS filter. */
  readonly dns: boolean;
};

export type Cidr = { readonly family: 4 | 6; readonly text: string };

/** A value of an annotation that cannot be used, and why. */
export type AnnotationProblem = { readonly annotation: string; readonly value: string; readonly reason: string };

type Annotations = Readonly<Record<string, string>>;

const TRAFFIC = 'traffic.sidecar.istio.io/';
const MODE = 'sidecar.istio.io/interceptionMode';
const VIRTUAL_INTERFACES = ['istio.io/reroute-virtual-interfaces', `${TRAFFIC}kubevirtInterfaces`] as const;

/** What a person reads when injection refuses a pod for this. */
export function renderProblem(problem: AnnotationProblem): string {
  return `invalid value '${problem.value}' for annotation '${problem.annotation}': ${problem.reason}`;
}

/** Reads the capture annotations of a pod; all problems at once. */
export function parseCapture(
  annotations: Annotations,
  options: { readonly dns: boolean },
): Result<Capture, readonly AnnotationProblem[]> {
  const reader = new AnnotationReader(annotations);
  const statusPort = reader.read('status.sidecar.istio.io/port', parsePort);
  const excluded = reader.read(`${TRAFFIC}excludeInboundPorts`, listOf(parsePort)) ?? [];
  const capture: Capture = {
    mode: reader.read(MODE, parseMode) ?? 'REDIRECT',
    includeInboundPorts: reader.read(`${TRAFFIC}includeInboundPorts`, selectionOf(parsePort)) ?? '*',
    excludeInboundPorts: statusPort === undefined || statusPort === 0 ? excluded : [...excluded, statusPort],
    includeOutboundRanges: reader.read(`${TRAFFIC}includeOutboundIPRanges`, selectionOf(parseCidr)) ?? '*',
    excludeOutboundRanges: reader.read(`${TRAFFIC}excludeOutboundIPRanges`, listOf(parseCidr)) ?? [],
    includeOutboundPorts: reader.read(`${TRAFFIC}includeOutboundPorts`, listOf(parsePort)) ?? [],
    excludeOutboundPorts: reader.read(`${TRAFFIC}excludeOutboundPorts`, listOf(parsePort)) ?? [],
    virtualInterfaces: VIRTUAL_INTERFACES.flatMap((key) => reader.read(key, listOf(parseInterface)) ?? []),
    excludeInterfaces: reader.read(`${TRAFFIC}excludeInterfaces`, listOf(parseInterface)) ?? [],
    dns: options.dns,
  };
  return reader.problems.length === 0 ? ok(capture) : err(reader.problems);
}

type Parse<T> = (text: string) => Result<T, string>;

class AnnotationReader {
  readonly #annotations: Annotations;
  readonly problems: AnnotationProblem[] = [];

  constructor(annotations: Annotations) {
    this.#annotations = annotations;
  }

  read<T>(annotation: string, parse: Parse<T>): T | undefined {
    const value = this.#annotations[annotation];
    if (value === undefined) return undefined;
    const parsed = parse(value);
    if (parsed.ok) return parsed.value;
    this.problems.push({ annotation, value, reason: parsed.error });
    return undefined;
  }
}

function selectionOf<T>(parse: Parse<T>): Parse<Selection<T>> {
  const parseList = listOf(parse);
  return (text) => (text.trim() === '*' ? ok<Selection<T>>('*') : parseList(text));
}

/** Comma-separated; an empty text is an empty list. */
function listOf<T>(parse: Parse<T>): Parse<readonly T[]> {
  return (text) => {
    if (text.trim() === '') return ok([]);
    const items: T[] = [];
    for (const part of text.split(',')) {
      const item = parse(part.trim());
      if (!item.ok) return item;
      items.push(item.value);
    }
    return ok(items);
  };
}

function parseMode(text: string): Result<Capture['mode'], string> {
  if (text === 'REDIRECT' || text === 'TPROXY' || text === 'NONE') return ok(text);
  return err('must be REDIRECT, TPROXY or NONE');
}

function parsePort(text: string): Result<number, string> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? ok(port) : err(`'${text}' is not a port (0 to 65535)`);
}

function parseCidr(text: string): Result<Cidr, string> {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const family = isIP(address);
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (rest.length === 0 && family === 4 && bits <= 32) return ok({ family: 4, text });
  if (rest.length === 0 && family === 6 && !address.includes('%') && bits <= 128) return ok({ family: 6, text });
  return err(`'${text}' is not an IP range such as 10.0.0.0/8`);
}

/** What the kernel allows in an interface name, and iptables' trailing `+` for "begins with". */
function parseInterface(text: string): Result<string, string> {
  if (/^[A-Za-z0-9_.][A-Za-z0-9_.@:-]{0,13}[A-Za-z0-9_.@:+-]?$/.test(text)) return ok(text);
  return err(`'${text}' is not a network interface name`);
}
