import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCluster } from '../cluster/bench-cluster.ts';
import { meshNamespace, virtualServiceAt } from '../cluster/cluster-objects.ts';
import type { Figure } from '../measure/report.ts';
import { percentile } from '../measure/stats.ts';
import type { Manifest } from '../mesh/objects.ts';
import type { Row, RowContext } from './row.ts';

const ROUNDS = 2;
const NAME = 'xebec-bench';
const CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${NAME}`;
/** So often is looked whether the API server has taken notice of a configuration. */
const LOOKS = 500;

/** What whoever applies an object waits longer because the API server asks. */
export const clusterValidation: Row = {
  name: 'cluster-validation',
  run: async (context) => {
    const cluster = await context.cluster();
    await cluster.create([meshNamespace]);
    const configuration = await serveWebhook(context, cluster);
    const times = await measureRounds(context, cluster, configuration);
    const workload = 'a VirtualService of four routes';
    return [
      {
        row: 7,
        title: 'Admission review, through the API server',
        conditions:
          'A real API server on the cores of the load. Dry-run creations, one at a time, each asked of xebec over HTTPS; beside them the same without a webhook, in alternation.',
        figures: ([0.5, 0.99] as const).map(
          (share): Figure => ({
            ...{ workload, what: `p${share * 100}`, value: percentile(times.asked, share), unit: 'ms' },
            beside: [{ to: 'without a webhook', value: percentile(times.alone, share) }],
          }),
        ),
        notes: [],
      },
    ];
  },
};

type Times = { readonly asked: readonly number[]; readonly alone: readonly number[] };

async function measureRounds({ full }: RowContext, cluster: BenchCluster, configuration: Manifest): Promise<Times> {
  const count = full ? 500 : 150;
  const asked: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(...(await measureCreations(cluster, count)));
    await cluster.create([configuration]);
    await untilBad(cluster, 'refused');
    asked.push(...(await measureCreations(cluster, count)));
    await cluster.server.call('DELETE', CONFIGURATION);
    await untilBad(cluster, 'taken');
  }
  return { asked, alone };
}

async function measureCreations(cluster: BenchCluster, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { isTaken, ms } = await cluster.tryCreate(virtualServiceAt(index));
    if (!isTaken) throw new Error('a VirtualService that is in order was refused');
    times.push(ms);
  }
  return times;
}

/** Waits until an object that no schema refuses, but xebec does, meets this fate. */
async function untilBad(cluster: BenchCluster, fate: 'refused' | 'taken'): Promise<void> {
  const good = virtualServiceAt(0);
  const bad = { ...good, spec: { ...(good['spec'] as object), hosts: ['not a host'] } };
  for (let look = 0; look < LOOKS; look += 1) if ((await cluster.tryCreate(bad)).isTaken === (fate === 'taken')) return;
  throw new Error(`a bad object was never ${fate}`);
}

/** Returns what makes the API server ask. */
async function serveWebhook(context: RowContext, cluster: BenchCluster): Promise<Manifest> {
  const { authority } = cluster.server.keys;
  const { certificate, key } = authority.issue(['127.0.0.1']);
  const certFile = join(context.work, 'tls.crt');
  const keyFile = join(context.work, 'tls.key');
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  const flags = ['--webhook', '127.0.0.1:0', '--webhook-cert-file', certFile, '--webhook-key-file', keyFile];
  const server = context.serve({ source: cluster.pod, flags });
  await server.ready();
  const caBundle = Buffer.from(authority.certificate).toString('base64');
  const rule = { operations: ['CREATE'], apiGroups: ['networking.istio.io'], apiVersions: ['*'], resources: ['*'] };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        name: 'validation.xebec.dev',
        clientConfig: { url: `https://127.0.0.1:${await server.webhookPort()}/validate`, caBundle },
        rules: [rule],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Fail',
      },
    ],
  };
}
