import { describe, expect, it } from 'vitest';
import type { Kind } from '../collections.ts';
import { type Case, judge } from '../testing/judge.ts';

const url = 'oci://registry.example.com/auth:1';
const env = (...variables: readonly object[]): object => ({ vmConfig: { env: variables } });

/** What is right and wrong with a module, wherever it is named. */
const modules: readonly Case[] = [
  ['the least', { url }],
  ['an image without scheme', { url: 'registry.example.com/auth:1' }],
  ['a file', { url: 'file:///opt/auth.wasm' }],
  [
    'everything',
    {
      url: 'https://a.com/b.wasm',
      sha256: 'a'.repeat(64),
      imagePullPolicy: 'IfNotPresent',
      imagePullSecret: 's',
      pluginConfig: { any: { thing: [1, null] } },
      pluginName: 'p',
      failStrategy: 'FAIL_OPEN',
      type: 'NETWORK',
      ...env(
        { name: 'A', value: 'b' },
        { name: 'B', valueFrom: 'HOST' },
        { name: 'C', valueFrom: 'INLINE', value: '' },
      ),
    },
  ],
  ['no URL', {}, 'error XEB0484 url'],
  ['an empty URL', { url: '' }, 'error XEB0484 url'],
  ['a scheme alone', { url: 'oci://' }, 'error XEB0484 url'],
  ['another scheme', { url: 'ftp://a.com/b' }, 'error XEB0484 url'],
  ['a blank', { url: 'oci://a b' }, 'error XEB0484 url'],
  ['a digest with its name', { url, sha256: `sha256:${'a'.repeat(64)}` }, 'error XEB0484 sha256'],
  ['an upper-case digest', { url, sha256: 'A'.repeat(64) }, 'error XEB0484 sha256'],
  ['a long name', { url, pluginName: 'a'.repeat(257) }, 'error XEB0484 pluginName'],
  ['a long secret', { url, imagePullSecret: 'a'.repeat(254) }, 'error XEB0484 imagePullSecret'],
  ['a key that nobody uses', { url, verificationKey: 'a' }, 'warning XEB0118 verificationKey'],
  ['no name of a variable', { url, ...env({ value: 'a' }) }, 'error XEB0485 vmConfig.env[0].name'],
  ['a long name of a variable', { url, ...env({ name: 'a'.repeat(257) }) }, 'error XEB0485 vmConfig.env[0].name'],
  ['a variable twice', { url, ...env({ name: 'A' }, { name: 'A' }) }, 'error XEB0115 vmConfig.env[1].name'],
  ['two values', { url, ...env({ name: 'A', valueFrom: 'HOST', value: 'a' }) }, 'error XEB0485 vmConfig.env[0].value'],
  ['a long value', { url, ...env({ name: 'A', value: 'a'.repeat(2049) }) }, 'error XEB0485 vmConfig.env[0].value'],
  [
    'too many variables',
    { url, ...env(...Array.from({ length: 257 }, (_, index) => ({ name: `A${index}` }))) },
    'error XEB0485 vmConfig.env',
  ],
  ['text as configuration', { url, pluginConfig: 'a' }, 'error XEB0001 pluginConfig'],
  ['an unknown policy', { url, imagePullPolicy: 'Never' }, 'error XEB0003 imagePullPolicy'],
  ['an unknown strategy', { url, failStrategy: 'IGNORE' }, 'error XEB0003 failStrategy'],
];

function below(path: string, issues: readonly string[]): readonly string[] {
  return issues.map((issue) => issue.replace(/ (?=[^ ]+$)/, ` ${path}.`));
}

const attached: readonly Case[] = [
  [
    'a phase, an order, some traffic',
    { phase: 'AUTHN', priority: -5, match: [{ mode: 'SERVER', ports: [{ number: 80 }] }, { mode: 'UNDEFINED' }] },
  ],
  ['a port that is none', { match: [{ ports: [{ number: 0 }] }] }, 'error XEB0105 match[0].ports[0].number'],
  ['a port without number', { match: [{ ports: [{}] }] }, 'error XEB0105 match[0].ports[0].number'],
  ['an unknown phase', { phase: 'LAST' }, 'error XEB0003 phase'],
  ['text as order', { priority: 'high' }, 'error XEB0001 priority'],
  ['an unknown mode', { match: [{ mode: 'INBOUND' }] }, 'error XEB0003 match[0].mode'],
  ['a selector', { selector: { matchLabels: { a: 'b' } } }],
  ['a wildcard', { selector: { matchLabels: { a: 'b*' } } }, 'error XEB0117 selector.matchLabels.a'],
  ['a target', { targetRefs: [{ kind: 'Service', name: 'a' }] }],
  ['a target without name', { targetRefs: [{ kind: 'Service' }] }, 'error XEB0705 targetRefs[0].name'],
  [
    'a selector and a target',
    { selector: { matchLabels: { a: 'b' } }, targetRefs: [{ kind: 'Service', name: 'a' }] },
    'error XEB0705 targetRefs',
  ],
];

const scripts: readonly Case[] = [
  ['code', { lua: { inlineCode: 'function envoy_on_request(handle) end' } }],
  ['no code', { lua: {} }, 'error XEB0486 spec.lua.inlineCode'],
  ['much code', { lua: { inlineCode: 'a'.repeat(65_537) } }, 'error XEB0486 spec.lua.inlineCode'],
  ['neither', {}, 'error XEB0006 spec'],
  ['both', { lua: { inlineCode: 'a' }, wasm: { url } }, 'error XEB0005 spec.lua'],
];

type Below = { readonly kind: Kind; readonly path: string; readonly within: (members: object) => object };

/** Every case of a table, in the place of a kind where it belongs. */
function judgeAll(cases: readonly Case[], { kind, path, within }: Below): void {
  for (const [name, members, ...issues] of cases) {
    it(name, () => {
      expect(judge(kind, within(members))).toEqual(below(path, issues));
    });
  }
}

describe('WasmPlugin', () => {
  judgeAll(modules, { kind: 'WasmPlugin', path: 'spec', within: (members) => members });
  judgeAll(attached, { kind: 'WasmPlugin', path: 'spec', within: (members) => ({ url, ...members }) });

  it('has an old target too', () => {
    expect(judge('WasmPlugin', { url, targetRef: { kind: 'Service', name: 'a' } })).toEqual([
      'warning IST0002 spec.targetRef',
    ]);
  });
});

describe('TrafficExtension', () => {
  judgeAll(modules, { kind: 'TrafficExtension', path: 'spec.wasm', within: (wasm) => ({ wasm }) });
  judgeAll(attached, {
    kind: 'TrafficExtension',
    path: 'spec',
    within: (members) => ({ wasm: { url }, ...members }),
  });

  it.each(scripts)('%s', (_name, spec, ...issues) => {
    expect(judge('TrafficExtension', spec)).toEqual(issues);
  });
});
