import type { KubeObject } from '../../kube/api.ts';
import { asRecord, nameOf, numberIn, recordsIn, textIn } from '../../kube/json.ts';
import type { Check, CheckInputs } from './check.ts';
import { failed, ok, skipped, unanswered } from './findings.ts';
import { listAll } from './list-all.ts';

const virtualServices = { group: 'networking.istio.io', version: 'v1', plural: 'virtualservices' };

/** A status is written within seconds; what is younger proves nothing. */
const PATIENCE_MS = 30_000;

/** That VirtualServices say what became of them, wherever one may look. */
export const checkStatuses: Check = async (inputs, signal) => {
  const { kube, config } = inputs;
  if (!config.controllers.includes('galley') || config.configSources.length > 0)
    return [ok('not wanted: this xebec writes no status')];
  const everywhere = await listAll(kube, { type: virtualServices, namespace: '' }, signal);
  const list =
    !everywhere.ok && everywhere.error.reason === 'forbidden'
      ? await listAll(kube, { type: virtualServices, namespace: config.namespace }, signal)
      : everywhere;
  if (!list.ok) return [unanswered('the statuses of VirtualServices', list.error)];
  const judged = list.value.filter(isJudged);
  const silent = list.value.filter((object) => !isJudged(object) && isOld(object, inputs)).map(renderName);
  if (silent.length === 0) {
    if (judged.length > 0) return [ok(`VirtualServices say what became of them (${judged.length})`)];
    return [skipped('there is no VirtualService yet to have a status', 'apply one, and check again')];
  }
  const names = `${silent.slice(0, 3).join(', ')}${silent.length > 3 ? ` and ${silent.length - 3} more` : ''}`;
  return [
    failed(
      `${names}: no status of their present generation`,
      `the leader writes it: kubectl -n ${config.namespace} logs deployment/${config.service}`,
    ),
  ];
};

function renderName(object: KubeObject): string {
  const { namespace, name } = nameOf(object);
  return `${namespace}/${name}`;
}

function isOld(object: KubeObject, { clock }: CheckInputs): boolean {
  const created = Date.parse(textIn(asRecord(object['metadata']), 'creationTimestamp'));
  return clock.now() - created > PATIENCE_MS;
}

function isJudged(object: KubeObject): boolean {
  const generation = numberIn(asRecord(object['metadata']), 'generation');
  return recordsIn(asRecord(object['status']), 'conditions').some(
    (condition) => condition['type'] === 'Accepted' && condition['observedGeneration'] === generation,
  );
}
