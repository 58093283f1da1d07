/** What stands before and after the options in each command's help: first what to type, last how it ends. */
export type HelpTexts = { readonly examples: readonly string[]; readonly exitCodes: string };

const PROXY = 'sidecar~10.1.1.1~reviews-v1.default~default.svc.cluster.local';

export const help = {
  xebec: {
    examples: [
      'xebec local up samples/bookinfo        # a mesh on this machine, with traffic',
      'xebec validate -f ./mesh               # what is wrong with a folder of YAML',
      'xebec serve --source ./mesh            # program Envoys from it',
    ],
    exitCodes:
      '0 fine, 1 findings or a failed check, 2 wrong use, 3 cannot listen or cannot reach, 4 ended before it was done',
  },
  serve: {
    examples: [
      'xebec serve --source ./mesh',
      'xebec serve --source ./mesh --mesh-config mesh.yaml --xds-plaintext 0.0.0.0:15010',
      'xebec serve --source ./mesh --admin 127.0.0.1:15014 --log-level debug',
      'xebec serve --kubernetes --context my-cluster --controllers pilot    # from here, the mesh of a cluster',
    ],
    exitCodes: '0 ended by a signal, 2 wrong use, 3 cannot listen on an address, or cannot read the kubeconfig',
  },
  check: {
    examples: [
      'xebec check                                          # of the cluster of your kubeconfig',
      'xebec check --namespace mesh --service mesh-xebec    # of another release',
      'xebec check --wait 60s -o json                       # for a pipeline: until all is well, or a minute is over',
    ],
    exitCodes:
      '0 all is well, 1 something failed, 2 wrong use, 3 cannot reach the Kubernetes API, 4 ended before it was done',
  },
  'config-dump': {
    examples: [
      `xebec config-dump --source ./mesh --proxy '${PROXY}'`,
      `xebec config-dump --source ./mesh --proxy '${PROXY}' --type routes -o yaml`,
      `xebec config-dump --source ./mesh --proxy 'router~10.1.1.2~ingress.istio-system~istio-system.svc.cluster.local' \\\n    --metadata 'LABELS={"istio":"ingressgateway"}'`,
    ],
    exitCodes: '0 fine, 2 wrong use, 4 ended before it was done',
  },
  validate: {
    examples: [
      'xebec validate -f ./mesh',
      'xebec validate -f ./mesh --fail-on warning -o json',
      'kubectl get virtualservices -A -o yaml | xebec validate -f -',
    ],
    exitCodes: '0 nothing found, 1 findings, 2 wrong use, 4 ended before it was done',
  },
} satisfies Record<string, HelpTexts>;

export function renderExamples({ examples }: HelpTexts): string {
  return ['Examples:', ...examples.map((line) => `  ${line}`), ''].join('\n');
}

export function renderExitCodes({ exitCodes }: HelpTexts): string {
  return `\nExit codes: ${exitCodes}.`;
}
