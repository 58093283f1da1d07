import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderData } from '../app/render-data.ts';
import { renderTable } from '../kit/table.ts';
import { parseSpiffeId } from '../model/identity.ts';
import { describeDiagnostic } from '../model/render-diagnostic.ts';
import { type Complaints, readComplaints } from './admin-pages.ts';
import { isDiskFull } from './disk-trouble.ts';
import type { LocalIo } from './local-io.ts';
import type { PodReport } from './mesh/pod-runner.ts';
import { type MeshReport, readMeshReport } from './mesh-report.ts';
import type { LocalOptions } from './options.ts';
import { renderProblems } from './problems.ts';
import { publishedUrl } from './publish.ts';
import { findRunning, readSupervisor, type Supervisor, startLogOf } from './state.ts';

/** How the mesh of a folder is. Exit code 0 when it runs and every pod is ready, 1 when not every one is, 3 when it does not run. */
export async function localStatus(options: LocalOptions, io: LocalIo): Promise<number> {
  const supervisor = await findRunning(options.stateFolder);
  if (supervisor !== undefined) {
    const standing = await readStanding(options, supervisor, io);
    io.out(options.output === 'table' ? renderStatus(standing) : renderData(describe(standing), options.output));
    return standing.report?.ready === true ? 0 : 1;
  }
  io.out(
    options.output === 'table'
      ? `no mesh of ${options.root} runs${await whyNot(options)}\n`
      : renderData(describeNone(options), options.output),
  );
  return 3;
}

/** All there is to tell of a mesh that runs. */
export type Standing = {
  readonly options: LocalOptions;
  readonly supervisor: Supervisor;
  readonly report: MeshReport | undefined;
  /** Undefined while the control plane does not answer. */
  readonly complaints: Complaints | undefined;
  /** Then what is told may be old, and pods cannot start. */
  readonly isDiskFull: boolean;
  readonly now: number;
  readonly cwd: string;
};

export async function readStanding(options: LocalOptions, supervisor: Supervisor, io: LocalIo): Promise<Standing> {
  const { stateFolder } = options;
  const [report, complaints, isFull] = await Promise.all([
    readMeshReport(stateFolder),
    readComplaints(stateFolder),
    isDiskFull(stateFolder),
  ]);
  return { options, supervisor, report, complaints, isDiskFull: isFull, now: io.clock.now(), cwd: io.cwd };
}

async function whyNot({ stateFolder }: LocalOptions): Promise<string> {
  if ((await readSupervisor(stateFolder)) !== undefined) return '; it was killed, and `xebec local down` cleans up';
  const said = await readFile(startLogOf(stateFolder), 'utf8').catch(() => '');
  const last = said.trim().split('\n').at(-1) ?? '';
  return last === '' ? '' : `; the last one ended with: ${last}`;
}

const heading = { apiVersion: 'xebec.dev/v1', kind: 'LocalStatus' } as const;

function describe({ options, supervisor, report, complaints }: Standing): unknown {
  return {
    ...heading,
    folder: supervisor.folder,
    running: true,
    ready: report?.ready ?? false,
    pods: (report?.pods ?? []).map(describePod),
    problems: (complaints?.diagnostics ?? []).map(describeDiagnostic),
    refused: complaints?.refusals ?? [],
    ...(complaints?.authority === undefined ? {} : { authority: complaints.authority }),
    published: supervisor.publish.map(({ hostPort, servicePort }) => ({
      url: publishedUrl({ hostPort, servicePort }),
      hostPort,
      servicePort,
    })),
    admin: `http://127.0.0.1:${supervisor.adminPort}`,
    logs: join(options.stateFolder, 'logs'),
  };
}

function describePod({ identity, ...pod }: PodReport): unknown {
  if (identity === undefined) return pod;
  const { spiffeId, notAfter } = identity;
  return { ...pod, identity: { spiffeId, notAfter: new Date(notAfter).toISOString() } };
}

function describeNone({ folder }: LocalOptions): unknown {
  return { ...heading, folder, running: false, ready: false, pods: [], problems: [], refused: [], published: [] };
}

const HEAD = ['NAMESPACE', 'POD', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'ADDRESS', 'ACCOUNT', 'CERTIFICATE'];

export function renderStatus({ options, supervisor, report, now, ...standing }: Standing): string {
  const pods = report?.pods ?? [];
  const rows = pods.map((pod) => [
    pod.namespace,
    pod.name,
    `${pod.readyParts}/${pod.parts}`,
    pod.status,
    pod.restarts,
    renderAge(now - pod.createdAt),
    pod.address,
    ...renderIdentity(pod, now),
  ]);
  const table = renderTable(HEAD, rows);
  const hasGateway = pods.some(({ kind }) => kind === 'router');
  const published = supervisor.publish.map((one) => `${publishedUrl(one)} (the gateways’ port ${one.servicePort})`);
  const problems = problemsOf({ options, ...standing });
  return [
    pods.length === 0 ? `no pods: no Deployment in ${supervisor.folder} that can run here\n` : table,
    '\n',
    `published   ${published.join(', ')}${hasGateway ? '' : ', but no gateway runs'}\n`,
    `admin       http://127.0.0.1:${supervisor.adminPort}\n`,
    ...renderNaming(pods),
    `watching    ${supervisor.folder}\n`,
    `logs        ${join(options.stateFolder, 'logs')}\n`,
    ...problems.map((problem) => `problem     ${problem}\n`),
  ].join('');
}

function problemsOf({ options, complaints, isDiskFull: isFull, cwd }: Omit<Standing, 'supervisor' | 'report' | 'now'>) {
  return [
    ...(isFull ? [`the disk of ${options.stateFolder} is full: make room`] : []),
    ...(complaints === undefined
      ? ['the control plane does not answer (yet): see its log']
      : renderProblems(complaints, cwd)),
  ];
}

/** The account of its identity, whose namespace is the pod's, and for how long the certificate is valid. */
function renderIdentity({ identity }: PodReport, now: number): readonly [string, string] {
  if (identity === undefined) return ['-', '-'];
  const { spiffeId, notAfter } = identity;
  return [parseSpiffeId(spiffeId)?.serviceAccount ?? spiffeId, notAfter > now ? renderAge(notAfter - now) : 'expired'];
}

/** How the names of the pods' identities are made. */
function renderNaming(pods: readonly PodReport[]): readonly string[] {
  const domains = pods.map(({ identity }) => parseSpiffeId(identity?.spiffeId ?? '')?.trustDomain);
  const named = [...new Set(domains)].filter((domain) => domain !== undefined);
  return named.map((domain) => `identities  spiffe://${domain}/ns/NAMESPACE/sa/ACCOUNT\n`);
}

/** `45s`, `12m`, `3h`, `2d`: the largest unit that says something. */
function renderAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
