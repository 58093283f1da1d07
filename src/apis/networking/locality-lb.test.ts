import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

function balancer(loadBalancer: object): object {
  return { host: 'reviews', trafficPolicy: { loadBalancer } };
}

function locality(localityLbSetting: object): object {
  return { host: 'reviews', trafficPolicy: { outlierDetection: {}, loadBalancer: { localityLbSetting } } };
}

const setting = 'spec.trafficPolicy.loadBalancer.localityLbSetting';

const localities: readonly Case[] = [
  [
    'a distribution',
    locality({
      distribute: [
        { from: 'a/b/*', to: { 'a/b/*': 80, 'a/c/*': 20 } },
        { from: 'c', to: { c: 100 } },
      ],
    }),
  ],
  [
    'weights of 99',
    locality({ distribute: [{ from: 'a', to: { a: 99 } }] }),
    `error XEB0307 ${setting}.distribute[0].to`,
  ],
  [
    'a weight of 0',
    locality({ distribute: [{ from: 'a', to: { a: 100, b: 0 } }] }),
    `error XEB0307 ${setting}.distribute[0].to.b`,
  ],
  [
    'an empty part',
    locality({ distribute: [{ from: 'a//c', to: { a: 100 } }] }),
    `error XEB0307 ${setting}.distribute[0].from`,
  ],
  [
    'a wildcard in the middle',
    locality({ distribute: [{ from: '*/b', to: { a: 100 } }] }),
    `error XEB0307 ${setting}.distribute[0].from`,
  ],
  [
    'overlapping sources',
    locality({
      distribute: [
        { from: 'a/*', to: { a: 100 } },
        { from: 'a/b', to: { a: 100 } },
      ],
    }),
    `error XEB0307 ${setting}.distribute[1].from`,
  ],
  [
    'a source and the rest of its region',
    locality({
      distribute: [
        { from: 'a/b/c', to: { a: 100 } },
        { from: 'a/b/*', to: { a: 100 } },
        { from: 'a/*', to: { a: 100 } },
        { from: '*', to: { a: 100 } },
      ],
    }),
  ],
  [
    'a source and all of its region',
    locality({
      distribute: [
        { from: 'a/b', to: { a: 100 } },
        { from: 'a', to: { a: 100 } },
      ],
    }),
    `error XEB0307 ${setting}.distribute[1].from`,
  ],
  [
    'a source behind all',
    locality({
      distribute: [
        { from: '*', to: { a: 100 } },
        { from: 'a', to: { a: 100 } },
      ],
    }),
    `error XEB0307 ${setting}.distribute[1].from`,
  ],
  [
    'a target and the rest of its region, in any order',
    locality({
      distribute: [
        { from: 'a', to: { 'a/b': 50, 'a/*': 50 } },
        { from: 'b', to: { '*': 20, 'a/*': 30, 'a/b': 50 } },
      ],
    }),
  ],
  [
    'overlapping targets',
    locality({ distribute: [{ from: 'a', to: { 'a/b': 50, a: 50 } }] }),
    `error XEB0307 ${setting}.distribute[0].to.a`,
  ],
  ['failover', locality({ failover: [{ from: 'us-east', to: 'eu-west' }] })],
  ['failover to itself', locality({ failover: [{ from: 'a', to: 'a' }] }), `error XEB0307 ${setting}.failover[0].to`],
  ['failover to anywhere', locality({ failover: [{ from: 'a', to: '*' }] }), `error XEB0307 ${setting}.failover[0].to`],
  [
    'failover from anywhere',
    locality({ failover: [{ from: '*', to: 'a' }] }),
    `warning XEB0307 ${setting}.failover[0].from`,
  ],
  [
    'failover to a zone',
    locality({ failover: [{ from: 'a', to: 'b/c' }] }),
    `warning XEB0307 ${setting}.failover[0].to`,
  ],
  [
    'failover and distribution',
    locality({ failover: [{ from: 'a', to: 'b' }], distribute: [{ from: 'a', to: { a: 100 } }] }),
    `error XEB0307 ${setting}.failover`,
  ],
  ['priorities', locality({ failoverPriority: ['topology.kubernetes.io/region', 'version=v1'] })],
  [
    'priorities by topology and failover',
    locality({ failover: [{ from: 'a', to: 'b' }], failoverPriority: ['topology.kubernetes.io/zone'] }),
    `error XEB0307 ${setting}.failoverPriority[0]`,
  ],
  [
    'failover without outlier detection',
    balancer({ localityLbSetting: { failover: [{ from: 'a', to: 'b' }] } }),
    `warning XEB0307 ${setting}`,
  ],
];

describe('DestinationRule: localities', () => {
  it.each(localities)('%s', (_name, spec, ...issues) => {
    expect(judge('DestinationRule', spec)).toEqual(issues);
  });
});
