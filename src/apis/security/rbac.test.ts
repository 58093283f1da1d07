import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

const services = ['*'];
const roleRef = { kind: 'ServiceRole', name: 'reader' };
const subjects = [{ user: '*' }];

function access(members: object): object {
  return { rules: [{ services, ...members }] };
}

function subject(members: object): object {
  return { roleRef, subjects: [members] };
}

const roles: readonly Case[] = [
  [
    'everything',
    access({
      hosts: ['a.com'],
      notHosts: ['b.com'],
      paths: ['/a*'],
      notPaths: ['/a/b'],
      methods: ['GET'],
      ports: [80],
      constraints: [{ key: 'destination.labels[version]', values: ['v1'] }],
    }),
  ],
  ['what is not', access({ notMethods: ['PUT'], notPorts: [443] })],
  ['no rules', {}, 'error XEB0121 spec.rules: is empty; add a rule'],
  ['a list of no rules', { rules: [] }, 'error XEB0121 spec.rules: is empty; add a rule'],
  [
    'no services',
    { rules: [{ methods: ['GET'] }] },
    'error XEB0340 spec.rules[0].services: is required and missing; name services, or "*"',
  ],
  [
    'methods twice',
    access({ methods: ['GET'], notMethods: ['PUT'] }),
    'error XEB0340 spec.rules[0].notMethods: cannot stand beside methods; keep one of them',
  ],
  [
    'ports twice',
    access({ ports: [80], notPorts: [81] }),
    'error XEB0340 spec.rules[0].notPorts: cannot stand beside ports; keep one of them',
  ],
  [
    'port 0',
    access({ ports: [0] }),
    'error XEB0105 spec.rules[0].ports[0]: is not a port (got number 0, allowed 1 to 65535)',
  ],
  [
    'a port out of range',
    access({ notPorts: [65536] }),
    'error XEB0105 spec.rules[0].notPorts[0]: is not a port (got number 65536, allowed 1 to 65535)',
  ],
  [
    'a constraint without key',
    access({ constraints: [{ values: ['a'] }] }),
    'error XEB0341 spec.rules[0].constraints[0].key: is missing or empty; name what is compared',
  ],
  [
    'a constraint without values',
    access({ constraints: [{ key: 'a' }] }),
    'error XEB0341 spec.rules[0].constraints[0].values: is missing or empty; add a value',
  ],
  [
    'a port by constraint too',
    access({ ports: [80], constraints: [{ key: 'destination.port', values: ['80'] }] }),
    'error XEB0341 spec.rules[0].constraints[0].key: repeats what ports say (got text "destination.port"); keep one of them',
  ],
  [
    'a port by constraint and what is not',
    access({ notPorts: [80], constraints: [{ key: 'destination.port', values: ['80'] }] }),
    'error XEB0341 spec.rules[0].constraints[0].key: repeats what notPorts say (got text "destination.port"); keep one of them',
  ],
];

const bindings: readonly Case[] = [
  ['a role', { roleRef, subjects, mode: 'PERMISSIVE' }],
  ['a role by name', { role: '/reader', subjects }],
  ['actions', { actions: [{ services }], subjects }],
  [
    'every way to name a subject',
    {
      roleRef,
      subjects: [
        { names: ['a'], notNames: ['b'] },
        { groups: ['a'], notGroups: ['b'] },
        { namespaces: ['a'], notNamespaces: ['b'] },
        { ips: ['10.0.0.0/8'], notIps: ['10.1.1.1'] },
        { properties: { 'source.ip': '10.0.0.1' } },
      ],
    },
  ],
  ['no subjects', { roleRef }, 'error XEB0121 spec.subjects: is empty; add a subject; user: "*" is everybody'],
  [
    'a subject that is nobody',
    subject({}),
    'error XEB0342 spec.subjects[0]: names nobody (got an empty object, allowed user, names, notNames, group, groups, notGroups, namespaces, notNamespaces, ips, notIps, properties); add a member',
  ],
  [
    'a subject with empty members',
    subject({ user: '', names: [] }),
    'error XEB0342 spec.subjects[0]: names nobody (got an object, allowed user, names, notNames, group, groups, notGroups, namespaces, notNamespaces, ips, notIps, properties); add a member',
  ],
  [
    'everybody, by name',
    subject({ names: ['*'] }),
    'error XEB0342 spec.subjects[0].names[0]: cannot be * (got text "*"); use user: "*" for everybody, or names: ["allAuthenticatedUsers"]',
  ],
  [
    'nobody, by name',
    subject({ notNames: ['a', '*'] }),
    'error XEB0342 spec.subjects[0].notNames[1]: cannot be * (got text "*"); use user: "*" for everybody, or names: ["allAuthenticatedUsers"]',
  ],
  [
    'a group, the old way',
    subject({ group: 'a' }),
    'warning IST0002 spec.subjects[0].group: is deprecated; use groups',
  ],
  [
    'an address that is none',
    subject({ ips: ['a'] }),
    'error XEB0106 spec.subjects[0].ips[0]: is not an address (got text "a", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'an address that is none, and not',
    subject({ notIps: ['10.0.0.0/40'] }),
    'error XEB0106 spec.subjects[0].notIps[0]: is not an address (got text "10.0.0.0/40", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'a name twice',
    subject({ names: ['a'], properties: { 'source.principal': 'a' } }),
    'error XEB0342 spec.subjects[0].properties["source.principal"]: repeats what names says (got text "source.principal"); keep one of them',
  ],
  [
    'a group twice',
    subject({ notGroups: ['a'], properties: { 'request.auth.claims[groups]': 'a' } }),
    'error XEB0342 spec.subjects[0].properties["request.auth.claims[groups]"]: repeats what notGroups says (got text "request.auth.claims[groups]"); keep one of them',
  ],
  [
    'a namespace twice',
    subject({ namespaces: ['a'], properties: { 'source.namespace': 'a' } }),
    'error XEB0342 spec.subjects[0].properties["source.namespace"]: repeats what namespaces says (got text "source.namespace"); keep one of them',
  ],
  [
    'an address twice',
    subject({ notIps: ['10.0.0.1'], properties: { 'source.ip': '10.0.0.1' } }),
    'error XEB0342 spec.subjects[0].properties["source.ip"]: repeats what notIps says (got text "source.ip"); keep one of them',
  ],
  ['no role', { subjects }, 'error XEB0343 spec: gives nothing (allowed roleRef, role or actions); add one of them'],
  [
    'two roles',
    { roleRef, role: 'a', subjects },
    'error XEB0343 spec.role: cannot stand beside roleRef; keep one of them',
  ],
  [
    'three roles',
    { roleRef, role: 'a', actions: [{ services }], subjects },
    'error XEB0343 spec.role: cannot stand beside roleRef; keep one of them',
    'error XEB0343 spec.actions: cannot stand beside roleRef; keep one of them',
  ],
  [
    'another kind of role',
    { roleRef: { kind: 'Role', name: 'a' }, subjects },
    'error XEB0343 spec.roleRef.kind: is not a kind of role (got text "Role", allowed ServiceRole)',
  ],
  [
    'a role without name',
    { roleRef: { kind: 'ServiceRole' }, subjects },
    'error XEB0343 spec.roleRef.name: is missing or empty; name the ServiceRole',
  ],
  [
    'a role of no name',
    { role: '/', subjects },
    'error XEB0343 spec.role: names no role (got text "/", allowed name, or /name for a role of the root namespace)',
  ],
  [
    'actions on nothing',
    { actions: [{}], subjects },
    'error XEB0340 spec.actions[0].services: is required and missing; name services, or "*"',
  ],
  [
    'an unknown mode',
    { roleRef, subjects, mode: 'OFF' },
    'error XEB0003 spec.mode: is not a known value (got text "OFF", allowed ENFORCED, PERMISSIVE)',
  ],
];

const configs: readonly Case[] = [
  ['on', { mode: 'ON', enforcementMode: 'PERMISSIVE' }],
  [
    'on for some',
    { mode: 'ON_WITH_INCLUSION', inclusion: { services: ['a.shop.svc.cluster.local'], namespaces: ['shop'] } },
  ],
  ['on for none', { mode: 'ON_WITH_INCLUSION', inclusion: {} }],
  [
    'on for some that are not named',
    { mode: 'ON_WITH_INCLUSION' },
    'error XEB0344 spec.inclusion: is required for mode ON_WITH_INCLUSION; add it; {} is an empty list',
  ],
  [
    'on for all but some that are not named',
    { mode: 'ON_WITH_EXCLUSION' },
    'error XEB0344 spec.exclusion: is required for mode ON_WITH_EXCLUSION; add it; {} is an empty list',
  ],
  [
    'a list for nothing',
    { mode: 'ON', exclusion: {} },
    'warning XEB0118 spec.exclusion: has no effect with mode ON; use ON_WITH_EXCLUSION',
  ],
  [
    'an unknown mode',
    { mode: 'ONN' },
    'error XEB0003 spec.mode: is not a known value (got text "ONN", allowed OFF, ON, ON_WITH_INCLUSION, ON_WITH_EXCLUSION); did you mean ON?',
  ],
];

const otherConfigs: readonly Case[] = [
  [
    'the name',
    { mode: 'ON' },
    'error XEB0344 metadata.name: is not the name of the configuration, so it is ignored (got text "mesh", allowed default)',
  ],
];

const oldConfigs: readonly Case[] = [
  ['on', { mode: 'ON' }, 'warning IST0002 kind: is deprecated; use ClusterRbacConfig'],
  [
    'on for some that are not named',
    { mode: 'ON_WITH_INCLUSION' },
    'error XEB0344 spec.inclusion: is required for mode ON_WITH_INCLUSION; add it; {} is an empty list',
    'warning IST0002 kind: is deprecated; use ClusterRbacConfig',
  ],
];

describe.each([
  ['ServiceRole', 'ServiceRole', {}, roles],
  ['ServiceRoleBinding', 'ServiceRoleBinding', {}, bindings],
  ['ClusterRbacConfig', 'ClusterRbacConfig', { name: 'default', namespace: '' }, configs],
  ['A ClusterRbacConfig of another name', 'ClusterRbacConfig', { name: 'mesh', namespace: '' }, otherConfigs],
  ['RbacConfig', 'RbacConfig', { name: 'default' }, oldConfigs],
] as const)('%s', (_, kind, meta, cases) => {
  it.each(cases)('%s', (_name, spec, ...said) => {
    expect(judgeInWords(kind, spec, meta)).toEqual(said);
  });
});
