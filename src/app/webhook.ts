import { makeServingPair } from '../citadel/serving-pair.ts';
import { AdmissionWebhook } from '../galley/admission/admission.ts';
import { probeOwnHttps } from '../http/https-probe.ts';
import { HttpsServer } from '../http/https-server.ts';
import type { Clock } from '../kit/clock.ts';
import { type Runnable, runAll } from '../kit/run-group.ts';
import type { KubeApi, Leadership } from '../kube/api.ts';
import type { Reflect } from '../kube/reflection.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CaBundles } from '../webhooks/ca-bundles.ts';
import { CertificateFiles } from '../webhooks/certificate-files.ts';
import { TrustBundle } from '../webhooks/trust-bundle.ts';
import { type CertificateTimes, WebhookCertificates } from '../webhooks/webhook-certificates.ts';
import { WebhookProbe } from '../webhooks/webhook-probe.ts';
import type { Address } from './config.ts';

/** Where the serving pair comes from: files that somebody else keeps, or a Secret that the replicas keep. */
export type CertificateSource =
  | { readonly kind: 'files'; readonly certFile: string; readonly keyFile: string }
  | {
      readonly kind: 'secret';
      readonly kube: KubeApi;
      readonly leadership: Leadership;
      readonly reflect: Reflect;
      readonly namespace: string;
      /** By which the API server calls: `xebec.istio-system.svc`. */
      readonly dnsNames: readonly string[];
      readonly times?: Partial<CertificateTimes>;
    };

export type WebhookInputs = {
  readonly certificates: CertificateSource;
  readonly snapshot: () => ConfigSnapshot | undefined;
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** The HTTPS port that the API server calls, with everything about its certificate. */
export class Webhook implements Runnable {
  readonly name = 'webhook';
  readonly #inputs: WebhookInputs;
  readonly #server: HttpsServer;
  readonly #probe: WebhookProbe;
  #bound: Address | undefined;

  constructor(inputs: WebhookInputs) {
    const { snapshot, domain, clock, log, metrics } = inputs;
    const admission = new AdmissionWebhook({ snapshot, domain, log, metrics });
    this.#inputs = inputs;
    this.#server = new HttpsServer({
      route: (path) => admission.route(path),
      onReply: (path, status) => admission.onReply(path, status),
      onError: (error, path) => log.error({ path, error }, 'request failed'),
    });
    this.#probe = new WebhookProbe({ clock, call: (signal) => this.#callItself(signal) });
  }

  /** Takes the port, or rejects with a message that says what to do. */
  async bind(address: Address): Promise<Address> {
    this.#bound = await this.#server.bind(address);
    return this.#bound;
  }

  /** Whether the API server would be answered. */
  get isReady(): boolean {
    return this.#probe.isReady;
  }

  async run(signal: AbortSignal): Promise<void> {
    await runAll([this.#server, this.#probe, ...this.#certificates()], signal);
  }

  #certificates(): readonly Runnable[] {
    const { certificates, clock, log, metrics } = this.#inputs;
    const common = { clock, log, metrics };
    const use: HttpsServer['useCertificate'] = (pair) => this.#server.useCertificate(pair);
    switch (certificates.kind) {
      case 'files':
        return [new CertificateFiles({ ...certificates, use, ...common })];
      case 'secret': {
        const trust = new TrustBundle(clock);
        return [
          new WebhookCertificates({ ...certificates, issue: makeServingPair, use, trust, ...common }),
          new CaBundles({ ...certificates, kinds: ['validating'], trust, ...common }),
        ];
      }
    }
  }

  async #callItself(signal: AbortSignal): Promise<void> {
    if (this.#bound === undefined) throw new Error('the port is not taken yet');
    await probeOwnHttps(this.#bound, '/ready', signal);
  }
}
