import { Xebec } from '../app/assemble.ts';
import { CONTROLLERS, parseProcessConfig } from '../app/config.ts';
import { podSigners } from '../app/pod-identities.ts';
import { FolderSource } from '../galley/sources/folder-source.ts';
import { runLocal } from '../local/local.ts';
import type { ControlPlaneInputs, LocalIo } from '../local/local-io.ts';
import { makePinoLogger } from '../telemetry/pino-logger.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';

/** `xebec local …`: reads its own arguments, since what follows `--` is not ours. */
export function runLocalCommand(args: readonly string[], io: LocalIo): Promise<number> {
  return runLocal(args, io, (inputs, signal) => runControlPlane(inputs, io, signal));
}

async function runControlPlane(inputs: ControlPlaneInputs, io: LocalIo, signal: AbortSignal): Promise<void> {
  const flags = {
    source: inputs.folder,
    ...(inputs.meshConfig === undefined ? {} : { meshConfig: inputs.meshConfig }),
    ...(inputs.workloadCertTtl === undefined ? {} : { workloadCertTtlMs: inputs.workloadCertTtl }),
  };
  const parsed = parseProcessConfig(flags, io.env);
  if (!parsed.ok) throw new Error(parsed.error);
  // A mesh of its own needs every part, and nobody in it goes unproven.
  const config = {
    ...parsed.value,
    controllers: CONTROLLERS,
    xds: inputs.xds,
    xdsNames: [inputs.xds.name],
    xdsPlaintext: undefined,
    admin: inputs.admin,
  };
  const { clock } = io;
  const xebec = new Xebec({
    config,
    sources: [inputs.wrapSource(new FolderSource({ path: inputs.folder, clock }))],
    clock,
    random: Math.random,
    log: makePinoLogger(config.logLevel, io.err),
    metrics: new PromMetrics(),
  });
  if (xebec.citadel !== undefined) inputs.useSigner(podSigners(xebec.citadel.issuer, config.workloadCertTtlMs));
  await xebec.bind();
  await xebec.run(signal);
}
