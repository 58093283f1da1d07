import { expect, test } from 'vitest';
import type { CheckLine } from '../app/check/check.ts';
import { describeChecks, renderChecks } from './check-report.ts';

const lines: readonly CheckLine[] = [
  { group: 'kubernetes-api', state: 'ok', message: 'the Kubernetes API answers (v1.35.4)', remedy: undefined },
  { group: 'control-plane', state: 'warning', message: 'replicas: 1 of 2 ready', remedy: 'kubectl describe pods' },
  { group: 'webhook', state: 'failed', message: 'nobody is asked', remedy: 'upgrade the release' },
  { group: 'xds', state: 'skipped', message: 'not seen from here', remedy: 'run helm test' },
];

test('people read a heading for each group, a line for each finding, what to do, and a verdict', () => {
  expect(renderChecks(lines, { color: false })).toBe(`kubernetes-api
--------------
√ the Kubernetes API answers (v1.35.4)

control-plane
-------------
‼ replicas: 1 of 2 ready
    kubectl describe pods

webhook
-------
× nobody is asked
    upgrade the release

xds
---
- not seen from here
    run helm test

1 failed, 1 warning, 1 not looked at
`);
});

test('what is good is said to be, in colour where that is wanted', () => {
  const text = renderChecks(lines.slice(0, 1), { color: true });
  expect(text).toContain('\u001b[32m√\u001b[39m the Kubernetes API answers');
  expect(text.endsWith('\nall is well\n')).toBe(true);
});

test('programs read the same', () => {
  expect(describeChecks(lines)).toMatchObject({
    apiVersion: 'xebec.dev/v1',
    kind: 'CheckReport',
    summary: { ok: 1, warnings: 1, failed: 1, skipped: 1 },
    checks: [
      { group: 'kubernetes-api', state: 'ok', message: 'the Kubernetes API answers (v1.35.4)' },
      { group: 'control-plane', state: 'warning', remedy: 'kubectl describe pods' },
      { group: 'webhook', state: 'failed' },
      { group: 'xds', state: 'skipped' },
    ],
  });
});
