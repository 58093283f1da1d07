import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Xebec } from '../../../src/app/assemble.ts';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../../src/testing/process-config.ts';
import { type Authority, type Certificate, createAuthority } from '../../support/certificates.ts';

export type Answer = { readonly status: number; readonly text: string };

export const SERVER_NAME = 'xebec.istio-system.svc';

/** A process with a webhook whose pair is in files, and what a caller needs to trust it. */
export class WebhookProcess {
  readonly authority: Authority = createAuthority();
  readonly source = new MemorySource('memory');
  readonly log: string[] = [];
  readonly metrics = new PromMetrics();
  readonly xebec: Xebec;
  readonly #certFile: string;
  readonly #keyFile: string;
  readonly #agent: Agent;
  port = 0;
  adminPort = 0;

  private constructor(folder: string) {
    this.#certFile = join(folder, 'tls.crt');
    this.#keyFile = join(folder, 'tls.key');
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8 });
    this.xebec = new Xebec({
      config: processConfig({
        source: 'memory',
        webhook: { host: '127.0.0.1', port: 0 },
        webhookCertFile: this.#certFile,
        webhookKeyFile: this.#keyFile,
      }),
      sources: [this.source],
      clock: systemClock,
      random: Math.random,
      log: makePinoLogger('info', (line) => this.log.push(line)),
      metrics: this.metrics,
    });
  }

  static async start(pair?: (authority: Authority) => Certificate): Promise<WebhookProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'xebec-webhook-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const process = new WebhookProcess(folder);
    if (pair !== undefined) process.write(pair(process.authority));
    const { webhook, admin } = await process.xebec.bind();
    process.port = webhook?.port ?? 0;
    process.adminPort = admin.port;
    const stop = new AbortController();
    const running = process.xebec.run(stop.signal);
    onTestFinished(async () => {
      process.#agent.destroy();
      stop.abort();
      await running;
    });
    return process;
  }

  /** One that is ready, with a pair for the name it is called by. */
  static async ready(): Promise<WebhookProcess> {
    const process = await WebhookProcess.start((authority) => authority.issue([SERVER_NAME]));
    await process.until(async () => (await process.readiness()).status === 200);
    return process;
  }

  write({ certificate, key }: Partial<Certificate>): void {
    if (certificate !== undefined) writeFileSync(this.#certFile, certificate);
    if (key !== undefined) writeFileSync(this.#keyFile, key);
  }

  readiness(): Promise<Answer> {
    return fetch(`http://127.0.0.1:${this.adminPort}/ready`).then(async (reply) => ({
      status: reply.status,
      text: await reply.text(),
    }));
  }

  /** Calls as the API server does: by the name of the Service, on connections that stay. */
  call(path: string, body: string | Buffer | undefined, options: CallOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: '127.0.0.1',
          port: this.port,
          path,
          method: options.method ?? 'POST',
          servername: SERVER_NAME,
          ca: options.ca ?? this.authority.certificate,
          agent: options.fresh === true ? false : this.#agent,
          headers: { 'content-type': 'application/json', ...options.headers },
        },
        (reply) => void collect(reply).then(resolve, reject),
      );
      call.on('error', reject);
      sendBody(call, body);
    });
  }

  async review(object: unknown, parts: object = {}): Promise<AdmissionResponse> {
    const { text } = await this.call('/validate', JSON.stringify(reviewOf(object, parts)));
    return (JSON.parse(text) as { readonly response: AdmissionResponse }).response;
  }

  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    const end = performance.now() + 10_000;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(`it never came to that; the log: ${this.log.join('')}`);
      await systemClock.sleep(10, new AbortController().signal);
    }
  }
}

export type CallOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string;
  /** On a connection of its own. */
  readonly fresh?: boolean;
};

export type AdmissionResponse = {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly message: string };
  readonly warnings?: readonly string[];
};

export function reviewOf(object: unknown, parts: object = {}): unknown {
  const request = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    resource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
    name: 'reviews',
    namespace: 'shop',
    operation: 'CREATE',
    userInfo: { username: 'kubernetes-admin' },
    object,
    oldObject: null,
    dryRun: false,
    ...parts,
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
}

export function virtualService(spec: object): unknown {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec,
  };
}

export const goodSpec = { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] };
export const badSpec = { hosts: ['a b'], http: [{ route: [{ destination: { host: '' } }] }] };

function sendBody(call: ClientRequest, body: string | Buffer | undefined): void {
  if (body === undefined) call.end();
  else call.end(body);
}

async function collect(reply: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  return { status: reply.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}
