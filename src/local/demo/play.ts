import { join } from 'node:path';
import { renderTable } from '../../kit/table.ts';
import { readMeshReport } from '../mesh-report.ts';
import { type Applied, applyFile } from './apply.ts';
import { measureEffect } from './effect.ts';
import { type Sample, SIGHTS, visitPages } from './observe.ts';
import { isPlausible } from './plausible.ts';
import type { Stage } from './stage.ts';
import type { Expectation, Step } from './tour.ts';

/** Applies a step's files and looks at the page; whether everything was as the YAML says. */
export async function playStep(step: Step, stage: Stage): Promise<boolean> {
  const { io, networking, folder } = stage;
  const applied: Applied[] = [];
  for (const file of step.files) applied.push(...(await applyFile(join(networking, file), folder, io.clock)));
  const { effect } = step;
  let effectMs: number | undefined;
  if (effect !== undefined) {
    const pods = (await readMeshReport(stage.stateFolder))?.pods ?? [];
    effectMs = await measureEffect({ effect, pods, applied, clock: io.clock });
  }
  stage.showApplied(applied, effectMs, effect);
  const complaints = await lookAtPages(step, stage);
  if (effect !== undefined && effectMs === undefined) {
    complaints.push('the change never reached Envoy');
    await stage.showProblems();
  }
  return stage.judge(complaints);
}

/** Visits the page as everybody the step names; shows what was seen and returns what should not have been. */
export async function lookAtPages(step: Step, stage: Stage): Promise<string[]> {
  const samples: { readonly expectation: Expectation; readonly sample: Sample }[] = [];
  for (const expectation of step.expect) {
    samples.push({ expectation, sample: await visitPages({ url: stage.url, ...expectation }, stage.io.clock) });
  }
  stage.io.out(renderSamples(samples));
  return samples.flatMap(({ expectation, sample }) => complain(expectation, sample));
}

type Seen = readonly { readonly expectation: Expectation; readonly sample: Sample }[];

/** One row per visitor, one column per sight that was seen or expected. */
export function renderSamples(seen: Seen): string {
  const sights = SIGHTS.filter((sight) =>
    seen.some(({ expectation, sample }) => sample.counts.has(sight) || (expectation.shares[sight] ?? 0) > 0),
  );
  const rows = seen.map(({ expectation, sample }) => [
    `  ${expectation.user ?? 'anybody'}`,
    sample.total,
    ...sights.map((sight) => percent((sample.counts.get(sight) ?? 0) / Math.max(1, sample.total))),
    duration(sample.medianMs),
  ]);
  return renderTable(['  WHO', 'PAGES', ...sights.map((sight) => sight.toUpperCase()), 'TAKES'], rows);
}

/** What is not as expected; empty if all is. Chance is allowed for. */
export function complain(expectation: Expectation, sample: Sample): readonly string[] {
  const who = expectation.user ?? 'anybody';
  const { from, to } = expectation.ms;
  const shares = SIGHTS.filter((sight) => {
    const expected = expectation.shares[sight] ?? 0;
    return !isPlausible(sample.counts.get(sight) ?? 0, sample.total, expected);
  }).map((sight) => {
    const expected = expectation.shares[sight] ?? 0;
    const seen = (sample.counts.get(sight) ?? 0) / Math.max(1, sample.total);
    return `${who}: ${sight} on ${percent(seen)} of ${sample.total} pages, expected ${percent(expected)}`;
  });
  if (sample.medianMs >= from && sample.medianMs <= to) return shares;
  return [
    ...shares,
    `${who}: a page takes ${duration(sample.medianMs)}, expected ${duration(from)} to ${duration(to)}`,
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
