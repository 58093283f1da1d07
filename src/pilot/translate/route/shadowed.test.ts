import { describe, expect, it } from 'vitest';
import type { HttpMatchRequest } from '../../../apis/networking/networking.ts';
import { virtualService } from '../policy/testing/fixtures.ts';
import { tellShadowed } from './shadowed.ts';

const route = [{ destination: { host: 'x' } }];
const client = { gateways: ['mesh'], port: 80, namespace: 'default', labels: { app: 'a' } };

/** A virtual service with one rule for each list of matches. */
function vs(name: string, ...rules: readonly (readonly HttpMatchRequest[])[]) {
  return virtualService(name, { hosts: ['x'], http: rules.map((match) => ({ match: [...match], route })) });
}

function lost(...virtualServices: readonly ReturnType<typeof vs>[]): readonly string[] {
  return tellShadowed({ host: 'x', virtualServices, client }).map(
    ({ object, path }) => `${object?.name} ${path.slice(1).join('.')}`,
  );
}

const all: readonly HttpMatchRequest[] = [];
const prefix = (text: string): HttpMatchRequest => ({ uri: { prefix: text } });

describe('a rule is lost', () => {
  it.each<[string, readonly ReturnType<typeof vs>[], readonly string[]]>([
    ['not in one virtual service', [vs('a', all, all)], []],
    ['if older ones take the same', [vs('a', [prefix('/a')]), vs('b', [prefix('/a')])], ['b http.0']],
    ['if older ones take more', [vs('a', [prefix('/a')]), vs('b', [prefix('/a/b')])], ['b http.0']],
    ['not if they take less', [vs('a', [prefix('/a/b')]), vs('b', [prefix('/a')])], []],
    ['not if one of its matches is left', [vs('a', [prefix('/a')]), vs('b', [prefix('/a'), prefix('/b')])], []],
    ['not to a rule for everything, which comes last', [vs('a', all), vs('b', [prefix('/b')])], []],
    ['if it is for everything and an older one is', [vs('a', all), vs('b', [prefix('/b')], all)], ['b http.1']],
    [
      'to what the older one has for this client',
      [vs('a', [{ ...prefix('/a'), sourceLabels: { app: 'a' } }]), vs('b', [prefix('/a')])],
      ['b http.0'],
    ],
    [
      'not to what it has for others',
      [vs('a', [{ ...prefix('/a'), sourceLabels: { app: 'z' } }]), vs('b', [prefix('/a')])],
      [],
    ],
    [
      'of others to the first, too',
      [vs('a', [prefix('/a')]), vs('b', [prefix('/b')]), vs('c', [prefix('/a')], [prefix('/b')])],
      ['c http.0', 'c http.1'],
    ],
  ])('%s', (_, virtualServices, expected) => {
    expect(lost(...virtualServices)).toEqual(expected);
  });

  it('and its owner hears to whom', () => {
    const [told] = tellShadowed({ host: 'x', virtualServices: [vs('shop/a', all), vs('b', all)], client });
    expect(told).toMatchObject({ code: 'IST0109', level: 'warning', object: { name: 'b' } });
    expect(told?.message).toContain('VirtualService shop/a is older and takes all requests to x');
  });
});
