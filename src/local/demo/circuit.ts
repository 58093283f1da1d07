import { join } from 'node:path';
import { renderTable } from '../../kit/table.ts';
import { readMeshReport } from '../mesh-report.ts';
import { socketGet } from '../socket-get.ts';
import { applyFile } from './apply.ts';
import { type Effect, measureEffect } from './effect.ts';
import { type Calls, callMany } from './observe.ts';
import type { Stage } from './stage.ts';

const GATEWAY = 'istio-ingressgateway';
const CLUSTER = 'outbound|8000||httpbin.default.svc.cluster.local';
const HOST = 'httpbin.example.com';
const POLL_MS = 50;
const LONGEST_MS = 30_000;

const LIMITED: Effect = { deployment: GATEWAY, resource: 'clusters', name: CLUSTER, says: '"max_pending_requests":1' };

type Load = { readonly concurrency: number; readonly requests: number };
const ALONE: Load = { concurrency: 1, requests: 20 };
const CROWD: Load = { concurrency: 8, requests: 80 };

/** Circuit breaking at the gateway: what more than one connection and one waiting request would need is refused. */
export async function showCircuitBreaking(stage: Stage): Promise<boolean> {
  const { io, networking, extras, folder } = stage;
  await applyFile(join(extras, 'httpbin.yaml'), folder, io.clock);
  await applyFile(join(networking, 'httpbin-gateway.yaml'), folder, io.clock);
  io.err('  starting httpbin, a new Deployment in the folder\n');
  if (!(await waitForHttpbin(stage))) {
    io.out('  ✗ httpbin does not answer through the gateway\n');
    return false;
  }
  const before = await callMany({ ...slowCall(stage), ...CROWD });
  const applied = await applyFile(join(networking, 'destination-rule-httpbin-circuit-breaker.yaml'), folder, io.clock);
  const effectMs = await measureEffect({ effect: LIMITED, pods: await podsOf(stage), applied, clock: io.clock });
  stage.showApplied(applied, effectMs, LIMITED);
  const overflowBefore = await readOverflow(stage);
  const alone = await callMany({ ...slowCall(stage), ...ALONE });
  const crowd = await callMany({ ...slowCall(stage), ...CROWD });
  const overflow = (await readOverflow(stage)) - overflowBefore;
  io.out(
    renderTable(
      ['  REQUESTS', 'AT A TIME', 'LIMITS', '200', '503'],
      [row(CROWD, 'none', before), row(ALONE, 'one', alone), row(CROWD, 'one', crowd)],
    ),
  );
  const refused = crowd.get(503) ?? 0;
  io.out(`  Envoy counts ${overflow} requests refused (upstream_rq_pending_overflow), we ${refused}\n`);
  const complaints = [
    ...(before.get(200) === CROWD.requests ? [] : ['without limits every request should have passed']),
    ...(alone.get(200) === ALONE.requests ? [] : ['one request at a time should have passed']),
    ...(refused > 0 && (crowd.get(200) ?? 0) > 0 ? [] : ['of many at a time some should have passed and some not']),
    ...(overflow === refused ? [] : ['Envoy should have counted exactly those that were refused']),
    ...(effectMs === undefined ? ['the limits never reached the gateway’s Envoy'] : []),
  ];
  return stage.judge(complaints);
}

function row(load: Load, limits: string, counts: ReadonlyMap<number, number>): readonly (string | number)[] {
  return [`  ${load.requests}`, load.concurrency, limits, counts.get(200) ?? 0, counts.get(503) ?? 0];
}

/** Long enough for the others to come while it lasts. */
function slowCall({ port }: Stage): Omit<Calls, 'requests' | 'concurrency'> {
  return { port, host: HOST, path: '/delay/0.1' };
}

async function podsOf(stage: Stage) {
  return (await readMeshReport(stage.stateFolder))?.pods ?? [];
}

async function waitForHttpbin(stage: Stage): Promise<boolean> {
  const { clock, signal } = stage.io;
  const deadline = clock.monotonic() + LONGEST_MS;
  while (clock.monotonic() < deadline && !signal.aborted) {
    const counts = await callMany({ port: stage.port, host: HOST, path: '/status/200', requests: 1, concurrency: 1 });
    if (counts.get(200) === 1) return true;
    await clock.sleep(POLL_MS, signal);
  }
  return false;
}

/** Requests the gateway refused because too many waited already. */
async function readOverflow(stage: Stage): Promise<number> {
  const socket = (await podsOf(stage)).find(({ deployment }) => deployment === GATEWAY)?.adminSocket;
  if (socket === undefined) return 0;
  const reply = await socketGet({ path: socket }, '/stats?filter=httpbin.*upstream_rq_pending_overflow');
  return Number(/upstream_rq_pending_overflow: (\d+)/.exec(reply?.body ?? '')?.[1] ?? 0);
}
