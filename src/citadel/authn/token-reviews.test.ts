import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import type { KubeObject, KubeResult } from '../../kube/api.ts';
import { unreachableError } from '../../kube/errors.ts';
import { TokenReviews } from './token-reviews.ts';

const START = 1_700_000_000_000;

function tokenOf(name: string, lifetimeMs = 3_600_000): string {
  const payload = Buffer.from(JSON.stringify({ aud: ['istio-ca'], exp: (START + lifetimeMs) / 1000, name }));
  return `e30.${payload.toString('base64url')}.c2ln`;
}

const good: KubeObject = {
  authenticated: true,
  audiences: ['istio-ca'],
  user: { username: 'system:serviceaccount:shop:web', groups: ['system:serviceaccounts'] },
};

function start() {
  const clock = new ManualClock(START);
  const answers = { status: good, isUp: true, asked: 0, specs: [] as unknown[] };
  let release: (() => void) | undefined;
  const held: { wait: Promise<void> | undefined } = { wait: undefined };
  const create = async (_: unknown, object: KubeObject): Promise<KubeResult> => {
    answers.asked += 1;
    answers.specs.push(object['spec']);
    await held.wait;
    return answers.isUp
      ? { ok: true, value: { status: answers.status } }
      : { ok: false, error: unreachableError('down') };
  };
  const hold = (): (() => void) => {
    held.wait = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      held.wait = undefined;
      release?.();
    };
  };
  return { clock, answers, hold, reviews: new TokenReviews({ kube: { create }, audiences: ['istio-ca'], clock }) };
}

test('a good answer is kept for a minute, and a bad one for two seconds', async () => {
  const { clock, answers, reviews } = start();
  const token = tokenOf('a');
  expect(await reviews.review(token)).toEqual({
    kind: 'owner',
    owner: { namespace: 'shop', serviceAccount: 'web', node: undefined },
  });
  expect(answers.specs).toEqual([{ token, audiences: ['istio-ca'] }]);
  await clock.advance(59_999);
  await reviews.review(token);
  expect(answers.asked).toBe(1);
  answers.status = { authenticated: false, error: 'gone' };
  await clock.advance(1);
  expect(await reviews.review(token)).toEqual({ kind: 'refused', reason: 'the API server: gone' });
  await clock.advance(1_999);
  await reviews.review(token);
  expect(answers.asked).toBe(2);
  answers.status = good;
  await clock.advance(1);
  expect((await reviews.review(token)).kind).toBe('owner');
});

test('no answer is kept beyond the end of its token', async () => {
  const { clock, answers, reviews } = start();
  const token = tokenOf('a', 10_000);
  expect((await reviews.review(token)).kind).toBe('owner');
  await clock.advance(10_000);
  expect(await reviews.review(token)).toEqual({ kind: 'refused', reason: 'the token has expired' });
  expect(answers.asked).toBe(1);
});

test('no answer is no success, and not remembered', async () => {
  const { answers, reviews } = start();
  answers.isUp = false;
  expect(await reviews.review(tokenOf('a'))).toEqual({ kind: 'unavailable', reason: 'no TokenReview: down' });
  answers.isUp = true;
  expect((await reviews.review(tokenOf('a'))).kind).toBe('owner');
});

test('many who ask about one token ask once; about too many at a time nobody is asked', async () => {
  const { answers, hold, reviews } = start();
  const letGo = hold();
  const same = Array.from({ length: 100 }, () => reviews.review(tokenOf('same')));
  expect(answers.asked).toBe(1);
  const others = Array.from({ length: 63 }, (_, index) => reviews.review(tokenOf(`other-${index}`)));
  expect(await reviews.review(tokenOf('one too many'))).toEqual({
    kind: 'unavailable',
    reason: 'too many tokens are under review',
  });
  letGo();
  for (const { kind } of await Promise.all([...same, ...others])) expect(kind).toBe('owner');
  expect(answers.asked).toBe(64);
});

test('what is remembered is bounded', async () => {
  const { answers, reviews } = start();
  for (let index = 0; index < 10_050; index += 1) await reviews.review(tokenOf(`t-${index}`));
  await reviews.review(tokenOf('t-10049'));
  expect(answers.asked).toBe(10_050);
  await reviews.review(tokenOf('t-0'));
  expect(answers.asked).toBe(10_051);
});
