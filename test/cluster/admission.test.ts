import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { splitDocuments } from '../../src/galley/yaml/split-documents.ts';
import { createAuthority } from '../support/certificates.ts';
import type { ApiReply } from './admin-client.ts';
import { type RunningWebhook, startWebhook, until, webhookConfiguration } from './admission-webhook.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs } from './kube-copy.ts';

// What a real API server does with our webhook: kubectl's words, certificates that come and go, authorities that somebody changed.

const server = apiServerOfFile();
const invalid = join(import.meta.dirname, 'invalid');
const SERVICES = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices';
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/xebec-istio-system';
const SECRET = '/api/v1/namespaces/istio-system/secrets/xebec-webhook-tls';

const endings: (() => Promise<void> | void)[] = [];
const atEnd = (end: () => Promise<void> | void): void => void endings.push(end);

beforeAll(async () => {
  await server().applyCrds();
  for (const namespace of ['shop', 'istio-system']) await kubectl(['create', 'namespace', namespace]);
});

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  await kubectl(['delete', 'validatingwebhookconfigurations', '--all']);
  await kubectl(['delete', 'secret', '-n', 'istio-system', '--all']);
  await kubectl(['delete', 'virtualservices', '-n', 'shop', '--all']);
});

afterAll(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
  const { status, stdout, stderr } = await server().kubectl(args, stdin);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout + stderr;
}

async function refusal(args: readonly string[], stdin: string): Promise<string> {
  const { status, stderr } = await server().kubectl(args, stdin);
  return status === 0 ? 'was accepted' : stderr;
}

/** A webhook, and a configuration through which the API server calls it. */
async function install(options: { readonly lifetimeMs?: number } = {}): Promise<RunningWebhook> {
  const api = await connectAs(server().kubeconfig, { atEnd });
  const times = options.lifetimeMs === undefined ? {} : { lifetimeMs: options.lifetimeMs };
  const webhook = await startWebhook({ api, times, atEnd });
  await kubectl(['create', '-f', '-'], JSON.stringify(webhookConfiguration(webhook.port)));
  await until('judged', async () => (await create(bad)).body.includes('denied the request'));
  return webhook;
}

function virtualService(name: string, spec: object): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'shop' },
    spec,
  };
}

const goodSpec = { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] };
const good = virtualService('good', goodSpec);
const bad = virtualService('bad', { hosts: ['a b'], http: [{ route: [{ destination: { host: '' } }] }] });

/** Asks the API server, which asks the webhook, and stores nothing. */
function create(object: object): Promise<ApiReply> {
  return server().call('POST', `${SERVICES}?dryRun=All`, object);
}

async function read(path: string): Promise<Record<string, unknown>> {
  const { status, body } = await server().call('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
  return JSON.parse(body) as Record<string, unknown>;
}

async function bundle(): Promise<string> {
  const { webhooks } = (await read(CONFIGURATION)) as {
    readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
  };
  return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString();
}

async function stored(key: string): Promise<string> {
  const { data } = (await read(SECRET)) as { readonly data?: Readonly<Record<string, string>> };
  return Buffer.from(data?.[key] ?? '', 'base64').toString();
}

describe('kubectl', () => {
  const documents = readdirSync(invalid).flatMap((file) =>
    splitDocuments(readFileSync(join(invalid, file), 'utf8')).map(({ text, line }) => ({
      place: `${file}:${line}`,
      text,
      expected: [...text.matchAll(/^# expect: (.+)$/gm)].map(([, words = '']) => words),
    })),
  );

  test('is refused every invalid object, with all that is wrong with it', async () => {
    await install();
    expect(documents.length).toBeGreaterThanOrEqual(150);
    const failures: unknown[] = [];
    const waiting = [...documents];
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const said = await refusal(['apply', '-f', '-'], next.text);
        const missing = next.expected.filter((words) => !said.includes(words));
        const isOurs = said.includes('admission webhook "validate.xebec.dev" denied the request: ');
        if (!isOurs || missing.length > 0 || next.expected.length === 0) failures.push({ ...next, said, missing });
      }
    };
    await Promise.all([work(), work(), work(), work()]);
    expect(failures).toEqual([]);
  });

  test('says of a bad object what the author has to do, one line a problem', async () => {
    await install();
    expect(await refusal(['apply', '-f', '-'], JSON.stringify(bad))).toMatch(
      /^Error from server: error when creating "STDIN": admission webhook "validate\.xebec\.dev" denied the request: VirtualService shop\/bad has 2 problems:\n {2}spec\.hosts\[0\]: .+\n {2}spec\.http\[0\]\.route\[0\]\.destination\.host: .+\n$/,
    );
  });

  test('shows warnings, and stores the object', async () => {
    await install();
    const odd = virtualService('odd', { ...goodSpec, http: [...goodSpec.http, ...goodSpec.http] });
    const said = await kubectl(['apply', '-f', '-'], JSON.stringify(odd));
    expect(said).toContain('Warning: odd.spec.http[1]: is never reached: ');
    expect(said).toContain('virtualservice.networking.istio.io/odd created');
  });

  test('on a dry run is told the same, and nothing is there afterwards', async () => {
    await install();
    const dryRun = ['apply', '--dry-run=server', '-f', '-'];
    expect(await kubectl(dryRun, JSON.stringify(good))).toContain('created (server dry run)');
    expect(await refusal(dryRun, JSON.stringify(bad))).toContain('has 2 problems');
    expect((await server().call('GET', `${SERVICES}/good`)).status).toBe(404);
  });

  test('may give an object a name to begin with', async () => {
    await install();
    const begun = (object: object): string =>
      JSON.stringify({ ...object, metadata: { generateName: 'begun-', namespace: 'shop' } });
    expect(await kubectl(['create', '-f', '-'], begun(good))).toMatch(
      /virtualservice\.networking\.istio\.io\/begun-\w+ created/,
    );
    expect(await refusal(['create', '-f', '-'], begun(bad))).toMatch(/VirtualService shop\/begun-\S+ has 2 problems/);
  });

  test('may repair, label, finalize and delete what was bad before there was a webhook', async () => {
    await kubectl(['create', '-f', '-'], JSON.stringify(bad));
    await install();
    const at = ['virtualservice', 'bad', '-n', 'shop'];
    const said = await kubectl(['label', ...at, 'a=b']);
    expect(said).toContain('Warning: bad.spec.hosts[0]: ');
    await kubectl(['patch', ...at, '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/a"]}}']);
    await kubectl([
      'patch',
      ...at,
      '--type=merge',
      '--subresource=status',
      '-p',
      '{"status":{"observedGeneration":1}}',
    ]);
    const worse = ['patch', ...at, '--type=merge', '-p', '{"spec":{"hosts":["a b","c d"]}}'];
    expect(await refusal(worse, '')).toContain('has 3 problems');
    await kubectl(['delete', ...at, '--wait=false']);
    await kubectl(['patch', ...at, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await until('gone', async () => (await server().call('GET', `${SERVICES}/bad`)).status === 404);
    await kubectl(['create', '-f', '-'], JSON.stringify(good));
  });
});

/** An API server hears of a change of the configuration within this time. */
const LATE_MS = 500;

/** Connects to the webhook as one who trusts what the configuration said a moment ago, and nothing that it says since. */
async function knock(port: number): Promise<string | undefined> {
  const ca = await bundle();
  await sleep(LATE_MS);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', (error) => resolve(String(error)));
  });
}

type Load = { readonly wrong: string[]; readonly count: () => number; readonly stop: () => Promise<void> };

/** Asks all the time, on several connections, and on new ones; what was answered otherwise than it must be. */
function load(port: number): Load {
  const wrong: string[] = [];
  const state = { isStopped: false, count: 0 };
  const ask = async (): Promise<void> => {
    while (!state.isStopped) {
      const [fine, refused] = await Promise.all([create(good), create(bad)]);
      if (fine.status !== 201) wrong.push(`${fine.status} ${fine.body}`);
      if (!refused.body.includes('has 2 problems')) wrong.push(`${refused.status} ${refused.body}`);
      state.count += 2;
    }
  };
  const connectAnew = async (): Promise<void> => {
    while (!state.isStopped) {
      const error = await knock(port);
      if (error !== undefined) wrong.push(error);
    }
  };
  const asking = [ask(), ask(), ask(), connectAnew(), connectAnew(), connectAnew(), connectAnew()];
  const stop = async (): Promise<void> => {
    state.isStopped = true;
    await Promise.all(asking);
  };
  onTestFinished(stop);
  return { wrong, count: () => state.count, stop };
}

describe('the certificate', () => {
  test('changes again and again, and no request is answered otherwise', async () => {
    const webhook = await install({ lifetimeMs: 20_000 });
    const asking = load(webhook.port);
    const seen = new Set([await stored('tls.crt')]);
    await until('changed three times', async () => seen.add(await stored('tls.crt')).size >= 4);
    await asking.stop();
    expect(asking.wrong).toEqual([]);
    expect(asking.count()).toBeGreaterThan(20);
    const steps = webhook.log.filter((line) => line.includes('webhook certificate stored'));
    const reasons = steps.map((line) => (JSON.parse(line) as { readonly why: string }).why);
    expect(reasons.slice(0, 7)).toEqual(['created', 'staged', 'promoted', 'staged', 'promoted', 'staged', 'promoted']);
  });

  test('outlives its Secret, whether that is deleted or damaged', async () => {
    const { port } = await install();
    const certificate = await stored('tls.crt');
    const asking = load(port);
    await kubectl(['delete', 'secret', '-n', 'istio-system', 'xebec-webhook-tls']);
    await until('restored', async () => (await server().call('GET', SECRET)).status === 200);
    expect(await stored('tls.crt')).toBe(certificate);
    const damage = ['patch', 'secret', '-n', 'istio-system', 'xebec-webhook-tls', '--type=merge', '-p'];
    for (const data of [{ 'tls.crt': 'AA==' }, { 'tls.key': 'AA==' }, { 'ca.crt': 'AA==' }]) {
      await kubectl([...damage, JSON.stringify({ data })]);
      await until(
        'restored',
        async () => (await stored('tls.crt')) === certificate && (await stored('ca.crt')) === (await bundle()),
      );
    }
    await asking.stop();
    expect(asking.wrong).toEqual([]);
  });

  test('is one for all replicas, whoever comes first', async () => {
    const api = await connectAs(server().kubeconfig, { atEnd });
    const replicas = await Promise.all([false, true, false].map((leads) => startWebhook({ api, leads, atEnd })));
    await until('ready', () => replicas.every(({ isReady }) => isReady()));
    const made = replicas.flatMap(({ log }) => log).filter((line) => line.includes('webhook certificate stored'));
    expect(made).toHaveLength(1);
    for (const { port } of replicas) {
      await kubectl(
        ['apply', '--server-side', '--force-conflicts', '-f', '-'],
        JSON.stringify(webhookConfiguration(port)),
      );
      await until('judged', async () => (await create(bad)).body.includes('denied the request'));
      expect((await create(good)).status).toBe(201);
    }
  });
});

describe('the authorities in the configuration', () => {
  test('that somebody changed are given back, and then no request fails any more', async () => {
    const webhook = await install();
    const right = await bundle();
    const wrongBundle = Buffer.from(createAuthority('somebody').certificate).toString('base64');
    for (const value of [wrongBundle, '']) {
      const patch = [{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value }];
      await kubectl([
        'patch',
        'validatingwebhookconfiguration',
        'xebec-istio-system',
        '--type=json',
        '-p',
        JSON.stringify(patch),
      ]);
      await until('given back', async () => (await bundle()) === right);
      // The API server hears of its own objects a moment later.
      await until('judged', async () => (await create(good)).status === 201);
    }
    const asking = load(webhook.port);
    await until('asked enough', () => asking.count() > 100);
    await asking.stop();
    expect(asking.wrong).toEqual([]);
    expect(await webhook.metrics.expose()).toMatch(/galley_validation_config_updates [3-9]/);
  });

  test('come to a configuration that is deleted and made again, and to no other', async () => {
    const webhook = await install();
    const right = await bundle();
    await kubectl(['delete', 'validatingwebhookconfiguration', 'xebec-istio-system']);
    const foreign = { metadata: { name: 'foreign', labels: { 'xebec.dev/ca-bundle': 'elsewhere' } } };
    await kubectl(['create', '-f', '-'], JSON.stringify({ ...webhookConfiguration(webhook.port), ...foreign }));
    await kubectl(['create', '-f', '-'], JSON.stringify(webhookConfiguration(webhook.port)));
    await until('given', async () => (await bundle()) === right);
    expect(await kubectl(['get', 'validatingwebhookconfiguration', 'foreign', '-o', 'yaml'])).not.toContain('caBundle');
  });

  test('wait for the right to write them, and say once which is missing', async () => {
    const user = 'limited';
    await kubectl([
      'create',
      'role',
      'limited',
      '-n',
      'istio-system',
      '--verb=get,create,update',
      '--resource=secrets',
    ]);
    await kubectl(['create', 'rolebinding', 'limited', '-n', 'istio-system', '--role=limited', `--user=${user}`]);
    const api = await connectAs(server().userKubeconfig(user), { atEnd });
    const webhook = await startWebhook({ api, atEnd });
    await kubectl(['create', '-f', '-'], JSON.stringify(webhookConfiguration(webhook.port)));
    const complaints = (): readonly string[] =>
      webhook.log.filter((line) => line.includes('cannot be kept up to date'));
    await until('told', () => complaints().length > 0);
    expect(complaints()[0]).toContain(
      'allow the service account to list and watch validatingwebhookconfigurations.admissionregistration.k8s.io',
    );
    const resource = '--resource=validatingwebhookconfigurations';
    await kubectl(['create', 'clusterrole', 'readers', '--verb=list,watch', resource]);
    await kubectl(['create', 'clusterrolebinding', 'readers', '--clusterrole=readers', `--user=${user}`]);
    await until('told', () => complaints().some((line) => line.includes('to patch')));
    await kubectl(['create', 'clusterrole', 'writers', '--verb=patch', resource]);
    await kubectl(['create', 'clusterrolebinding', 'writers', '--clusterrole=writers', `--user=${user}`]);
    await until('given', async () => (await bundle()) !== '');
    await until('told', () => webhook.log.some((line) => line.includes('can be kept up to date again')));
    expect(complaints()).toHaveLength(2);
  });
});
