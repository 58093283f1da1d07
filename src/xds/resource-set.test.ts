import { describe, expect, it } from 'vitest';
import { type EncodedResource, encodeResource } from './resource.ts';
import { diffSets, earlierVersions, emptyResourceSet, nextResourceSet, type ResourceSet } from './resource-set.ts';
import { Verdicts } from './verdicts.ts';

const typeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

function resource(name: string, content = name, originName = 'o'): EncodedResource {
  const origin = { kind: 'VirtualService', namespace: 'default', name: originName, path: 'spec' };
  return encodeResource({ typeUrl, name, value: Buffer.from(content), needs: [], origins: [origin] });
}

function setOf(...resources: readonly EncodedResource[]): ResourceSet {
  return nextResourceSet(emptyResourceSet(typeUrl, new Verdicts()), resources);
}

describe('nextResourceSet', () => {
  it('is the previous set when bytes and origins are the same', () => {
    const first = setOf(resource('a'), resource('b'));
    expect(nextResourceSet(first, [resource('b'), resource('a')])).toBe(first);
  });

  it('keeps the objects that did not change', () => {
    const first = setOf(resource('a'), resource('b'));
    const second = nextResourceSet(first, [resource('a'), resource('b', 'other')]);
    expect(second.resources.get('a')).toBe(first.resources.get('a'));
    expect(second.resources.get('b')).not.toBe(first.resources.get('b'));
  });

  it('takes new origins without calling the resource changed', () => {
    const first = setOf(resource('a'));
    const second = nextResourceSet(first, [resource('a', 'a', 'renamed')]);
    expect(second.resources.get('a')?.origins[0]?.name).toBe('renamed');
    expect(diffSets(first, second)).toEqual({ changed: [], removed: [] });
  });
});

describe('diffSets', () => {
  it('says what is new, changed and gone, whatever lies between', () => {
    const first = setOf(resource('a'), resource('b'), resource('c'));
    const second = nextResourceSet(first, [resource('a'), resource('b', '2')]);
    const third = nextResourceSet(second, [resource('a', '3'), resource('b', '2'), resource('d')]);
    const names = (older: ResourceSet, newer: ResourceSet): unknown => {
      const { changed, removed } = diffSets(older, newer);
      return { changed: changed.map(({ name }) => name), removed };
    };
    expect(names(first, second)).toEqual({ changed: ['b'], removed: ['c'] });
    expect(names(first, third)).toEqual({ changed: ['a', 'b', 'd'], removed: ['c'] });
    expect(names(third, first)).toEqual({ changed: ['a', 'b', 'c'], removed: ['d'] });
    expect(diffSets(first, third)).toBe(diffSets(first, third));
  });
});

describe('earlierVersions', () => {
  it('goes back to the last accepted version', () => {
    const verdicts = new Verdicts();
    const versions = ['1', '2', '3'].map((content) => resource('a', content));
    let set = emptyResourceSet(typeUrl, verdicts);
    for (const version of versions) {
      set = nextResourceSet(set, [version]);
      if (version === versions[0]) verdicts.accept(version);
    }
    expect(earlierVersions(set, 'a')).toEqual([versions[1], versions[0]]);
  });

  it('keeps the accepted version through any number of unaccepted ones', () => {
    const verdicts = new Verdicts();
    const good = resource('a', 'good');
    let set = nextResourceSet(emptyResourceSet(typeUrl, verdicts), [good]);
    verdicts.accept(good);
    for (let n = 0; n < 50; n += 1) set = nextResourceSet(set, [resource('a', `bad ${n}`), resource('other', `${n}`)]);
    expect(earlierVersions(set, 'a').at(-1)).toBe(good);
    expect(earlierVersions(set, 'a').length).toBeLessThanOrEqual(4);
  });

  it('forgets what an accepted version replaced, and names that are gone', () => {
    const verdicts = new Verdicts();
    const second = resource('a', '2');
    let set = nextResourceSet(nextResourceSet(emptyResourceSet(typeUrl, verdicts), [resource('a', '1')]), [second]);
    verdicts.accept(second);
    set = nextResourceSet(set, [second, resource('b')]);
    expect(earlierVersions(set, 'a')).toEqual([]);
    set = nextResourceSet(nextResourceSet(set, [resource('a', '3'), resource('b')]), [resource('b')]);
    expect(earlierVersions(set, 'a')).toEqual([]);
  });
});
