import { join } from 'node:path';
import { renderTable } from '../../kit/table.ts';
import { textAt } from '../fields.ts';
import type { PodReport } from '../mesh/pod-runner.ts';
import { readMeshReport } from '../mesh-report.ts';
import { socketGet } from '../socket-get.ts';
import { applyFile } from './apply.ts';
import { callFrom, headersIn, waitFor, waitForPods } from './call.ts';
import { visitPages } from './observe.ts';
import type { Stage } from './stage.ts';

/** Those that one page comes from, with reviews at v3. */
const ASKED: readonly string[] = ['details-v1', 'productpage-v1', 'ratings-v1', 'reviews-v3'];
const XFCC = 'x-forwarded-client-cert';
const CALLER = 'sleep';
const PAGES = 20;

/** What nobody had to ask for: connections between Envoys are mutual TLS, and an app is told who called. */
export async function showMutualTls(stage: Stage): Promise<boolean> {
  const { io, networking, extras, folder } = stage;
  // The pages as they are without faults, and one more pod to call from.
  await applyFile(join(networking, 'virtual-service-all-v1.yaml'), folder, io.clock);
  await applyFile(join(networking, 'virtual-service-reviews-v3.yaml'), folder, io.clock);
  await applyFile(join(extras, 'sleep.yaml'), folder, io.clock);
  await applyFile(join(extras, 'httpbin.yaml'), folder, io.clock);
  const hasStarted = (await waitForPods(stage, 'default', CALLER)) && (await waitForPods(stage, 'default', 'httpbin'));
  const hasStars = await waitFor(stage, async () => (await look(stage, 1)) === 1);
  const stars = await look(stage, PAGES);
  const pods = (await readMeshReport(stage.stateFolder))?.pods ?? [];
  const asked = await Promise.all(pods.filter(isAsked).map((pod) => countHandshakes(pod)));
  io.out(
    renderTable(
      ['  POD', 'IDENTITY', 'TOOK BY MUTUAL TLS'],
      asked.map(({ pod, handshakes }) => [`  ${pod.deployment}`, nameOf(pod), `${handshakes} connections`]),
    ),
  );
  const told = await forwardedCertificate(stage);
  io.out(`\n  ${CALLER} calls httpbin, whose Envoy tells the app who that is:\n    ${XFCC}: ${told}\n\n`);
  const sleep = pods.find(({ deployment }) => deployment === CALLER);
  return stage.judge([
    ...(hasStarted ? [] : [`${CALLER} or httpbin did not start`]),
    ...(hasStars && stars === PAGES ? [] : ['every page should have had red stars']),
    ...(asked.length === ASKED.length ? [] : ['some pods are missing']),
    ...asked
      .filter(({ handshakes }) => handshakes === 0)
      .map(({ pod }) => `${pod.deployment} was not called by mutual TLS`),
    ...(sleep?.identity !== undefined && told.includes(`URI=${sleep.identity.spiffeId}`)
      ? []
      : [`httpbin should have been told of ${CALLER}’s identity`]),
  ]);
}

/** How many pages of so many have the stars of v3. */
export async function look(stage: Stage, requests: number): Promise<number> {
  const visit = { url: stage.url, user: undefined, requests, concurrency: 2 };
  return (await visitPages(visit, stage.io.clock)).counts.get('red stars') ?? 0;
}

function isAsked({ deployment }: PodReport): boolean {
  return ASKED.includes(deployment);
}

function nameOf({ identity }: PodReport): string {
  return identity?.spiffeId ?? 'none';
}

/** Connections to a pod's Envoy, from other pods, on which both sides proved who they are. */
async function countHandshakes(pod: PodReport): Promise<{ readonly pod: PodReport; readonly handshakes: number }> {
  const query = '/stats?filter=^listener\\.0\\.0\\.0\\.0_15006\\.ssl\\.handshake$';
  const reply = pod.adminSocket === undefined ? undefined : await socketGet({ path: pod.adminSocket }, query);
  return { pod, handshakes: Number(/handshake: (\d+)/.exec(reply?.body ?? '')?.[1] ?? 0) };
}

async function forwardedCertificate(stage: Stage): Promise<string> {
  const { status, body, error } = await callFrom(stage, `default/${CALLER}`, 'http://httpbin:8000/headers');
  if (status !== 200) return `no answer (${status} ${error})`;
  return textAt(headersIn(body), XFCC) || 'none';
}
