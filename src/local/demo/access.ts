import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTable } from '../../kit/table.ts';
import { readMeshReport } from '../mesh-report.ts';
import { type Applied, applyFile, removeApplied } from './apply.ts';
import { callFrom, type PodAnswer, waitFor } from './call.ts';
import { type Effect, measureEffect } from './effect.ts';
import { look } from './mutual-tls.ts';
import type { Stage } from './stage.ts';

const RATINGS = 'ratings-v1';
const FILES: readonly string[] = ['ratings-viewer.yaml', 'deny-sleep.yaml'];
const PAGES = 20;

const RULES: Effect = {
  deployment: RATINGS,
  resource: 'listeners',
  name: 'virtualInbound',
  says: 'ns[default]-policy[deny-sleep]-rule[0]',
};

type Expected = { readonly caller: string; readonly status: number; readonly rule: string };

const EXPECTED: readonly Expected[] = [
  { caller: 'default/reviews-v3', status: 200, rule: '' },
  { caller: 'default/productpage-v1', status: 403, rule: 'none' },
  { caller: 'default/sleep', status: 403, rule: RULES.says },
];

/** Three ask for ratings, each with its identity; the log of ratings' Envoy says which rule decided. */
export async function showAccess(stage: Stage): Promise<boolean> {
  const { io, security, folder } = stage;
  const applied: Applied[] = [];
  for (const file of FILES) applied.push(...(await applyFile(join(security, file), folder, io.clock)));
  const pods = (await readMeshReport(stage.stateFolder))?.pods ?? [];
  const effectMs = await measureEffect({ effect: RULES, pods, applied, clock: io.clock });
  stage.showApplied(applied, effectMs, RULES);
  const complaints: string[] = effectMs === undefined ? ['the policies never reached the Envoy of ratings'] : [];
  const rows: (readonly string[])[] = [];
  for (const expected of EXPECTED) {
    const answer = await callFrom(stage, expected.caller, `http://ratings.default:9080${pathFor(expected)}`);
    const rule = answer.status === 403 ? await decidingRule(stage, pathFor(expected)) : '';
    rows.push([`  ${expected.caller}`, String(answer.status), said(answer), wordsFor(rule)]);
    complaints.push(...complain(expected, answer, rule));
  }
  const stars = await look(stage, PAGES);
  io.out(renderTable(['  ASKS FOR RATINGS', 'ANSWER', 'SAYS', 'DECIDED BY'], rows));
  io.out(`  and the page: ${stars} of ${PAGES} with red stars\n`);
  if (stars !== PAGES) complaints.push('the page should have had its stars');
  await removeApplied(applied);
  return stage.judge(complaints);
}

/** Each asks for another book, so that its request is found in the log. */
function pathFor(expected: Expected): string {
  return `/ratings/${EXPECTED.indexOf(expected) + 1001}`;
}

function said({ status, body, error }: PodAnswer): string {
  if (status === 0) return error;
  return status === 200 ? 'the ratings' : body.trim();
}

function wordsFor(rule: string): string {
  return rule === 'none' ? 'no rule that allows it' : rule;
}

function complain({ caller, status, rule }: Expected, answer: PodAnswer, decided: string): readonly string[] {
  return [
    ...(answer.status === status ? [] : [`${caller} should have been answered ${status}`]),
    ...(status !== 403 || answer.body.trim() === 'RBAC: access denied' ? [] : [`${caller} should have been told why`]),
    ...(decided === rule ? [] : [`the log should say of ${caller}: ${rule || 'nothing'}, not ${decided || 'nothing'}`]),
  ];
}

/** From the access log of ratings' Envoy, which is written once a second; empty where it never said. */
async function decidingRule(stage: Stage, path: string): Promise<string> {
  const pod = (await readMeshReport(stage.stateFolder))?.pods.find(({ deployment }) => deployment === RATINGS);
  if (pod === undefined) return '';
  const file = join(stage.stateFolder, 'logs', `${pod.name}.envoy.log`);
  let rule: string | undefined;
  await waitFor(stage, async () => {
    rule = findRule(await readFile(file, 'utf8'), path);
    return rule !== undefined;
  });
  return rule ?? '';
}

/** The name of the rule that denied a request, as Envoy's access log has it in the details of the response. */
export function findRule(log: string, path: string): string | undefined {
  const line = log.split('\n').find((text) => text.includes(` ${path} `));
  return /rbac_access_denied_matched_policy\[(none|(?:[^\s[\]]|\[[^\]]*\])+)\]/.exec(line ?? '')?.[1];
}
