import fc from 'fast-check';

/**
 * The gate must say the same twice, so random tests start from one seed there. XEBEC_SEED tries another (any number, or `random`),
 * and XEBEC_RUNS more of them: `XEBEC_SEED=random XEBEC_RUNS=10000 npm run check -- tests`.
 */
const { XEBEC_SEED: seed = '1', XEBEC_RUNS: runs } = process.env;
fc.configureGlobal({
  ...(seed === 'random' ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});
