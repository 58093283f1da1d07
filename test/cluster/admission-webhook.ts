import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { Webhook } from '../../src/app/webhook.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeConnection } from '../../src/kube/connect.ts';
import type { Reflect } from '../../src/kube/reflection.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { makePinoLogger } from '../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import type { CertificateTimes } from '../../src/webhooks/webhook-certificates.ts';
import type { AtEnd } from './kube-copy.ts';

const PATIENCE_MS = 60_000;

/** Quick enough to see a certificate come and go. */
const times: Partial<CertificateTimes> = { pollMs: 200, settleMs: 1_000 };

export type RunningWebhook = {
  readonly port: number;
  readonly log: readonly string[];
  readonly metrics: PromMetrics;
  readonly isReady: () => boolean;
};

type WebhookOptions = {
  readonly api: KubeConnection;
  readonly leads?: boolean;
  readonly times?: Partial<CertificateTimes>;
  readonly port?: number;
  readonly atEnd?: AtEnd;
};

/** A webhook of this process, which the API server calls as `localhost`. */
export async function startWebhook({ api, leads = true, port = 0, ...rest }: WebhookOptions): Promise<RunningWebhook> {
  const log: string[] = [];
  const metrics = new PromMetrics();
  const logger = makePinoLogger('info', (line) => log.push(line));
  const reflect: Reflect = (reflection) =>
    new Reflector({ api, clock: systemClock, random: Math.random, log: logger, metrics }, reflection);
  const webhook = new Webhook({
    certificates: {
      kind: 'secret',
      kube: api,
      leadership: {
        isLeader: leads,
        whileLeading: (work, signal) => (leads ? work(signal) : aborted(signal)),
      },
      reflect,
      namespace: 'istio-system',
      dnsNames: ['localhost'],
      times: { ...times, ...rest.times },
    },
    snapshot: () => undefined,
    domain: 'cluster.local',
    clock: systemClock,
    log: logger,
    metrics,
  });
  const bound = await webhook.bind({ host: '127.0.0.1', port });
  const stop = new AbortController();
  const running = webhook.run(stop.signal);
  (rest.atEnd ?? onTestFinished)(async () => {
    stop.abort();
    await running;
  });
  return { port: bound.port, log, metrics, isReady: () => webhook.isReady };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never ${what}`);
    await sleep(50);
  }
}

/** As the chart makes it, but for the way to the webhook. */
export function webhookConfiguration(port: number): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'xebec-istio-system', labels: { 'xebec.dev/ca-bundle': 'istio-system' } },
    webhooks: [
      {
        name: 'validate.xebec.dev',
        admissionReviewVersions: ['v1'],
        clientConfig: { url: `https://localhost:${port}/validate` },
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        timeoutSeconds: 10,
        rules: [
          {
            apiGroups: ['networking', 'security', 'telemetry', 'extensions', 'authentication', 'rbac', 'config'].map(
              (name) => `${name}.istio.io`,
            ),
            apiVersions: ['*'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['*'],
            scope: '*',
          },
        ],
      },
    ],
  };
}
