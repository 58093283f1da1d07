import { describe, expect, it } from 'vitest';
import type { TrafficPolicy } from '../../../apis/networking/networking.ts';
import { effectivePolicy } from './effective-policy.ts';
import { rule } from './testing/fixtures.ts';

const pool = { tcp: { maxConnections: 1 } };
const roundRobin = { simple: 'ROUND_ROBIN' } as const;
const random = { simple: 'RANDOM' } as const;
const outlier = { consecutive5xxErrors: 5 };

function effective(trafficPolicy: TrafficPolicy, subsetPolicy: TrafficPolicy | undefined, port = 80) {
  const { connectionPool, loadBalancer, outlierDetection, dropped } = effectivePolicy(
    rule({ trafficPolicy, subsets: [{ name: 'v1', trafficPolicy: subsetPolicy }] }),
    port,
    'v1',
  );
  return { pool: connectionPool?.spec, lb: loadBalancer?.spec, outlier: outlierDetection?.spec, dropped };
}

describe('a subset', () => {
  it('replaces the parts it names as a whole and inherits the others', () => {
    expect(effective({ connectionPool: pool, loadBalancer: roundRobin }, { loadBalancer: random })).toMatchObject({
      pool,
      lb: random,
    });
  });

  it('that does not exist has the policy of the rule', () => {
    const found = effectivePolicy(rule({ trafficPolicy: { loadBalancer: random } }), 80, 'v9');
    expect(found.loadBalancer).toMatchObject({ spec: random, path: 'spec.trafficPolicy.loadBalancer' });
  });
});

describe('a port-level entry', () => {
  const whole: TrafficPolicy = {
    connectionPool: pool,
    loadBalancer: roundRobin,
    outlierDetection: outlier,
    portLevelSettings: [{ port: { number: 80 }, loadBalancer: random }],
  };

  it('unsets the parts it omits, and tells', () => {
    expect(effective(whole, undefined)).toEqual({
      pool: undefined,
      lb: random,
      outlier: undefined,
      dropped: [
        {
          by: expect.objectContaining({ path: 'spec.trafficPolicy.portLevelSettings[0]' }),
          parts: ['connectionPool', 'outlierDetection'],
        },
      ],
    });
  });

  it('leaves other ports alone', () => {
    expect(effective(whole, undefined, 81)).toEqual({ pool, lb: roundRobin, outlier, dropped: [] });
  });

  it('of the rule comes before what the subset says for all ports', () => {
    expect(effective(whole, { loadBalancer: roundRobin })).toMatchObject({ pool: undefined, lb: roundRobin });
  });

  it('of the subset replaces what the rule said', () => {
    const subset = { portLevelSettings: [{ port: { number: 80 }, connectionPool: pool }] };
    expect(effective({ loadBalancer: random, outlierDetection: outlier }, subset)).toMatchObject({
      pool,
      lb: undefined,
      outlier: undefined,
    });
  });
});

it('keeps tunnel, proxy protocol and retry budget whatever a port-level entry says', () => {
  const found = effectivePolicy(
    rule({
      trafficPolicy: {
        tunnel: { targetHost: 'a.example', targetPort: 443 },
        retryBudget: { percent: 10 },
        portLevelSettings: [{ port: { number: 80 }, loadBalancer: random }],
      },
    }),
    80,
  );
  expect(found.tunnel?.spec.targetHost).toBe('a.example');
  expect(found.retryBudget?.spec.percent).toBe(10);
});
