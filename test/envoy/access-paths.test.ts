// S7 and S8: nobody gets past a policy for paths or hosts by writing them in another way (2021-005, 2021-008).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuthorizationPolicySpec } from '../../src/apis/security/security.ts';
import { selectAccess } from '../../src/pilot/security/access.ts';
import { meshSecurity } from '../../src/pilot/security/testing/mesh-security.ts';
import { object } from '../../src/testing/builders.ts';
import { RawHttp, type RawResponse } from '../support/access-client.ts';
import { AccessEnvoy, addressOfGuarded, freePorts, type Guarded, TestIdentities } from '../support/access-envoy.ts';
import { mutatePath, readings } from '../support/path-readings.ts';
import { Random } from '../support/random.ts';

const seed = Number(process.env['XEBEC_SEED'] ?? 1);
const MUTATIONS = Number(process.env['XEBEC_REQUESTS'] ?? 1000);

/** What no reading of a request that gets through may be. */
type PathCase = {
  readonly name: string;
  readonly spec: AuthorizationPolicySpec;
  readonly isForbidden: (path: string) => boolean;
  readonly begins: readonly string[];
  /** What must still get through. */
  readonly open: readonly string[];
};

const isAdmin = (path: string): boolean => /^\/admin(?:\/|$)/.test(path);
const secrets = ['/admin', '/admin/', '/admin/users'];
const harmless = [
  '/',
  '/other',
  '/administrator',
  '/files/a%2Fb',
  '/a;v=1/b',
  '/x//y',
  '/files/a%20b?x=/admin',
  '/A/b',
];

const cases: readonly PathCase[] = [
  {
    name: 'DENY paths',
    spec: { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin', '/admin/*'] } }] }] },
    isForbidden: isAdmin,
    begins: secrets,
    open: harmless,
  },
  {
    name: 'DENY paths by template',
    spec: { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin', '/admin/', '/admin/{**}'] } }] }] },
    isForbidden: isAdmin,
    begins: secrets,
    open: harmless,
  },
  {
    name: 'DENY paths by suffix',
    spec: { action: 'DENY', rules: [{ to: [{ operation: { paths: ['*/users'] } }] }] },
    isForbidden: (path) => /\/users\/?$/.test(path),
    begins: ['/admin/users', '/users'],
    open: ['/', '/superusers', '/users/7', '/users.html'],
  },
  {
    name: 'ALLOW notPaths',
    spec: { rules: [{ to: [{ operation: { notPaths: ['/admin', '/admin/*'] } }] }] },
    isForbidden: isAdmin,
    begins: secrets,
    open: harmless,
  },
  {
    name: 'ALLOW paths by prefix',
    spec: { rules: [{ to: [{ operation: { paths: ['/public/*'] } }] }] },
    isForbidden: (path) => !/^\/public(?:\/|$)/i.test(path),
    begins: ['/public/a', '/admin', '/public/'],
    open: ['/public/a', '/public/a%2Fb', '/public/A//b', '/public/a;v=1', '/public/?x'],
  },
  {
    name: 'ALLOW paths by suffix',
    spec: { rules: [{ to: [{ operation: { paths: ['*.png'] } }] }] },
    isForbidden: (path) => !/\.png\/?$/i.test(path),
    begins: ['/img/a.png', '/admin', '/admin/users'],
    open: ['/img/a.png', '/img/%C3%A9.png', '/a;v=1/b.png', '/x.png?y'],
  },
  {
    name: 'ALLOW paths by template',
    spec: { rules: [{ to: [{ operation: { paths: ['/api/{*}/users'] } }] }] },
    isForbidden: (path) => !/^\/api\/[^/]+\/users\/?$/i.test(path),
    begins: ['/api/v1/users', '/api/users', '/admin/users'],
    open: ['/api/v1/users', '/api/a;b/users', '/api/a%20b/users'],
  },
  {
    name: 'DENY notPaths',
    spec: { action: 'DENY', rules: [{ to: [{ operation: { notPaths: ['/public/*'] } }] }] },
    isForbidden: (path) => !/^\/public(?:\/|$)/i.test(path),
    begins: ['/public/a', '/admin'],
    open: ['/public/a', '/public/a%2Fb'],
  },
];

const levels = ['DEFAULT', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'] as const;

const hostSpecs: Readonly<Record<string, AuthorizationPolicySpec>> = {
  'DENY hosts': { action: 'DENY', rules: [{ to: [{ operation: { hosts: ['admin.example', '*.secret.example'] } }] }] },
  'ALLOW notHosts': { rules: [{ to: [{ operation: { notHosts: ['admin.example', '*.secret.example'] } }] }] },
  'ALLOW hosts': { rules: [{ to: [{ operation: { hosts: ['shop.example', '*.public.example'] } }] }] },
};

function guard(spec: AuthorizationPolicySpec): Guarded {
  const security = meshSecurity({ AuthorizationPolicy: [object('AuthorizationPolicy', 'shop/guard', spec)] });
  return { plan: selectAccess(security, { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] }) };
}

const folder = mkdtempSync(join(tmpdir(), 'xebec-paths-'));
const pathGuards = cases.flatMap(({ spec }) => levels.map((normalization) => ({ ...guard(spec), normalization })));
const guarded = [...pathGuards, ...Object.values(hostSpecs).map(guard)];
const clients = new Map<number, RawHttp>();
let envoy: AccessEnvoy | undefined;
let port = 0;

beforeAll(async () => {
  const ports = await freePorts();
  port = ports.http;
  envoy = new AccessEnvoy({ folder, guarded, ports }, new TestIdentities());
  await envoy.start();
});

afterAll(async () => {
  for (const client of clients.values()) client.close();
  await envoy?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(index: number, path: string, host: readonly string[] = ['shop.example']): Promise<RawResponse> {
  const client = clients.get(index) ?? new RawHttp({ address: addressOfGuarded(index), port });
  clients.set(index, client);
  return await client.send([`GET ${path} HTTP/1.1`, ...host.map((name) => `host: ${name}`)]);
}

/** The path that a server behind the proxy would see. */
function pathBehind({ headers }: RawResponse): string {
  return (/^x-path: (.*)$/im.exec(headers)?.[1] ?? '').replace(/\?.*$/s, '');
}

describe.each(cases.map((one, at) => ({ ...one, at })))('$name', ({ at, begins, isForbidden, open }) => {
  test.each(levels.map((level, place) => ({ level, index: at * levels.length + place })))(
    `of ${MUTATIONS} ways to write a path none gets past, with $level (2021-005, seed ${seed})`,
    async ({ index }) => {
      const random = new Random(seed * 1000 + index);
      const bypasses: string[] = [];
      const statuses = new Set<number>();
      for (let count = 0; count < MUTATIONS; count += 1) {
        const path = mutatePath(random, random.pick(begins));
        const response = await ask(index, path);
        statuses.add(response.status);
        if (response.status !== 200) continue;
        const seen = pathBehind(response);
        const misread = Object.entries(readings).filter(([, read]) => isForbidden(read(seen)));
        if (misread.length > 0) bypasses.push(`${path} is ${seen}; ${misread.map(([name]) => name).join(', ')}`);
      }
      expect(bypasses.slice(0, 10), `${bypasses.length} bypasses`).toEqual([]);
      expect(statuses).toEqual(new Set([200, 400, 403]));
    },
  );

  test.each(open)('lets %s through', async (path) => {
    expect((await ask(at * levels.length, path)).status).toBe(200);
  });
});

test('a path with a fragment is refused, whatever the policy (2021-008)', async () => {
  expect((await ask(0, '/admin#x')).status).toBe(400);
  expect((await ask(0, '/other#/admin')).status).toBe(400);
});

const forbidden = ['admin.example', 'a.secret.example', 'b.a.secret.example'];
const allowed = ['shop.example', 'a.public.example'];

/** S8: case, dot, port, user, list; and the absolute form, which wins over the header. */
function waysToWrite(host: string): readonly (readonly string[])[] {
  const upper = host.toUpperCase();
  const mixed = host.replace(/a/g, 'A');
  const single = [
    host,
    upper,
    mixed,
    `${host}.`,
    `${upper}.`,
    `${host}:80`,
    `${host}:8080`,
    `${host}.:80`,
    `${mixed}:443`,
  ];
  const odd = [
    `user@${host}`,
    `user:word@${host}`,
    `${host},shop.example`,
    `shop.example,${host}`,
    `${host}:x`,
    `${host}: 80`,
    ` ${host}`,
    `${host}:80:90`,
  ];
  return [...single, ...odd]
    .map((name) => [name])
    .concat([
      [host, 'shop.example'],
      ['shop.example', host],
    ]);
}

/** How servers find the host they are asked for. */
function hostsIn(values: readonly string[]): readonly string[] {
  return values
    .join(',')
    .split(',')
    .map((name) => name.trim().toLowerCase().replace(/^.*@/, '').replace(/:.*$/, '').replace(/\.$/, ''));
}

describe.each(Object.keys(hostSpecs).map((name, at) => ({ name, index: pathGuards.length + at })))(
  '$name',
  ({ name, index }) => {
    const isForbidden = (host: string): boolean =>
      name === 'ALLOW hosts' ? !allowed.includes(host) : forbidden.includes(host);

    test.each([...forbidden, 'other.example'])('S8: no way to write %s gets past (2021-008)', async (host) => {
      const bypasses: string[] = [];
      for (const values of waysToWrite(host)) {
        const response = await ask(index, '/', values);
        if (response.status === 200 && hostsIn(values).some(isForbidden)) bypasses.push(values.join(' + '));
      }
      expect(bypasses).toEqual([]);
    });

    test.each(forbidden)('S8: the absolute form of %s is the host', async (host) => {
      expect((await ask(index, `http://${host}/`)).status).toBe(403);
      expect((await ask(index, `http://u@${host}:80/`)).status).toBe(403);
    });

    test.each(allowed.flatMap((host) => [host, host.toUpperCase(), `${host}.`, `${host}:8080`, `${host}.:80`]))(
      'lets %s through',
      async (host) => {
        expect((await ask(index, '/', [host])).status).toBe(200);
      },
    );
  },
);
