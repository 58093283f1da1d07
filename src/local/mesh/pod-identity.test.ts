import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { podSigners } from '../../app/pod-identities.ts';
import type { Issuer, IssuerSource } from '../../citadel/issuer.ts';
import { createAuthority } from '../../citadel/x509/authority.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { describeDiskTrouble } from '../disk-trouble.ts';
import { LateSigner } from './late-signer.ts';
import { PodIdentity } from './pod-identity.ts';

const HOUR_MS = 3_600_000;
/** Giving files to Envoy's user needs root. */
const asRoot = test.skipIf(process.getuid?.() !== 0);

class Bench {
  readonly clock = new ManualClock();
  readonly signer = new LateSigner();
  readonly errors: string[] = [];
  readonly identity: PodIdentity;
  readonly #folder: string;
  readonly #stop = new AbortController();
  #current: Issuer | undefined;
  #tell: () => void = () => undefined;
  #done: Promise<void> | undefined;

  constructor(folder = mkdtempSync(join(tmpdir(), 'xebec-identity-'))) {
    this.#folder = folder;
    onTestFinished(async () => {
      this.#stop.abort();
      await this.#done;
      rmSync(folder, { recursive: true, force: true });
    });
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const log = {
      ...silent,
      error: (fields: object) => void this.errors.push(JSON.stringify(fields)),
      child: () => log,
    };
    this.identity = new PodIdentity(
      { plan: { name: 'web-0', namespace: 'shop', serviceAccount: 'web' }, folder },
      {
        identities: { signer: this.signer, random: () => 0.5 },
        clock: this.clock,
        log,
        onChange: () => undefined,
      },
    );
  }

  start(): void {
    this.#done = this.identity.run(this.#stop.signal);
  }

  followControlPlane(): void {
    const issuers: IssuerSource = {
      current: () => this.#current,
      onChange: (listener) => {
        this.#tell = listener;
        return () => undefined;
      },
    };
    this.signer.follow(podSigners(issuers, HOUR_MS));
  }

  setIssuer(name: string, trustDomain = 'cluster.local', endsInMs = 1000 * HOUR_MS): void {
    const now = this.clock.now();
    const validity = { notBefore: now - HOUR_MS, notAfter: now + endsInMs };
    const signer = createAuthority({ subject: { organization: name }, validity });
    this.#current = { signer, intermediates: '', roots: signer.certificate, trustDomain };
    this.#tell();
  }

  read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  leaf(): X509Certificate {
    return new X509Certificate(this.read('cert-chain.pem'));
  }

  /** What is waited for takes real I/O, but no time. */
  async written(isNew: () => boolean): Promise<void> {
    await expect.poll(isNew).toBe(true);
  }
}

describe('the identity of a pod', () => {
  asRoot('is there once the control plane is, in the name of its account', async () => {
    const bench = new Bench();
    bench.start();
    const ready = bench.identity.ready(new AbortController().signal);
    expect(bench.identity.report).toBeUndefined();
    bench.followControlPlane();
    bench.setIssuer('one');
    await ready;
    const { report } = bench.identity;
    expect(report).toEqual({
      spiffeId: 'spiffe://cluster.local/ns/shop/sa/web',
      notAfter: bench.clock.now() + HOUR_MS,
    });
    expect(bench.leaf().subjectAltName).toBe('URI:spiffe://cluster.local/ns/shop/sa/web');
    expect(bench.leaf().checkIssued(new X509Certificate(bench.read('root-cert.pem')))).toBe(true);
    expect(bench.read('sds-cert.yaml')).toContain('/etc/certs/key.pem');
  });

  asRoot('is renewed at half of its time, not before', async () => {
    const bench = new Bench();
    bench.followControlPlane();
    bench.setIssuer('one');
    bench.start();
    await bench.identity.ready(new AbortController().signal);
    const { serialNumber } = bench.leaf();
    await bench.clock.advance(HOUR_MS * 0.49);
    expect(bench.leaf().serialNumber).toBe(serialNumber);
    await bench.clock.advance(HOUR_MS * 0.02);
    await bench.written(() => bench.leaf().serialNumber !== serialNumber);
  });

  asRoot('is renewed at once when who signs changes, or the trust domain does', async () => {
    const bench = new Bench();
    bench.followControlPlane();
    bench.setIssuer('one');
    bench.start();
    await bench.identity.ready(new AbortController().signal);
    bench.setIssuer('two');
    await bench.written(() => bench.leaf().issuer === 'O=two');
    expect(new X509Certificate(bench.read('root-cert.pem')).subject).toBe('O=two');
    bench.setIssuer('two', 'example.org');
    await bench.written(() => bench.identity.report?.spiffeId === 'spiffe://example.org/ns/shop/sa/web');
  });

  asRoot('stays what it is while an authority that has ended would sign', async () => {
    const bench = new Bench();
    bench.followControlPlane();
    bench.setIssuer('one');
    bench.start();
    await bench.identity.ready(new AbortController().signal);
    bench.setIssuer('two', 'cluster.local', -1_000);
    await bench.written(() => bench.identity.trouble === 'the signing certificate has ended');
    expect(bench.leaf().issuer).toBe('O=one');
    bench.setIssuer('three');
    await bench.written(() => bench.leaf().issuer === 'O=three');
    await bench.written(() => bench.identity.trouble === undefined);
  });

  asRoot('that cannot be written is told once, with what to do, and tried again', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'xebec-identity-')), 'not-there');
    const bench = new Bench(folder);
    bench.followControlPlane();
    bench.setIssuer('one');
    bench.start();
    await bench.written(() => bench.identity.trouble !== undefined);
    await bench.clock.advance(5_000);
    expect(bench.errors).toHaveLength(1);
    expect(bench.errors[0]).toContain('"pod":"web-0"');
  });

  test('trouble with a disk is told with its remedy', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', path: '/run/x' });
    expect(describeDiskTrouble(full)).toBe('/run/x: the disk is full: make room');
    expect(describeDiskTrouble(new Error('odd'))).toBe('odd');
    const nested = new AggregateError([new Error('report failed', { cause: full })], 'report failed');
    expect(describeDiskTrouble(nested)).toBe('/run/x: the disk is full: make room');
  });
});
