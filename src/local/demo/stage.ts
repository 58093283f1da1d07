import { basename, relative } from 'node:path';
import { readComplaints } from '../admin-pages.ts';
import type { LocalIo } from '../local-io.ts';
import type { LocalOptions } from '../options.ts';
import { renderProblems } from '../problems.ts';
import type { Applied } from './apply.ts';
import type { Effect } from './effect.ts';

/** Of many files at once, those of the service that the tour is about are shown, and the others named. */
const MOST_SHOWN = 4;
const HERO = 'reviews';

/** Where the tour plays: the copy of the sample, the gateway, and whom it tells. */
export class Stage {
  readonly io: LocalIo;
  /** Of 127.0.0.1, leading to the gateway. */
  readonly port: number;
  readonly root: string;
  /** What is applied and watched. */
  readonly folder: string;
  readonly networking: string;
  readonly extras: string;
  readonly security: string;
  readonly options: LocalOptions;
  readonly stateFolder: string;

  constructor(inputs: { readonly io: LocalIo; readonly options: LocalOptions }) {
    const { root, folder, stateFolder, publish } = inputs.options;
    this.io = inputs.io;
    this.options = inputs.options;
    this.port = publish[0]?.hostPort ?? 0;
    this.root = root;
    this.folder = folder;
    this.networking = `${root}/networking`;
    this.extras = `${root}/extras`;
    this.security = `${root}/security`;
    this.stateFolder = stateFolder;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  title(number: number, total: number, { title, why }: { readonly title: string; readonly why: string }): void {
    this.io.out(`\n── ${number} of ${total}: ${title} ${'─'.repeat(Math.max(3, 60 - title.length))}\n  ${why}\n`);
  }

  /** The YAML as it was written, and how long Envoy took to have it. */
  showApplied(applied: readonly Applied[], effectMs: number | undefined, effect: Effect | undefined): void {
    const isShown = ({ file }: Applied): boolean => applied.length <= MOST_SHOWN || basename(file).includes(HERO);
    for (const { file, text } of applied.filter(isShown)) {
      this.io.out(`\n  ${relative(this.root, file)}\n${indent(withoutComments(text))}`);
    }
    const alike = applied.filter((one) => !isShown(one)).map(({ file }) => relative(this.root, file));
    if (alike.length > 0)
      this.io.out(`\n  and alike, for the other services:\n${alike.map((file) => `    ${file}\n`).join('')}`);
    if (effect === undefined) return;
    const where = `the Envoy of ${effect.deployment}`;
    this.io.out(
      effectMs === undefined
        ? `\n  never arrived at ${where}\n\n`
        : `\n  in force at ${where} ${effectMs} ms after the file was written\n\n`,
    );
  }

  /** What is wrong with the YAML as it is now. */
  async showProblems(): Promise<void> {
    const complaints = await readComplaints(this.stateFolder);
    if (complaints === undefined) return;
    for (const problem of renderProblems(complaints, this.root)) this.io.out(`  ! ${problem}\n`);
  }

  /** Whether there is nothing to complain of; says either way. */
  judge(complaints: readonly string[]): boolean {
    for (const complaint of complaints) this.io.out(`  ✗ ${complaint}\n`);
    if (complaints.length === 0) this.io.out('  ✓ as the YAML says\n');
    return complaints.length === 0;
  }
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  │ ${line}\n`)
    .join('');
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
}
