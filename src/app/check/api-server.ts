import { textIn } from '../../kube/json.ts';
import type { Check } from './check.ts';
import { failed, ok } from './findings.ts';

export const checkApiServer: Check = async ({ kube }, signal) => {
  const version = await kube.getPath('/version', signal);
  if (version.ok) return [ok(`the Kubernetes API answers (${textIn(version.value, 'gitVersion')})`)];
  return [
    failed(
      `the Kubernetes API does not answer: ${version.error.message}`,
      'check the address, the credentials and the network: kubectl version',
    ),
  ];
};
