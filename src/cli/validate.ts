import { stat } from 'node:fs/promises';
import type { IssueLevel } from '../apis/issue.ts';
import { type DataFormat, renderData } from '../app/render-data.ts';
import { Galley } from '../galley/galley.ts';
import { FolderSource } from '../galley/sources/folder-source.ts';
import { MeshConfigFile } from '../galley/sources/mesh-config-file.ts';
import type { Source } from '../galley/sources/source.ts';
import { TextSource } from '../galley/sources/text-source.ts';
import type { Clock } from '../kit/clock.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { type CliIo, EXIT, type ExitCode } from './io.ts';
import { describeReport, renderReport, type ValidationReport } from './validation-report.ts';

export type ValidateArgs = {
  /** Files and folders; `-` is standard input. */
  readonly files: readonly string[];
  readonly output: 'table' | DataFormat;
  /** The least level that is a finding. */
  readonly failOn: 'error' | 'warning';
  readonly meshConfigFile: string | undefined;
  readonly domain: string;
  readonly rootNamespace: string;
  readonly noColor: boolean;
};

export const validateDefaults: Omit<ValidateArgs, 'files'> = {
  output: 'table',
  failOn: 'error',
  meshConfigFile: undefined,
  domain: 'cluster.local',
  rootNamespace: 'istio-system',
  noColor: false,
};

/** Reads the files as the server would, checks each object and all of them together, and prints what is wrong. */
export async function runValidate(args: ValidateArgs, io: CliIo, clock: Clock): Promise<ExitCode> {
  const mistake = await usageMistake(args);
  if (mistake !== undefined) {
    io.err(`${mistake}\n`);
    return EXIT.usage;
  }
  const report = await check(args, io, clock);
  if (report === undefined) return EXIT.partial;
  const color = io.isTerminal && !args.noColor && (io.env['NO_COLOR'] ?? '') === '';
  io.out(args.output === 'table' ? renderReport(report, { color }) : renderData(describeReport(report), args.output));
  if (report.objects === 0 && report.diagnostics.length === 0) {
    io.err(`nothing to check: ${args.files.join(', ')} has no object that the mesh reads\n`);
  }
  return report.diagnostics.some(({ level }) => counts(level, args.failOn)) ? EXIT.findings : EXIT.fine;
}

function counts(level: IssueLevel, failOn: ValidateArgs['failOn']): boolean {
  return level === 'error' || (level === 'warning' && failOn === 'warning');
}

/** A path that is not there is a mistake of the command, not of the configuration. */
async function usageMistake({ files, meshConfigFile }: ValidateArgs): Promise<string | undefined> {
  if (files.length === 0) return 'nothing to validate: name a file or a folder with -f, or - for standard input';
  const paths = [...files, ...(meshConfigFile === undefined ? [] : [meshConfigFile])].filter((path) => path !== '-');
  for (const path of paths) {
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) return `cannot read ${path}: it does not exist; correct the path`;
  }
  return undefined;
}

/** Runs a galley until it has read everything. Nothing when it was told to stop before that. */
async function check(args: ValidateArgs, io: CliIo, clock: Clock): Promise<ValidationReport | undefined> {
  const { meshConfigFile, domain, rootNamespace } = args;
  const galley = new Galley({
    sources: await Promise.all([...new Set(args.files)].map((path) => sourceOf(path, io, clock))),
    meshConfigFile: meshConfigFile === undefined ? undefined : new MeshConfigFile({ path: meshConfigFile, clock }),
    rootNamespace,
    domain,
    clock,
    log: silentLogger,
  });
  const stop = new AbortController();
  let report: ValidationReport | undefined;
  galley.onChange(({ objects }) => {
    const count = Object.values(objects).reduce((sum, list) => sum + list.length, 0);
    report = { objects: count, diagnostics: galley.diagnostics() };
    stop.abort();
  });
  await galley.run(AbortSignal.any([io.signal, stop.signal]));
  return report;
}

async function sourceOf(path: string, io: CliIo, clock: Clock): Promise<Source> {
  if (path === '-') return new TextSource({ name: 'stdin', text: await io.readStdin(), clock });
  return new FolderSource({ path, clock });
}
