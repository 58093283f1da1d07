import { expect, it } from 'vitest';
import { collections } from '../collections.ts';
import { renderIssue } from '../testing/judge.ts';

const meta = { name: 'a', namespace: 'shop', annotations: {} };

it('says once per object that a kind has no effect yet, and not while something keeps it out', () => {
  const linesOf = (spec: object): readonly string[] =>
    collections.handler.check({ spec }, meta).issues.map(renderIssue);
  expect(linesOf({ compiledAdapter: 'denier' })).toEqual(['warning XEB0122 kind']);
  expect(linesOf({ compiledAdapter: 5 })).toEqual(['error XEB0001 spec.compiledAdapter']);
});
