import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { Authenticator } from './authenticator.ts';
import type { Credentials } from './caller.ts';
import type { TokenOwner, TokenVerdict } from './token-reviews.ts';

const owner: TokenOwner = { namespace: 'shop', serviceAccount: 'web', node: 'n1' };

async function authenticate(
  credentials: Partial<Credentials>,
  {
    verdict = { kind: 'owner', owner },
    domains = ['mesh.example', 'old.example'],
  }: { verdict?: TokenVerdict; domains?: readonly string[] } = {},
) {
  const asked: string[] = [];
  const review = (token: string): Promise<TokenVerdict> => {
    asked.push(token);
    return Promise.resolve(verdict);
  };
  const authenticator = new Authenticator({
    trustDomains: () => domains,
    tokens: { review },
    clock: new ManualClock(),
  });
  const result = await authenticator.authenticate({
    transport: 'tls',
    certificate: undefined,
    authorization: [],
    ...credentials,
  });
  return { result, asked };
}

test('the owner of a token has the identity of its account in the mesh’s own domain', async () => {
  const { result, asked } = await authenticate({ authorization: ['bearer  abc'] });
  const identity = { trustDomain: 'mesh.example', namespace: 'shop', serviceAccount: 'web' };
  expect(result).toEqual({ kind: 'known', caller: { identity, provenBy: 'token', node: 'n1' } });
  expect(asked).toEqual(['abc']);
});

test.each([
  ['none', []],
  ['two', ['Bearer a', 'Bearer b']],
  ['one of another kind', ['Basic a']],
  ['one with a space in it', ['Bearer a b']],
])('of authorizations, %s proves nobody and nobody is asked', async (_, authorization) => {
  const { result, asked } = await authenticate({ authorization });
  expect([result.kind, asked]).toEqual(['unknown', []]);
});

test('a token that came over plaintext may be anybody’s', async () => {
  const { result, asked } = await authenticate({ transport: 'plaintext', authorization: ['Bearer a'] });
  expect([result.kind, asked]).toEqual(['unknown', []]);
});

test('a bad certificate leaves the word to a token, and both reasons are told', async () => {
  const certificate = Buffer.from('none');
  const good = await authenticate({ certificate, authorization: ['Bearer a'] });
  expect(good.result.kind).toBe('known');
  const bad = await authenticate(
    { certificate, authorization: ['Bearer a'] },
    { verdict: { kind: 'refused', reason: 'gone' } },
  );
  expect(bad.result).toEqual({ kind: 'unknown', reason: 'the certificate cannot be read; gone' });
});

test('while the mesh has no name, or nobody reviews, it is not said that a caller is nobody', async () => {
  const nameless = await authenticate({ authorization: ['Bearer a'] }, { domains: [] });
  expect([nameless.result.kind, nameless.asked]).toEqual(['unavailable', []]);
  const down = await authenticate(
    { authorization: ['Bearer a'] },
    { verdict: { kind: 'unavailable', reason: 'down' } },
  );
  expect(down.result).toEqual({ kind: 'unavailable', reason: 'down' });
});
