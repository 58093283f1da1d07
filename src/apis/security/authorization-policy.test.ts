import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

const rule = {};

function ask(provider: object, members: object = rule): object {
  return { action: 'CUSTOM', provider, rules: [members] };
}

const wholes: readonly Case[] = [
  ['nothing, which allows nothing', {}],
  ['no rules', { rules: [] }],
  ['a rule for everything', { rules: [rule] }],
  ['a selector', { selector: { matchLabels: { app: 'a' } } }],
  [
    'a selector without labels',
    { selector: {} },
    'warning XEB0117 spec.selector.matchLabels: has no labels, so every workload is selected; add labels, or remove the selector',
  ],
  [
    'a selector with an empty key',
    { selector: { matchLabels: { '': 'a' } } },
    'error XEB0117 spec.selector.matchLabels[""]: has an empty key; name the label',
  ],
  [
    'a selector with a wildcard',
    { selector: { matchLabels: { app: 'a*' } } },
    'error XEB0117 spec.selector.matchLabels.app: uses a wildcard (got text "app=a*"); write the whole label: labels are compared for equality',
  ],
  [
    'targets',
    {
      targetRefs: [
        { kind: 'Service', name: 'a' },
        { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'b' },
      ],
    },
  ],
  [
    'a selector and targets',
    { selector: { matchLabels: { app: 'a' } }, targetRefs: [{ kind: 'Service', name: 'a' }] },
    'error XEB0705 spec.targetRefs: cannot stand beside selector; keep one of them',
  ],
  [
    'a target without name',
    { targetRefs: [{ kind: 'Service' }] },
    'error XEB0705 spec.targetRefs[0].name: is required and missing; add it',
  ],
  [
    'a target elsewhere',
    { targetRefs: [{ kind: 'Service', name: 'a', namespace: 'b' }] },
    'error XEB0705 spec.targetRefs[0].namespace: cannot be set (got text "b"); remove it: targets are in the own namespace',
  ],
  [
    'a target of another kind',
    { targetRefs: [{ kind: 'Pod', name: 'a' }] },
    'error XEB0705 spec.targetRefs[0].kind: cannot be a target (got text "/Pod", allowed core/Service, networking.istio.io/ServiceEntry, gateway.networking.k8s.io/Gateway, gateway.networking.k8s.io/GatewayClass)',
  ],
  [
    'one target, the old way',
    { targetRef: { kind: 'Service', name: 'a' } },
    'warning IST0002 spec.targetRef: is deprecated; use targetRefs',
  ],
  [
    'an unknown action',
    { action: 'DENI', rules: [rule] },
    'error XEB0003 spec.action: is not a known value (got text "DENI", allowed ALLOW, DENY, AUDIT, CUSTOM); did you mean DENY?',
  ],
  ['an action by number', { action: 1, rules: [rule] }],
  [
    'DENY without rules',
    { action: 'DENY' },
    'error XEB0320 spec.rules: is required for DENY, which matches nothing without it; add a rule; {} matches every request',
  ],
  [
    'DENY with a list of no rules',
    { action: 'DENY', rules: [] },
    'error XEB0320 spec.rules: is required for DENY, which matches nothing without it; add a rule; {} matches every request',
  ],
  ['AUDIT', { action: 'AUDIT', rules: [rule] }],
  ['CUSTOM', ask({ name: 'opa' })],
  [
    'CUSTOM without rules',
    { action: 'CUSTOM', provider: { name: 'opa' } },
    'error XEB0320 spec.rules: is required for CUSTOM, which matches nothing without it; add a rule; {} matches every request',
  ],
  [
    'CUSTOM without provider',
    { action: 'CUSTOM', rules: [rule] },
    'error XEB0320 spec.provider.name: is required for CUSTOM; name an extension provider of the mesh configuration',
  ],
  [
    'CUSTOM with a provider without name',
    ask({ name: '' }),
    'error XEB0320 spec.provider.name: is required for CUSTOM; name an extension provider of the mesh configuration',
  ],
  [
    'a provider for ALLOW',
    { provider: { name: 'opa' }, rules: [rule] },
    'error XEB0320 spec.provider: cannot stand beside action ALLOW; use CUSTOM, or remove it',
  ],
  [
    'a provider for DENY',
    { action: 'DENY', provider: { name: 'opa' }, rules: [rule] },
    'error XEB0320 spec.provider: cannot stand beside action DENY; use CUSTOM, or remove it',
  ],
  [
    'a rule that is null',
    { rules: [null] },
    'error XEB0001 spec.rules[0]: has the wrong type (got null, allowed an object with from, to, when); remove it, or write what belongs here',
  ],
  [
    'a misspelled field',
    { rule: [] },
    'error XEB0008 spec.rule: is not a known field, and may be what the policy depends on; did you mean rules?',
  ],
  [
    'a rule that would be for everybody without what nobody knows (2022-001)',
    { rules: [{ form: [{ source: { principals: ['a'] } }] }] },
    'error XEB0008 spec.rules[0].form: is not a known field, and may be what the policy depends on; did you mean from?',
  ],
  [
    'empty lists in a rule',
    { rules: [{ from: [], to: [], when: [] }] },
    'warning XEB0121 spec.rules[0].from: is empty, so it restricts nothing; add an entry, or remove it',
    'warning XEB0121 spec.rules[0].to: is empty, so it restricts nothing; add an entry, or remove it',
    'warning XEB0121 spec.rules[0].when: is empty, so it restricts nothing; add an entry, or remove it',
  ],
];

const denials: readonly Case[] = [
  ['a port', { action: 'DENY', rules: [{ to: [{ operation: { ports: ['80'], paths: ['/a'] } }] }] }],
  [
    'a path only',
    { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/a'] } }] }] },
    'warning XEB0327 spec.rules[0]: names only what HTTP has, so it denies all of TCP; name the ports in to.operation.ports',
  ],
  [
    'a peer and a path',
    { action: 'DENY', rules: [{ from: [{ source: { principals: ['a'] } }], to: [{ operation: { paths: ['/a'] } }] }] },
    'warning XEB0327 spec.rules[0]: names only what HTTP has, so it denies all of TCP; name the ports in to.operation.ports',
  ],
  [
    'a token only',
    { action: 'DENY', rules: [{ from: [{ source: { requestPrincipals: ['*'] } }] }] },
    'warning XEB0327 spec.rules[0]: names only what HTTP has, so it denies all of TCP; name the ports in to.operation.ports',
  ],
  ['a peer only', { action: 'DENY', rules: [{ from: [{ source: { notNamespaces: ['a'] } }] }] }],
];

const dryRuns: readonly Case[] = [
  ['of ALLOW', { rules: [rule] }],
  [
    'of CUSTOM',
    ask({ name: 'opa' }),
    'warning XEB0118 metadata.annotations["istio.io/dry-run"]: has no effect with action CUSTOM; remove it',
  ],
  [
    'of AUDIT',
    { action: 'AUDIT', rules: [rule] },
    'warning XEB0118 metadata.annotations["istio.io/dry-run"]: has no effect with action AUDIT; remove it',
  ],
];

const noDryRuns: readonly Case[] = [
  [
    'yes is not true',
    { rules: [rule] },
    'warning IST0125 metadata.annotations["istio.io/dry-run"]: is neither true nor false, so the policy is in force (got text "yes"); write "true"',
  ],
];

describe.each([
  ['as a whole', {}, wholes],
  ['with DENY, where there is no HTTP', {}, denials],
  ['with a dry run', { annotations: { 'istio.io/dry-run': 'true' } }, dryRuns],
  ['with a dry run that is none', { annotations: { 'istio.io/dry-run': 'yes' } }, noDryRuns],
])('An AuthorizationPolicy %s', (_, meta, cases) => {
  it.each(cases)('%s', (_name, spec, ...said) => {
    expect(judgeInWords('AuthorizationPolicy', spec, meta)).toEqual(said);
  });
});
