import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTable } from '../kit/table.ts';
import type { LocalIo } from './local-io.ts';
import { type MeshReport, readMeshReport } from './mesh-report.ts';
import type { LocalOptions } from './options.ts';
import { findRunning, readSupervisor, type Supervisor, startLogOf } from './state.ts';

/** How the mesh of a folder is. Exit code 0 when it runs and every pod is ready, else 1. */
export async function localStatus(options: LocalOptions, io: LocalIo): Promise<number> {
  const running = await findRunning(options.stateFolder);
  const report = running === undefined ? undefined : await readMeshReport(options.stateFolder);
  if (options.output === 'json') {
    io.out(`${JSON.stringify(describe(options, running, report), undefined, 2)}\n`);
  } else if (running === undefined) {
    io.out(`no mesh of ${options.root} runs${await whyNot(options)}\n`);
  } else {
    io.out(renderStatus({ options, supervisor: running, report, now: io.clock.now() }));
  }
  return report?.ready === true ? 0 : 1;
}

async function whyNot({ stateFolder }: LocalOptions): Promise<string> {
  if ((await readSupervisor(stateFolder)) !== undefined) return '; it was killed, and `xebec local down` cleans up';
  const said = await readFile(startLogOf(stateFolder), 'utf8').catch(() => '');
  const last = said.trim().split('\n').at(-1) ?? '';
  return last === '' ? '' : `; the last one ended with: ${last}`;
}

function describe(options: LocalOptions, running: Supervisor | undefined, report: MeshReport | undefined): unknown {
  return {
    folder: options.folder,
    running: running !== undefined,
    ready: report?.ready ?? false,
    pods: report?.pods ?? [],
    problems: report?.problems ?? [],
    published: (running?.publish ?? []).map(({ hostPort, servicePort }) => ({
      url: `http://127.0.0.1:${hostPort}`,
      hostPort,
      servicePort,
    })),
    admin: running === undefined ? undefined : `http://127.0.0.1:${running.adminPort}`,
    logs: join(options.stateFolder, 'logs'),
  };
}

type StatusInputs = {
  readonly options: LocalOptions;
  readonly supervisor: Supervisor;
  readonly report: MeshReport | undefined;
  readonly now: number;
};

export function renderStatus({ options, supervisor, report, now }: StatusInputs): string {
  const pods = report?.pods ?? [];
  const rows = pods.map((pod) => [
    pod.namespace,
    pod.name,
    `${pod.readyParts}/${pod.parts}`,
    pod.status,
    pod.restarts,
    renderAge(now - pod.createdAt),
    pod.address,
  ]);
  const table = renderTable(['NAMESPACE', 'POD', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'ADDRESS'], rows);
  const published = supervisor.publish.map(
    ({ hostPort, servicePort }) => `http://127.0.0.1:${hostPort} (the gateways’ port ${servicePort})`,
  );
  const problems = report?.problems ?? [];
  return [
    pods.length === 0 ? 'no pods yet\n' : table,
    '\n',
    `published   ${published.join(', ') || 'nothing'}\n`,
    `admin       http://127.0.0.1:${supervisor.adminPort}\n`,
    `watching    ${supervisor.folder}\n`,
    `logs        ${join(options.stateFolder, 'logs')}\n`,
    ...problems.map((problem) => `problem     ${problem}\n`),
  ].join('');
}

/** `45s`, `12m`, `3h`, `2d`: the largest unit that says something. */
function renderAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
