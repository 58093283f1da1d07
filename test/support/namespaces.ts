import { beforeEach } from 'vitest';

/** Network namespaces of one's own need root on Linux. */
export const canUseNamespaces = process.platform === 'linux' && process.getuid?.() === 0;

/** Leaves out the tests of a file, and says why, where there can be no namespaces. */
export function needNamespaces(): void {
  beforeEach(({ skip }) => skip(!canUseNamespaces, 'network namespaces need root on Linux: run it with sudo'));
}
