// Every client, server, protocol and rule there is, with real traffic. What must happen says mtls-rules.ts.
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../support/apps/calls.ts';
import { identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import {
  allCells,
  type Cell,
  expectedVerdict,
  expectedWaits,
  modes,
  protocols,
  rules,
  tableOf,
} from '../support/mtls-rules.ts';
import { client, echo, outside, service } from '../support/workloads.ts';

const mesh = useMesh({
  meshConfig: `
protocolDetectionTimeout: 1s
connectTimeout: 1s
accessLogFile: /dev/stdout
accessLogFormat: "peer=%DOWNSTREAM_PEER_URI_SAN% sni=%REQUESTED_SERVER_NAME%\\n"
`,
});
const ME = 'spiffe://cluster.local/ns/default/sa/meshed';
const SNI = 'server.example.com';

mesh.given(client('meshed'), client('plain', outside));
for (const mode of modes) {
  const app = mode.toLowerCase();
  mesh.given(
    echo(
      app,
      'v1',
      protocols.map(({ listens }) => listens),
    ),
    `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: ${app}, namespace: default }
spec: { selector: { matchLabels: { app: ${app} } }, mtls: { mode: ${mode} } }
`,
  );
  // One service for each rule, before one and the same pod.
  for (const rule of rules) {
    const name = serviceOf({ mode, rule });
    const declared = protocols.map((protocol) => protocol.declared);
    mesh.given(service(name, declared, { selector: { app } }));
    if (rule !== 'none') {
      const more = rule === 'SIMPLE' ? ', insecureSkipVerify: true' : '';
      mesh.given(`
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: default }
spec: { host: ${name}, trafficPolicy: { tls: { mode: ${rule}${more} } } }
`);
    }
  }
}

function serviceOf({ mode, rule }: Pick<Cell, 'mode' | 'rule'>): string {
  return `${mode}-${rule.replace('_', '')}`.toLowerCase();
}

/** Nobody else says this. */
function markOf({ client: from, protocol, mode, rule }: Cell): string {
  return [from, protocol.name, mode, rule].join('-').replaceAll(/[ /]/g, '.');
}

/** What the Envoy of a server has counted: handshakes that it ended, and requests that it knew for such. */
async function counted(app: string): Promise<{ readonly handshakes: number; readonly requests: number }> {
  const [handshakes, requests] = await Promise.all([
    mesh.stat(app, /^listener\.0\.0\.0\.0_15006\.ssl\.handshake$/),
    mesh.stat(app, /^http\.inbound_[^.]*\.[^.]*\.[^.]*\.[^.]*\.downstream_rq_total$/),
  ]);
  return { handshakes, requests };
}

/** One cell at a time for each server, so that what its Envoy counts meanwhile is of this cell. */
async function verdictOf(cell: Cell): Promise<string> {
  const { protocol, mode } = cell;
  const app = `${mode.toLowerCase()}-v1`;
  const mark = markOf(cell);
  const port = protocol.declared.split(':')[1];
  const before = await counted(app);
  const url = `${protocol.scheme}://${serviceOf(cell)}.default:${port}`;
  const isRequest = ['http', 'https', 'h2c'].includes(protocol.scheme);
  const outcome = await mesh.call(cell.client, isRequest ? `${url}/${mark}` : url, {
    ...(isRequest ? {} : { body: mark }),
    tls: { authority: mesh.authority.certificate, serverName: SNI },
    timeoutMs: 8_000,
  });
  const after = await counted(app);
  const handshakes = after.handshakes - before.handshakes;
  const requests = after.requests - before.requests;
  return readVerdict(cell, outcome, { handshakes, requests, mark });
}

type Seen = { readonly handshakes: number; readonly requests: number; readonly mark: string };

function readVerdict({ protocol }: Cell, outcome: Outcome, seen: Seen): string {
  const { echo: told } = outcome;
  if (told === undefined) return outcome.error === 'timeout' ? 'no end' : '--';
  const isMine = told.body === seen.mark || told.path === `/${seen.mark}`;
  const isWhole = !protocol.clientTls || told.sni === SNI;
  if (!isMine || !isWhole) return `other: ${JSON.stringify(told)}`;
  if (seen.requests > 0) return readRequest(outcome, seen);
  return seen.handshakes > 0 ? 'Mb' : 'Pb';
}

/** The server's Envoy tells its app who called. */
function readRequest(outcome: Outcome, { handshakes }: Seen): string {
  const caller = identitySeen(outcome);
  if (caller === undefined) return handshakes > 0 ? 'no name' : 'Ph';
  return caller === ME && handshakes > 0 ? 'Mh' : `name ${caller}`;
}

describe('every client, server, protocol and rule', () => {
  const cells = allCells();
  const expected = new Map(cells.map((cell) => [cell, expectedVerdict(cell)]));

  test('what becomes of a call is what the rules say', { timeout: 240_000 }, async () => {
    const seen = new Map<Cell, string>();
    const ofMode = async (mode: Cell['mode']): Promise<void> => {
      for (const cell of cells.filter((one) => one.mode === mode)) seen.set(cell, await verdictOf(cell));
    };
    await Promise.all(modes.map(ofMode));
    expect(tableOf(seen)).toBe(tableOf(expected));
  });

  test('nothing of what is refused reaches an app', async () => {
    const logs = await Promise.all(modes.map((mode) => mesh.requests(`${mode.toLowerCase()}-v1`)));
    const arrived = new Set(logs.flat().flatMap(({ body, path }) => [body, path.slice(1)]));
    const marks = (isRefused: boolean): readonly string[] =>
      cells.filter((cell) => (expected.get(cell) === '--') === isRefused).map(markOf);
    expect(marks(true).filter((mark) => arrived.has(mark))).toEqual([]);
    expect(marks(false).filter((mark) => !arrived.has(mark))).toEqual([]);
  });

  test('nobody waits for a client that waits for its server, but where nothing else tells what comes', async () => {
    const waits = (deployment: string): Promise<number> =>
      mesh.stat(deployment, /^listener\..*\.downstream_pre_cx_timeout$/);
    const seen = await Promise.all(['meshed', ...modes.map((mode) => `${mode.toLowerCase()}-v1`)].map(waits));
    const sum = (side: 'client' | 'server', some: readonly Cell[]): number =>
      some.reduce((total, cell) => total + expectedWaits(cell)[side], 0);
    const ofMode = (mode: Cell['mode']): readonly Cell[] => cells.filter((cell) => cell.mode === mode);
    expect(seen).toEqual([sum('client', cells), ...modes.map((mode) => sum('server', ofMode(mode)))]);
  });

  test('bytes by mutual TLS come from who the server’s Envoy says', async () => {
    const byMutualTls = cells.filter((cell) => expected.get(cell) === 'Mb');
    expect(byMutualTls.length).toBeGreaterThan(0);
    for (const mode of ['PERMISSIVE', 'STRICT'] as const) {
      const wanted = byMutualTls
        .filter((cell) => cell.mode === mode)
        .map(({ protocol, rule }) => {
          const host = `${serviceOf({ mode, rule })}.default.svc.cluster.local`;
          return `peer=${ME} sni=outbound_.${protocol.declared.split(':')[1]}_._.${host}`;
        });
      // Envoy writes its log once a second.
      await mesh.waitUntil(`${mode}: all are logged`, async () => {
        const lines = new Set(await mesh.envoyLog(`${mode.toLowerCase()}-v1`));
        return wanted.every((line) => lines.has(line));
      });
    }
  });
});
