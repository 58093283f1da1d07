import type { Galley } from '../../galley/galley.ts';
import { StatusController, type StatusDeps } from '../../galley/status/status-controller.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Pilot } from '../../pilot/pilot.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { XdsServer } from '../../xds/xds.ts';
import { tellOnce } from '../tell-once.ts';
import type { VerdictLog } from '../verdict-log.ts';
import { LocalDistribution } from './local-distribution.ts';
import { MeshDistribution, type Peers } from './mesh-distribution.ts';
import { DistributionPage } from './status-pages.ts';

export type StatusParts = {
  readonly controller: StatusController;
  /** What this replica tells others. */
  readonly page: DistributionPage;
};

export type StatusInputs = {
  readonly galley: Galley;
  readonly pilot: Pilot;
  readonly xds: XdsServer;
  readonly verdicts: VerdictLog;
  /** Where statuses are written, and who may. */
  readonly kubernetes: StatusDeps['kubernetes'];
  readonly peers: Peers | undefined;
  readonly clock: Clock;
  readonly log: Logger;
};

const nobody: Peers = { addresses: () => [] };

/** Hands what pilot, xds and galley know to the part that says what became of each object. */
export function makeStatus(inputs: StatusInputs): StatusParts {
  const { galley, pilot, xds, verdicts, kubernetes, peers = nobody, clock } = inputs;
  const log = inputs.log.child({ component: 'status' });
  const local = new LocalDistribution({ pilot, xds, reports: verdicts, config: () => galley.snapshot(), clock });
  const controller = new StatusController({
    feed: {
      objects: () => galley.objects(),
      diagnostics: () => tellOnce(galley.diagnostics(), pilot.diagnostics()),
      isSynced: () => galley.synced,
      onDiagnostics: (listener) => galley.onDiagnostics(listener),
    },
    distribution: new MeshDistribution({ local, peers, clock, log }),
    kubernetes,
    clock,
    log,
  });
  return { controller, page: new DistributionPage(local, clock.now()) };
}
