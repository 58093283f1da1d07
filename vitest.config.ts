import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Random tests start from one seed. */
const setupFiles = ['test/support/fast-check.ts'];

/** Two workers: the gate shares the machine with what else it runs. */
const maxWorkers = 2;

const nodeTests = 'test/cluster/**/*.node.test.ts';

const onKubernetes = { testTimeout: 240_000, hookTimeout: 600_000, fileParallelism: false, maxWorkers: 1 };

/** How long `expect.poll` waits: a machine that is busy is slow, and what is waited for comes. */
const poll = { timeout: 10_000, interval: 5 };

function project(name: string, include: readonly string[], test: object = {}): TestProjectInlineConfiguration {
  return {
    test: { name, include: [...include], environment: 'node', maxWorkers, setupFiles, expect: { poll }, ...test },
  };
}

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      project('unit', ['src/**/*.test.ts', 'tools/**/*.test.ts'], { testTimeout: 20_000 }),
      project('golden', ['test/golden/**/*.test.ts']),
      project('feature', ['test/feature/**/*.test.ts'], { testTimeout: 20_000 }),
      project('property', ['test/property/**/*.test.ts'], { testTimeout: 60_000 }),
      // Real Envoys on real ports: one file at a time, and Envoy may take its time to start.
      project('envoy', ['test/envoy/**/*.test.ts'], {
        testTimeout: 120_000,
        hookTimeout: 120_000,
        fileParallelism: false,
        maxWorkers: 1,
      }),
      // Real API servers, one for each file: most of the time they wait for something to run out.
      project('cluster', ['test/cluster/**/*.test.ts'], {
        ...onKubernetes,
        fileParallelism: true,
        maxWorkers,
        exclude: [...configDefaults.exclude, nodeTests],
      }),
      // A real node, one for all files: images are built and loaded, pods become ready.
      project('node', [nodeTests], { ...onKubernetes, globalSetup: ['test/cluster/node-global-setup.ts'] }),
    ],
  },
});
