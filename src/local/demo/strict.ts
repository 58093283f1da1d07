import { join } from 'node:path';
import { renderTable } from '../../kit/table.ts';
import { readMeshReport } from '../mesh-report.ts';
import { applyFile, removeApplied } from './apply.ts';
import { callFrom, type PodAnswer, waitForPods } from './call.ts';
import { type Effect, measureEffect } from './effect.ts';
import { look } from './mutual-tls.ts';
import type { Stage } from './stage.ts';

/** A pod with an identity, and one that has none to show. */
const CALLERS = { mutual: 'default/sleep', plain: 'legacy/sleep' } as const;
const URL = 'http://details.default:9080/details/0';
const PAGES = 20;

const INBOUND: Effect = { deployment: 'details-v1', resource: 'listeners', name: 'virtualInbound', says: '' };

type Round = { readonly mutual: PodAnswer; readonly plain: PodAnswer };

/** Plain text is refused, and the page goes on. */
export async function showStrict(stage: Stage): Promise<boolean> {
  const { io, security, extras, folder } = stage;
  await applyFile(join(extras, 'sleep-legacy.yaml'), folder, io.clock);
  io.err('  starting legacy/sleep, a pod without Envoy\n');
  const hasStarted = await waitForPods(stage, 'legacy', 'sleep');
  const before = await callBoth(stage);
  const applied = await applyFile(join(security, 'peer-authentication-strict.yaml'), folder, io.clock);
  const pods = (await readMeshReport(stage.stateFolder))?.pods ?? [];
  const effectMs = await measureEffect({ effect: INBOUND, pods, applied, clock: io.clock });
  stage.showApplied(applied, effectMs, INBOUND);
  const after = await callBoth(stage);
  const stars = await look(stage, PAGES);
  io.out(
    renderTable(
      ['  CALLER', 'SPEAKS', 'DETAILS BEFORE', 'AND NOW'],
      [
        [`  ${CALLERS.mutual}`, 'mutual TLS', describe(before.mutual), describe(after.mutual)],
        [`  ${CALLERS.plain}`, 'plain text', describe(before.plain), describe(after.plain)],
      ],
    ),
  );
  io.out(`  and the page: ${stars} of ${PAGES} with red stars\n`);
  const complaints = [
    ...(hasStarted ? [] : ['legacy/sleep did not start']),
    ...(effectMs === undefined ? ['the policy never reached the Envoy of details'] : []),
    ...(before.mutual.status === 200 && before.plain.status === 200 ? [] : ['before, both should have been answered']),
    ...(after.mutual.status === 200 ? [] : ['mutual TLS should have been answered as before']),
    ...(after.plain.status === 0 ? [] : ['plain text should have been refused']),
    ...(stars === PAGES ? [] : ['the page should have been as before']),
  ];
  await removeApplied(applied);
  return stage.judge(complaints);
}

async function callBoth(stage: Stage): Promise<Round> {
  return { mutual: await callFrom(stage, CALLERS.mutual, URL), plain: await callFrom(stage, CALLERS.plain, URL) };
}

function describe({ status, error }: PodAnswer): string {
  return status === 0 ? `refused (${error})` : String(status);
}
