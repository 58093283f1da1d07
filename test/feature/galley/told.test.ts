import { expect, it } from 'vitest';
import { runValidate, validateDefaults } from '../../../src/cli/validate.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';

// What a person is told about files as people write them: the place, what is wrong, what may be there, what to do.

async function told(stdin: string): Promise<readonly string[]> {
  let out = '';
  const io = {
    out: (text: string) => void (out += text),
    err: () => {},
    isTerminal: false,
    env: {},
    readStdin: () => Promise.resolve(stdin),
    signal: new AbortController().signal,
  };
  await runValidate({ ...validateDefaults, files: ['-'] }, io, systemClock);
  return out.split('\n').flatMap((line) => (line.startsWith('stdin:') ? [line.slice('stdin:'.length)] : []));
}

/** An object whose spec starts on line 6. */
function object(kind: string, spec: string, version = 'v1'): string {
  return `apiVersion: networking.istio.io/${version}\nkind: ${kind}\nmetadata:\n  name: x\nspec:\n${spec}`;
}

function service(spec: string): string {
  return object('VirtualService', spec);
}

const to = '    route:\n    - destination: {host: a}\n';

/** One rule, whose members start on line 8. */
function rule(members: string): string {
  return service(`  hosts: [a]\n  http:\n  - name: r\n${members}`);
}

/** What the case is, the file, and the lines about it. */
type Told = readonly [name: string, file: string, ...lines: readonly string[]];

const about = 'VirtualService default/x';

const shapes: readonly Told[] = [
  [
    'a field that is misspelled',
    service('  host: [a]\n  http:\n  - routes: []\n'),
    `6:3: warning XEB0008 ${about} spec.host: is not a known field and is ignored; did you mean hosts?`,
    `8:5: error XEB0203 ${about} spec.http[0]: leads nowhere (allowed route, redirect, directResponse or delegate); add one`,
    `8:5: warning XEB0008 ${about} spec.http[0].routes: is not a known field and is ignored; did you mean route?`,
  ],
  [
    'a number for a port',
    rule('    route:\n    - destination:\n        host: a\n        port: 80\n'),
    `12:9: error XEB0001 ${about} spec.http[0].route[0].destination.port: has the wrong type (got number 80, allowed an object with number); write {number: 80}`,
  ],
  [
    'text for a list',
    service(`  hosts: a\n  http:\n  - name: r\n${to}`),
    `6:3: error XEB0001 ${about} spec.hosts: has the wrong type (got text "a", allowed a list); write ["a"]`,
  ],
  [
    'text for a match',
    rule(`    match:\n    - uri: /api\n${to}`),
    `10:7: error XEB0001 ${about} spec.http[0].match[0].uri: has the wrong type (got text "/api", allowed an object with exact, prefix, regex); write {exact: "/api"}`,
  ],
  [
    'an object for a list',
    rule(`    match:\n      uri: {exact: /}\n${to}`),
    `9:5: error XEB0001 ${about} spec.http[0].match: has the wrong type (got an object, allowed a list); start each entry with -`,
  ],
  [
    'a number for a duration',
    rule(`    timeout: 5\n${to}`),
    `9:5: error XEB0001 ${about} spec.http[0].timeout: has the wrong type (got number 5, allowed a number with a unit, such as 100ms, 1.5s or 1m30s); write 5s, if seconds are meant`,
  ],
  [
    'a version that is a number',
    object('DestinationRule', '  host: a\n  subsets:\n  - name: v1\n    labels: {version: 1.10}\n'),
    '9:14: error XEB0001 DestinationRule default/x spec.subsets[0].labels.version: has the wrong type (got number 1.1, allowed text); put it in quotes',
  ],
  [
    'a value that is misspelled',
    object('DestinationRule', '  host: a\n  trafficPolicy:\n    tls: {mode: istio_mutual}\n'),
    '8:11: error XEB0003 DestinationRule default/x spec.trafficPolicy.tls.mode: is not a known value (got text "istio_mutual", allowed DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL); did you mean ISTIO_MUTUAL?',
  ],
  [
    'two of one',
    rule(`    match:\n    - uri: {exact: /a, prefix: /b}\n${to}`),
    `10:24: error XEB0005 ${about} spec.http[0].match[0].uri.prefix: cannot be set together with exact (got text "/b", allowed one of exact, prefix, regex)`,
  ],
  [
    'a server without port',
    object('Gateway', '  servers:\n  - hosts: [a.com]\n'),
    '7:5: error XEB0002 Gateway default/x spec.servers[0].port: is required and missing; add it, an object with number, protocol, name, targetPort',
  ],
];

const indentation: readonly Told[] = [
  [
    'a line that slipped out of its match',
    rule(`    match:\n    - uri:\n      prefix: /api\n${to}`),
    `11:7: warning XEB0008 ${about} spec.http[0].match[0].prefix: is not a known field and is ignored; it belongs below uri`,
  ],
  [
    'a line that slipped into a match',
    rule(
      '    match:\n    - uri: {prefix: /}\n      redirect: {uri: /b}\n    fault: {delay: {fixedDelay: 1s}}\n    route: [{destination: {host: a}}]\n',
    ),
    `11:7: warning XEB0008 ${about} spec.http[0].match[0].redirect: is not a known field and is ignored; it belongs to spec.http[0]: indent it less`,
  ],
  [
    'a spec that is not indented',
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: x\nspec:\nhosts: [a]\n',
    `5:1: error XEB0002 ${about} spec: is empty; indent what belongs to it below it`,
    `6:1: error XEB0009 ${about} hosts: is not a part of an object (allowed apiVersion, kind, metadata, spec, status); if it belongs to the spec, indent it below spec`,
  ],
  [
    'labels that are not below labels',
    object('Sidecar', '  egress: [{hosts: ["./*"]}]\n  workloadSelector:\n    app: a\n'),
    '7:3: warning XEB0117 Sidecar default/x spec.workloadSelector.labels: has no labels, so every workload is selected; add labels, or remove the selector',
    '8:5: warning XEB0008 Sidecar default/x spec.workloadSelector.app: is not a known field and is ignored; if it is one of the labels, indent it below labels',
  ],
  [
    'keys of one mapping that are indented differently',
    service('  hosts: [a]\n   http: []\n'),
    '7:4: error XEB1004: cannot be parsed: bad indentation of a mapping entry: indent the keys of one mapping alike',
  ],
  [
    'a tab',
    service('  hosts:\n\t- a\n'),
    '7:1: error XEB1004: cannot be parsed: tab characters must not be used in indentation: indent with spaces',
  ],
];

const yaml: readonly Told[] = [
  [
    'a word that YAML 1.1 takes for true',
    object('DestinationRule', '  host: a\n  subsets:\n  - name: on\n'),
    '8:5: error XEB0001 DestinationRule default/x spec.subsets[0].name: has the wrong type (got true, allowed text); put it in quotes',
    '8:11: warning XEB1010 DestinationRule default/x spec.subsets[0].name: unquoted on is read as true, as kubectl reads it, while YAML 1.2 reads it otherwise: write true, or "on" if you mean the text',
  ],
  [
    'a wildcard without quotes',
    service('  hosts:\n  - *.a.com\n'),
    '7:6: error XEB1004: cannot be parsed: unidentified alias ".a.com": text that starts with * must be in quotes',
  ],
  [
    'a key twice',
    service('  hosts: [a]\n  http: []\n  http: []\n'),
    '8:3: error XEB1004: the key http is there twice in one mapping: remove one of them',
  ],
  [
    'a template that was not rendered',
    service('  hosts:\n  - {{ .Values.host }}\n'),
    '7:5: error XEB1004: cannot be parsed: a mapping stands where a key is expected: put text that starts with { or [ in quotes; templates must be rendered first',
  ],
  [
    'a merge that was not finished',
    '<<<<<<< HEAD\na: 1\n',
    '1:1: error XEB1004: holds the markers of a merge conflict: resolve it',
  ],
  [
    'one broken document of two',
    `kind: [\n---\n${object('Sidecar', '  egress: [{hosts: [a.com]}]\n')}`,
    '2:1: error XEB1004: cannot be parsed: deficient indentation: a [ or { is not closed, or a line is indented too little',
    '8:21: error XEB0603 Sidecar default/x spec.egress[0].hosts[0]: has no namespace (got text "a.com", allowed namespace/dnsName); write ./a.com or */a.com',
  ],
];

const objects: readonly Told[] = [
  [
    'a kind that is misspelled',
    object('VirtualServise', '  hosts: [a]\n'),
    '2:1: error XEB1007 VirtualServise x kind: there is no VirtualServise in networking.istio.io/v1: did you mean VirtualService?',
  ],
  [
    'a version that is not read',
    object('EnvoyFilter', '  configPatches: []\n'),
    '2:1: error XEB1007 EnvoyFilter x kind: networking.istio.io/v1 EnvoyFilter is not read: use networking.istio.io/v1alpha3',
  ],
  [
    'an object in a List',
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: networking.istio.io/v1\n  kind: DestinationRule\n  metadata: {name: x}\n  spec: {host: a_b}\n',
    '7:10: error XEB0101 DestinationRule default/x spec.host: is not a host name (got text "a_b", allowed a DNS name whose first label may be *)',
  ],
  [
    'a name that is a number',
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: 1\n',
    '4:3: error XEB1006 metadata.name: the name of this Service must be text (got number 1): put it in quotes',
  ],
  [
    'an object twice',
    `${rule(to)}---\n${rule(to)}`,
    `15:3: error XEB1008 ${about} metadata.name: is defined in stdin:1 already, which is taken: remove or rename one of the two`,
  ],
  [
    'the mesh configuration in its ConfigMap',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    # the mesh\n    defaultConfig:\n      drainDuration: 1.5s\n',
    '5:3: info XEB1015 ConfigMap istio-system/istio data.mesh: the mesh configuration from before (at first, the defaults) stays in force until this one is repaired',
    '8:7: error XEB0902 ConfigMap istio-system/istio data.mesh.defaultConfig.drainDuration: is not whole seconds (got text "1.5s"); round it',
  ],
];

const unread =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    a: 1\n    b: [\n';

const mesh: readonly Told[] = [
  [
    'a mesh configuration that cannot be parsed',
    unread,
    '5:3: error XEB1004 ConfigMap istio-system/istio data.mesh: line 3 of the text cannot be parsed: deficient indentation: a [ or { is not closed, or a line is indented too little',
    '5:3: info XEB1015 ConfigMap istio-system/istio data.mesh: the mesh configuration from before (at first, the defaults) stays in force until this one is repaired',
  ],
];

const rules: readonly Told[] = [
  [
    'weights that do not add up',
    rule(
      '    route:\n    - destination: {host: a}\n      weight: 90\n    - destination: {host: b}\n      weight: 20\n',
    ),
    `9:5: warning XEB0206 ${about} spec.http[0].route: has weights that add up to 110, not 100, so the shares are 81.8%, 18.2%; correct the weights if percents are meant`,
  ],
  [
    'a blank between conditions',
    rule(`    retries: {attempts: 1, retryOn: "5xx, reset"}\n${to}`),
    `9:28: error XEB0208 ${about} spec.http[0].retries.retryOn: has an unknown condition (got text " reset", allowed commas without blanks); remove the blanks`,
  ],
  [
    'an address for a host',
    service(`  hosts: ["http://a.com"]\n  http:\n  - name: r\n${to}`),
    `6:12: error XEB0101 ${about} spec.hosts[0]: is not a host name (got text "http://a.com", allowed a DNS name whose first label may be *); leave out the scheme`,
  ],
  [
    'a subset that nobody defines',
    `${object('DestinationRule', '  host: a\n  subsets: [{name: v1}]\n')}---\n${rule('    route:\n    - destination: {host: a, subset: v2}\n')}`,
    `18:30: error IST0101 ${about} spec.http[0].route[0].destination.subset: there is no subset v2 of host a.default.svc.cluster.local (defined are v1): add it to a DestinationRule`,
  ],
  [
    'delegates in a circle',
    object('VirtualService', '  hosts: [a.com]\n  http:\n  - delegate: {name: x}\n'),
    `8:5: error XEB1101 ${about} spec.http[0].delegate: delegates in a circle (default/x → default/x): its routes are never reached; remove one delegate`,
  ],
];

it.each([...shapes, ...indentation, ...yaml, ...objects, ...mesh, ...rules])('%s', async (_, text, ...lines) => {
  expect(await told(text)).toEqual(lines);
});
