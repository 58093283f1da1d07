import { describe, expect, test } from 'vitest';
import { ProtectionLines } from './protection-lines.ts';

const [v1, v2] = [
  { app: 'a', version: 'v1' },
  { app: 'a', version: 'v2' },
];

describe('views of workloads whose protection changes', () => {
  test('one view for one protection, as long as nothing moves', () => {
    const lines = new ProtectionLines();
    const first = lines.place('base', v1, '1');
    expect(first.before).toBeUndefined();
    expect(lines.place('base', v2, '1')).toEqual(first);
    expect(lines.place('base', v1, '1')).toEqual(first);
    expect(lines.place('else', v1, '1').viewKey).not.toBe(first.viewKey);
  });

  test('who had one view has one again, which goes on from it', () => {
    const lines = new ProtectionLines();
    const { viewKey } = lines.place('base', v1, '1');
    lines.place('base', v2, '1');
    const moved = lines.place('base', v1, '2');
    expect(moved).toEqual({ viewKey: expect.not.stringMatching(`^${viewKey}$`) as string, before: viewKey });
    expect(lines.place('base', v2, '2')).toEqual(moved);
    expect(lines.place('base', v1, '2')).toEqual({ viewKey: moved.viewKey, before: undefined });
  });

  test('who was protected otherwise before has another view: it must never fall back to what others had', () => {
    const lines = new ProtectionLines();
    lines.place('base', v1, '1');
    lines.place('base', v2, 'strict');
    const [a, b] = [lines.place('base', v1, '2'), lines.place('base', v2, '2')];
    expect(a.viewKey).not.toBe(b.viewKey);
    expect([a.before, b.before]).toEqual(['base 1', 'base strict']);
    expect(lines.place('base', { app: 'new' }, '2')).toEqual({ viewKey: 'base 2', before: undefined });
  });

  test('also when it came back to what it was', () => {
    const lines = new ProtectionLines();
    const first = lines.place('base', v1, '1');
    lines.place('base', v2, '1');
    lines.place('base', v1, '2');
    const back = lines.place('base', v1, '1');
    expect(back.viewKey).not.toBe(first.viewKey);
    expect(lines.place('base', v2, '1').viewKey).toBe(first.viewKey);
  });

  test('the pods of a rollout have the view of those before them', () => {
    const lines = new ProtectionLines();
    lines.place('base', { ...v1, 'pod-template-hash': 'x' }, '1');
    const moved = lines.place('base', { ...v1, 'pod-template-hash': 'x' }, '2');
    expect(lines.place('base', { ...v1, 'pod-template-hash': 'y' }, '2').viewKey).toBe(moved.viewKey);
    expect(lines.place('base', { ...v1, 'pod-template-hash': 'z' }, '3').viewKey).toBe('base 3');
  });
});
