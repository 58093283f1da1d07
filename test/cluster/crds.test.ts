import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Collection, collectionFor, collections } from '../../src/apis/collections.ts';
import { parseDocument } from '../../src/galley/yaml/parse-document.ts';
import { splitDocuments } from '../../src/galley/yaml/split-documents.ts';
import { checkout } from '../../tools/paths.mjs';
import { apiServerOfFile } from './api-server-of-file.ts';
import { refusedBySchema } from './refused-by-schema.ts';

// The CRDs of crds/ on a real API server, without a webhook: what kubectl and the schemas alone do.

const server = apiServerOfFile();
const istio: readonly Collection[] = Object.values(collections).filter(({ source }) => source === 'istio');
const objects = join(import.meta.dirname, 'objects');
const invalid = join(import.meta.dirname, 'invalid');

type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly generation?: number };
  readonly spec?: unknown;
  readonly status?: unknown;
};

function manifests(): readonly Manifest[] {
  const files = readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((name) =>
    splitDocuments(readFileSync(join(objects, name), 'utf8')).map(({ text }) => {
      const parsed = parseDocument(text);
      if (!parsed.ok) throw new Error(`${name}: ${parsed.error.message}`);
      return parsed.value.value as Manifest;
    }),
  );
}

async function kubectl(args: readonly string[], stdin?: object): Promise<string> {
  const { status, stdout, stderr } = await server().kubectl(args, stdin && JSON.stringify(stdin));
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function refusal(object: object): Promise<string> {
  const { status, stderr } = await server().kubectl(['create', '-f', '-'], JSON.stringify(object));
  return status === 0 ? 'was accepted' : stderr;
}

function pathOf(collection: Collection, version: string, { metadata }: Manifest): string {
  const { group, plural, scope } = collection;
  const namespace = scope === 'cluster' ? '' : `namespaces/${metadata.namespace ?? 'default'}/`;
  return `/apis/${group}/${version}/${namespace}${plural}/${metadata.name}`;
}

async function read(path: string): Promise<Manifest> {
  const { status, body } = await server().call('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
  return JSON.parse(body) as Manifest;
}

/** `kubectl apply` drops the nulls of members before it sends an object. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member)]));
}

function virtualService(name: string, spec: object): Manifest {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name }, spec };
}

const routed = { hosts: ['a.com'], http: [{ route: [{ destination: { host: 'a' } }] }] };

beforeAll(async () => {
  await server().applyCrds();
  await kubectl(['apply', '-R', '-f', objects]);
});

describe('definitions', () => {
  test('are all established, and structural', async () => {
    type Definition = {
      readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
    };
    const list = JSON.parse(await kubectl(['get', 'crd', '-l', 'release=istio', '-o', 'json'])) as {
      readonly items: readonly Definition[];
    };
    expect(list.items.length).toBe(istio.length);
    const conditions = list.items.flatMap(({ status }) => status.conditions);
    expect(new Set(conditions.map(({ type, status }) => `${type}=${status}`))).toEqual(
      new Set(['NamesAccepted=True', 'Established=True']),
    );
  });

  test('fit into the annotation in which kubectl apply keeps what it applied', async () => {
    const applied = await kubectl(['apply', '--dry-run=server', '-f', `${join(checkout, 'crds')}/`]);
    expect(applied.trim().split('\n').length).toBe(istio.length);
  });

  test.each(istio)(
    '$kind has its names, versions and categories',
    async ({ group, kind, plural, versions, ...row }) => {
      const expected = {
        name: plural,
        singularName: kind.toLowerCase(),
        namespaced: row.scope === 'namespaced',
        kind,
        categories: row.categories,
        ...(row.shortNames.length > 0 && { shortNames: row.shortNames }),
      };
      for (const version of versions) {
        const { body } = await server().call('GET', `/apis/${group}/${version}`);
        const { resources } = JSON.parse(body) as { readonly resources: readonly { readonly name: string }[] };
        expect(resources.find(({ name }) => name === plural)).toMatchObject(expected);
        expect(resources.map(({ name }) => name)).toContain(`${plural}/status`);
      }
    },
  );
});

describe('objects', () => {
  test.each(manifests().map((manifest) => ({ manifest, kind: manifest.kind, name: manifest.metadata.name })))(
    '$kind $name is read back as it was written, in each version',
    async ({ manifest }) => {
      const collection = collectionFor(manifest.apiVersion, manifest.kind);
      if (collection === undefined) throw new Error(`${manifest.apiVersion} ${manifest.kind} is not read`);
      for (const version of collection.versions) {
        const found = await read(pathOf(collection, version, manifest));
        expect(found.apiVersion).toBe(`${collection.group}/${version}`);
        expect(found.spec).toEqual(withoutNulls(manifest.spec));
      }
    },
  );

  test('keep proto names and misspelled members, so that the webhook sees what the author wrote', async () => {
    const http = [{ retries: { attempts: 1, retry_on: '5xx' }, retires: {}, route: [{ destination: { host: 'a' } }] }];
    const object = virtualService('spelled', { hosts: ['a.com'], http });
    await kubectl(['apply', '-f', '-'], object);
    const found = await read('/apis/networking.istio.io/v1beta1/namespaces/default/virtualservices/spelled');
    expect(found.spec).toEqual(object.spec);
  });

  test('keep a null that means something, unless it is kubectl that drops it', async () => {
    const metadata = { name: 'null' };
    const policy = {
      apiVersion: 'authentication.istio.io/v1alpha1',
      kind: 'Policy',
      metadata,
      spec: { peers: [{ mtls: null }] },
    };
    await kubectl(['apply', '--server-side', '-f', '-'], policy);
    const found = await read('/apis/authentication.istio.io/v1alpha1/namespaces/default/policies/null');
    expect(found.spec).toEqual(policy.spec);
  });

  test('may have a null where Istio’s wrapper types print one', async () => {
    const spec = { url: 'oci://a/b', priority: null };
    const plugin = { apiVersion: 'extensions.istio.io/v1alpha1', kind: 'WasmPlugin', metadata: { name: 'null' }, spec };
    await kubectl(['create', '-f', '-'], plugin);
    const found = await read('/apis/extensions.istio.io/v1alpha1/namespaces/default/wasmplugins/null');
    expect(found.spec).toEqual(spec);
  });
});

describe('refused by the schemas alone', () => {
  test.each(refusedBySchema)('%s', async (_, what, spec, problem) => {
    const [apiVersion, kind] = what.split(' ');
    expect(await refusal({ apiVersion, kind, metadata: { name: 'refused' }, spec })).toContain(problem);
  });

  test('nothing that is left to the webhook, which says it better', async () => {
    const files = readdirSync(invalid).map((name) => readFileSync(join(invalid, name), 'utf8'));
    const count = files.join('\n').match(/^kind: /gm)?.length;
    const applied = await kubectl(['apply', '--dry-run=server', '-f', invalid]);
    expect(applied.trim().split('\n').length).toBe(count);
  });

  test('what belongs to no object', async () => {
    expect(await refusal({ ...virtualService('refused', routed), sepc: {} })).toContain('unknown field "sepc"');
  });
});

describe('what users see', () => {
  const programmed = {
    observedGeneration: 1,
    programmed: '11/12',
    programmedProxies: 11,
    knownProxies: 12,
    conditions: [
      condition('Accepted', 'True', 'Accepted'),
      condition('Programmed', 'True', 'ProgrammedWithExceptions'),
    ],
    validationMessages: [
      {
        type: { code: 'IST0109', name: 'Conflict' },
        level: 'WARNING',
        documentationUrl: 'https://a',
        message: 'b',
        any: 1,
      },
    ],
    addresses: [{ value: '240.240.0.1' }],
  };

  function condition(type: string, status: string, reason: string): object {
    const lastTransitionTime = '2020-01-31T12:00:00Z';
    return { type, status, reason, message: 'a', observedGeneration: 1, lastTransitionTime };
  }

  async function patchStatus(name: string, status: object): Promise<void> {
    const patch = JSON.stringify({ status });
    await kubectl(['patch', 'vs', name, '--subresource=status', '--type=merge', '-p', patch]);
  }

  function words(text: string): readonly (readonly string[])[] {
    return text
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s{2,}/));
  }

  test('every kind under istio-io, and each category of its own', async () => {
    const lines = await kubectl(['get', 'istio-io', '-A', '-o', 'name']);
    for (const { kind, group } of istio) expect(lines).toContain(`${kind.toLowerCase()}.${group}/`);
    for (const category of new Set(istio.flatMap(({ categories }) => categories))) {
      const inCategory = await kubectl(['get', category, '-A', '-o', 'name']);
      const kinds = istio.filter(({ categories }) => categories.includes(category));
      expect(
        new Set(
          inCategory
            .trim()
            .split('\n')
            .map((line) => line.replace(/\/.*/, '')),
        ),
      ).toEqual(new Set(kinds.map(({ kind, group }) => `${kind.toLowerCase()}.${group}`)));
    }
  });

  test.each(istio.flatMap(({ shortNames, kind, group }) => shortNames.map((short) => ({ short, kind, group }))))(
    '$short is $kind',
    async ({ short, kind, group }) => {
      const lines = await kubectl(['get', short, '-o', 'name']);
      expect(lines.split('/')[0]).toBe(`${kind.toLowerCase()}.${group}`);
    },
  );

  test('Istio’s columns, then whether it is accepted and by how many proxies it was taken', async () => {
    await kubectl(['apply', '-f', '-'], virtualService('columns', routed));
    await patchStatus('columns', programmed);
    const [header, line] = words(await kubectl(['get', 'vs', 'columns']));
    expect(header).toEqual(['NAME', 'GATEWAYS', 'HOSTS', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    expect(line?.slice(0, -1)).toEqual(['columns', '["a.com"]', 'True', '11/12']);
    const [wide, wideLine] = words(await kubectl(['get', 'vs', 'columns', '-o', 'wide']));
    expect(wide).toEqual(['NAME', 'GATEWAYS', 'HOSTS', 'ACCEPTED', 'PROGRAMMED', 'REASON', 'AGE']);
    expect(wideLine?.slice(-2, -1)).toEqual(['ProgrammedWithExceptions']);
  });

  test.each([
    ['dr', ['NAME', 'HOST', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['gw', ['NAME', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['se', ['NAME', 'HOSTS', 'LOCATION', 'RESOLUTION', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['we', ['NAME', 'ADDRESS', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['ap', ['NAME', 'ACTION', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['pa', ['NAME', 'MODE', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['servicerolebinding', ['NAME', 'REFERENCE', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
    ['rule', ['NAME', 'ACCEPTED', 'PROGRAMMED', 'AGE']],
  ])('the columns of %s', async (name, header) => {
    expect(words(await kubectl(['get', name]))[0]).toEqual(header);
  });

  test('what a kind is for', async () => {
    expect(await kubectl(['explain', 'vs'])).toContain('How requests to some hosts are routed');
    expect(await kubectl(['explain', 'dr.spec'])).toContain('Named parts of the service, by labels');
    expect(await kubectl(['explain', 'vs.spec.http.retries', '--api-version=networking.istio.io/v1beta1'])).toContain(
      'attempts\t<integer>',
    );
  });

  test('a status that a spec does not touch, nor the other way round', async () => {
    const path = '/apis/networking.istio.io/v1/namespaces/default/virtualservices/apart';
    await kubectl(['apply', '-f', '-'], { ...virtualService('apart', routed), status: { programmed: '0/0' } });
    expect((await read(path)).status).toBeUndefined();
    await patchStatus('apart', programmed);
    const before = await read(path);
    expect(before.status).toEqual(programmed);
    expect(before.metadata.generation).toBe(1);
    await kubectl(['apply', '-f', '-'], virtualService('apart', { ...routed, hosts: ['b.com'] }));
    const after = await read(path);
    expect(after.status).toEqual(programmed);
    expect(after.metadata.generation).toBe(2);
    const forged = JSON.stringify({ spec: { hosts: ['c.com'] }, status: { programmed: '12/12' } });
    await kubectl(['patch', 'vs', 'apart', '--subresource=status', '--type=merge', '-p', forged]);
    expect(await read(path)).toMatchObject({ spec: { hosts: ['b.com'] }, status: { programmed: '12/12' } });
  });

  test('conditions of two writers, merged by their type', async () => {
    await kubectl(['apply', '-f', '-'], virtualService('writers', routed));
    const { apiVersion, kind, metadata } = virtualService('writers', routed);
    for (const type of ['Accepted', 'Checked']) {
      const status = { conditions: [condition(type, 'True', type)] };
      const args = ['apply', '--server-side', '--subresource=status', `--field-manager=${type}`, '-f', '-'];
      await kubectl(args, { apiVersion, kind, metadata: { ...metadata, namespace: 'default' }, status });
    }
    const waited = ['Accepted', 'Checked'].map((type) =>
      kubectl(['wait', `--for=condition=${type}`, '--timeout=5s', 'vs/writers']),
    );
    for (const said of await Promise.all(waited)) expect(said).toContain('condition met');
  });

  test('a wrong status is refused', async () => {
    await kubectl(['apply', '-f', '-'], virtualService('wrong', routed));
    await expect(patchStatus('wrong', { observedGeneration: 'one' })).rejects.toThrow('status.observedGeneration');
    await expect(patchStatus('wrong', { conditions: [{ status: 'True' }] })).rejects.toThrow('Required value');
  });
});
