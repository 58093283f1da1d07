// `npm run bench [-- NAME…] [--full] [--json] [--profile FOLDER]`: measures what docs say of performance and prints it as Markdown. Each row runs in a
// process of its own, and so does the server that it measures. `cluster` names all rows that need a Kubernetes API.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine, pinLoadGenerator } from './measure/machine.ts';
import { type RowReport, renderReport } from './measure/report.ts';
import { certificates } from './rows/certificates.ts';
import { churn } from './rows/churn.ts';
import { clusterChange } from './rows/cluster-change.ts';
import { clusterMemory } from './rows/cluster-memory.ts';
import { clusterStart } from './rows/cluster-start.ts';
import { clusterValidation } from './rows/cluster-validation.ts';
import { connectStorm } from './rows/connect-storm.ts';
import { endpointChange } from './rows/endpoint-change.ts';
import { fullConfig } from './rows/full-config.ts';
import { growth } from './rows/growth.ts';
import { memory } from './rows/memory.ts';
import { routeChange } from './rows/route-change.ts';
import { type Row, runRow } from './rows/row.ts';
import { start } from './rows/start.ts';
import { validation } from './rows/validation.ts';

import { buildServer } from './server/build.ts';

const rows: readonly Row[] = [
  fullConfig,
  endpointChange,
  memory,
  routeChange,
  clusterChange,
  connectStorm,
  growth,
  start,
  validation,
  certificates,
];

/** Those that run a real API server: only when they are asked for. */
const clusterRows: readonly Row[] = [clusterMemory, clusterValidation, churn, clusterStart];
const allRows: readonly Row[] = [...rows, ...clusterRows];
const GROUP = 'cluster';

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
    /** For the processes of single rows. */
    here: { type: 'boolean', default: false },
  },
});

const list = [...allRows.map(({ name }) => name), `${GROUP} (${clusterRows.map(({ name }) => name).join(', ')})`].join(
  ', ',
);
const unknown = names.filter((name) => name !== GROUP && !allRows.some((row) => row.name === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${list}\n`);
  process.exitCode = 2;
} else if (flags.help) {
  process.stdout.write(`npm run bench [-- NAME…] [--full] [--json] [--profile FOLDER]\nnames: ${list}\n`);
} else if (flags.here) {
  await runHere();
} else {
  await runAll();
}

async function runHere(): Promise<void> {
  pinLoadGenerator();
  const row = allRows.find(({ name }) => name === names[0]);
  if (row === undefined) throw new Error('say which row');
  const reports = await runRow(row, { full: flags.full, profileTo: flags.profile });
  process.stdout.write(`${JSON.stringify(reports)}\n`);
}

async function runAll(): Promise<void> {
  if (flags.profile !== undefined) mkdirSync(flags.profile, { recursive: true });
  const machine = describeMachine();
  buildServer();
  const reports: RowReport[] = [];
  if (!flags.json) process.stdout.write(`${machine}\n\n`);
  for (const { name } of chosenRows()) {
    const measured = await runApart(name);
    if (measured === undefined) process.exitCode = 1;
    reports.push(...(measured ?? []));
    if (!flags.json) process.stdout.write((measured ?? []).map(renderReport).join('\n'));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ machine, full: flags.full, reports }, null, 1)}\n`);
}

function chosenRows(): readonly Row[] {
  if (names.length === 0) return rows;
  return allRows.filter((row) => names.includes(row.name) || (names.includes(GROUP) && clusterRows.includes(row)));
}

/** Undefined when the row failed; it has said why. */
async function runApart(name: string): Promise<readonly RowReport[] | undefined> {
  const options = [
    ...(flags.full ? ['--full'] : []),
    ...(flags.profile === undefined ? [] : ['--profile', flags.profile]),
  ];
  const args = [...process.execArgv, import.meta.filename, name, '--here', ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) return undefined;
  return JSON.parse(Buffer.concat(chunks).toString()) as readonly RowReport[];
}
