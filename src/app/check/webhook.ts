import type { KubeObject, KubeResult } from '../../kube/api.ts';
import { asRecord, nameOf, recordsIn, textIn } from '../../kube/json.ts';
import type { Check, CheckInputs, Finding } from './check.ts';
import { failed, ok, unanswered } from './findings.ts';
import { listAll } from './list-all.ts';

const configurations = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
};
const virtualServices = { group: 'networking.istio.io', version: 'v1', plural: 'virtualservices' };

/** That the API server asks xebec, by two objects that are judged and never stored. */
export const checkWebhook: Check = async (inputs, signal) => {
  if (!inputs.hasWebhook || !inputs.config.controllers.includes('galley'))
    return [ok('not wanted: objects are judged in their status alone')];
  const registered = await checkRegistration(inputs, signal);
  if (registered.state === 'failed') return [registered];
  return [registered, await checkRefusal(inputs, signal), await checkAdmission(inputs, signal)];
};

async function checkRegistration({ kube, config }: CheckInputs, signal: AbortSignal): Promise<Finding> {
  const { namespace, service } = config;
  const labelSelector = `xebec.dev/ca-bundle=${namespace}`;
  const found = await listAll(kube, { type: configurations, namespace: '', labelSelector }, signal);
  if (!found.ok) return unanswered('the webhook configuration', found.error);
  const [configuration] = found.value;
  if (configuration === undefined)
    return failed(
      `no webhook configuration has the label ${labelSelector}`,
      'upgrade the release, with webhook.enabled',
    );
  const { name } = nameOf(configuration);
  const isTrusted = recordsIn(configuration, 'webhooks').every(
    (webhook) => textIn(asRecord(webhook['clientConfig']), 'caBundle') !== '',
  );
  if (isTrusted) return ok(`the API server knows the webhook (${name}), and its authorities`);
  return failed(
    `${name} has no caBundle yet: the API server trusts nobody there`,
    `the leader writes it; if it stays so: kubectl -n ${namespace} logs deployment/${service}`,
  );
}

async function checkRefusal(inputs: CheckInputs, signal: AbortSignal): Promise<Finding> {
  const answer = await dryRun(inputs, '-1s', signal);
  const remedy = `kubectl -n ${inputs.config.namespace} logs deployment/${inputs.config.service}; kubectl get validatingwebhookconfigurations`;
  if (answer.ok) {
    return failed('the API server admits an invalid VirtualService: it could not ask xebec, or did not', remedy);
  }
  const { reason, message } = answer.error;
  if (reason === 'forbidden' && !isRefusal(message)) return unanswered('an invalid VirtualService', answer.error);
  if (isRefusal(message) && message.includes('timeout'))
    return ok('an invalid VirtualService is refused, with the reason');
  return failed(`an invalid VirtualService is refused, but not by xebec: ${message}`, remedy);
}

async function checkAdmission(inputs: CheckInputs, signal: AbortSignal): Promise<Finding> {
  const answer = await dryRun(inputs, '1s', signal);
  if (answer.ok) return ok('a valid VirtualService is admitted');
  const { reason, message } = answer.error;
  if (reason === 'forbidden' && !isRefusal(message)) return unanswered('a valid VirtualService', answer.error);
  return failed(`a valid VirtualService is refused: ${message}`, 'look at who refuses it, in that message');
}

/** The words of `kubectl apply`, which are xebec's. */
function isRefusal(message: string): boolean {
  return message.includes('denied the request') && message.includes('VirtualService');
}

function dryRun({ kube, config }: CheckInputs, timeout: string, signal: AbortSignal): Promise<KubeResult> {
  const object: KubeObject = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'xebec-check', namespace: config.namespace },
    spec: {
      hosts: ['xebec-check.invalid'],
      http: [
        { timeout, route: [{ destination: { host: `${config.service}.${config.namespace}.svc.${config.domain}` } }] },
      ],
    },
  };
  return kube.create(virtualServices, object, signal, true);
}
