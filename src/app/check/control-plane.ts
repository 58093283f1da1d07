import { httpGet } from '../../http/http-client.ts';
import { asRecord, recordsIn, textIn } from '../../kube/json.ts';
import { startWatchdog } from '../../kube/watchdog.ts';
import type { Address } from '../config.ts';
import type { Check, CheckInputs, Finding } from './check.ts';
import { failed, ok, skipped, unanswered, warning } from './findings.ts';
import { listReplicas } from './replicas.ts';

const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
const ANSWER_MS = 5_000;

/** That replicas are ready, answer through their Service, and that one of them leads. */
export const checkControlPlane: Check = async (inputs, signal) => {
  const findings = [await checkReplicas(inputs, signal), await checkPage(inputs, signal)];
  if (inputs.config.controllers.includes('galley')) findings.push(await checkLeader(inputs, signal));
  return findings;
};

async function checkReplicas({ kube, config }: CheckInputs, signal: AbortSignal): Promise<Finding> {
  const { namespace, service } = config;
  const slices = await listReplicas(kube, config, signal);
  if (!slices.ok) return unanswered('the replicas', slices.error);
  const endpoints = slices.value.flatMap((slice) => recordsIn(slice, 'endpoints'));
  const ready = endpoints.filter((endpoint) => asRecord(endpoint['conditions'])['ready'] !== false);
  const look = `kubectl -n ${namespace} describe pods; kubectl -n ${namespace} logs deployment/${service}`;
  if (ready.length === 0) return failed(`none of ${endpoints.length} replicas behind ${service} is ready`, look);
  const words = `replicas: ${ready.length} of ${endpoints.length} ready`;
  return ready.length === endpoints.length ? ok(words) : warning(words, look);
}

async function checkPage({ monitoring, config, clock }: CheckInputs, signal: AbortSignal): Promise<Finding> {
  const { namespace, service } = config;
  if (monitoring === undefined) {
    return skipped(
      'whether /ready answers is only seen from inside of the cluster',
      `run helm test, or kubectl -n ${namespace} port-forward service/${service} 15014 and give --monitoring`,
    );
  }
  const url = `http://${render(monitoring)}/ready`;
  const watchdog = startWatchdog(clock, ANSWER_MS, signal);
  try {
    const { status, body } = await httpGet(url, 65_536, watchdog.signal);
    if (status === 200) return ok(`${url} answers`);
    return failed(
      `${url} says ${status}: ${body.trim()}`,
      `what it waits for: kubectl -n ${namespace} logs deployment/${service}`,
    );
  } catch (error) {
    const why = watchdog.isLate ? 'no answer' : String(error);
    return failed(`${url} cannot be reached: ${why}`, 'check DNS and NetworkPolicies between here and the Service');
  } finally {
    watchdog.stop();
  }
}

async function checkLeader({ kube, config }: CheckInputs, signal: AbortSignal): Promise<Finding> {
  const name = `${config.service}-leader`;
  const lease = await kube.get(leases, { namespace: config.namespace, name }, signal);
  if (!lease.ok && lease.error.reason !== 'not-found') return unanswered('the leader', lease.error);
  const holder = lease.ok ? textIn(asRecord(lease.value['spec']), 'holderIdentity') : '';
  if (holder !== '') return ok(`${holder} leads`);
  return failed('no replica leads: no status is written', `kubectl -n ${config.namespace} get lease ${name} -o yaml`);
}

export function render({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
