import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

const selector = { matchLabels: { app: 'a' } };
const mtls = { mode: 'STRICT' };

const cases: readonly Case[] = [
  ['nothing', {}],
  ['a mode', { mtls }],
  ['a mode by number', { mtls: { mode: 3 } }],
  ['ports', { selector, mtls, portLevelMtls: { 80: { mode: 'DISABLE' }, 443: {} } }],
  ['a selector', { selector }],
  [
    'a selector without labels',
    { selector: {}, mtls },
    'warning XEB0117 spec.selector.matchLabels: has no labels, so every workload is selected; add labels, or remove the selector',
  ],
  [
    'a selector with an empty key',
    { selector: { matchLabels: { '': 'a' } } },
    'error XEB0117 spec.selector.matchLabels[""]: has an empty key; name the label',
  ],
  [
    'a selector with a wildcard',
    { selector: { matchLabels: { 'a*': 'b' } } },
    'error XEB0117 spec.selector.matchLabels["a*"]: uses a wildcard (got text "a*=b"); write the whole label: labels are compared for equality',
  ],
  [
    'an unknown mode',
    { mtls: { mode: 'STRIKT' } },
    'error XEB0003 spec.mtls.mode: is not a known value (got text "STRIKT", allowed UNSET, DISABLE, PERMISSIVE, STRICT); did you mean STRICT?',
  ],
  [
    'ports without selector',
    { portLevelMtls: { 80: mtls } },
    'error XEB0330 spec.portLevelMtls: needs a selector; add selector.matchLabels: ports are those of workloads',
  ],
  [
    'ports of a selector without labels',
    { selector: { matchLabels: {} }, portLevelMtls: { 80: mtls } },
    'warning XEB0117 spec.selector.matchLabels: has no labels, so every workload is selected; add labels, or remove the selector',
    'error XEB0330 spec.portLevelMtls: needs a selector; add selector.matchLabels: ports are those of workloads',
  ],
  ['no ports', { selector, portLevelMtls: {} }, 'error XEB0330 spec.portLevelMtls: is empty; add a port, or remove it'],
  [
    'port 0',
    { selector, portLevelMtls: { 0: mtls } },
    'error XEB0105 spec.portLevelMtls["0"]: is not a port (got text "0", allowed 1 to 65535)',
  ],
  [
    'a port out of range',
    { selector, portLevelMtls: { 65536: mtls } },
    'error XEB0105 spec.portLevelMtls["65536"]: is not a port (got text "65536", allowed 1 to 65535)',
  ],
  [
    'a port by name',
    { selector, portLevelMtls: { http: mtls } },
    'error XEB0105 spec.portLevelMtls.http: is not a port (got text "http", allowed 1 to 65535)',
  ],
  [
    'an unknown mode of a port',
    { selector, portLevelMtls: { 80: { mode: 'ON' } } },
    'error XEB0003 spec.portLevelMtls["80"].mode: is not a known value (got text "ON", allowed UNSET, DISABLE, PERMISSIVE, STRICT)',
  ],
];

describe('PeerAuthentication', () => {
  it.each(cases)('%s', (_name, spec, ...said) => {
    expect(judgeInWords('PeerAuthentication', spec)).toEqual(said);
  });
});
