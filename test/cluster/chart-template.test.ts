import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { clusterBinaries } from './binaries.ts';
import { type CommandResult, runCommand } from './command.ts';
import { chart } from './release.ts';

// What the chart makes of values, without a cluster.

type Labels = Readonly<Record<string, string>>;
type PodSpec = {
  readonly containers: readonly [{ readonly image: string }];
  readonly imagePullSecrets?: unknown;
  readonly priorityClassName?: string;
};
type Manifest = {
  readonly kind: string;
  readonly rules?: readonly {
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  /** What the tests look for, of any kind. */
  readonly spec: PodSpec & {
    readonly replicas?: number;
    readonly minAvailable?: number;
    readonly template: { readonly spec: PodSpec };
    readonly selector: Labels | { readonly matchLabels: Labels };
  };
};

async function template(release: string, namespace: string, ...args: readonly string[]): Promise<CommandResult> {
  const flags = [`--namespace=${namespace}`, '--set=crds.enabled=false', ...args];
  return runCommand({ program: clusterBinaries().helm3, args: ['template', release, chart, ...flags] });
}

async function render(release: string, namespace: string, ...args: readonly string[]): Promise<readonly Manifest[]> {
  const { stdout, stderr, status } = await template(release, namespace, ...args);
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => (document.toJSON() as Manifest | null) ?? []);
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { status, stderr } = await template('xebec', 'istio-system', ...args);
  return status === 0 ? 'was taken' : stderr;
}

/** All there are. */
function listsSecrets({ rules = [] }: Manifest): boolean {
  return rules.some(
    ({ resources, verbs, resourceNames }) =>
      resources.includes('secrets') && verbs.includes('list') && resourceNames === undefined,
  );
}

function find(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

/** A Service has labels there, the others say that these have to match. */
function selectorOf({ spec: { selector } }: Manifest): Labels {
  return typeof selector['matchLabels'] === 'object' ? selector['matchLabels'] : (selector as Labels);
}

function matches(labels: Labels = {}, selector: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

describe('values', () => {
  test.each([
    ['replicaz=3', "additional properties 'replicaz' not allowed"],
    ['image.digest=latest', "at '/image/digest': 'latest' does not match"],
    ['webhook.timeoutSeconds=30', "at '/webhook/timeoutSeconds': maximum: got 30, want 5"],
    ['profile=prod', "at '/profile': value must be one of '', 'demo', 'ha'"],
    ['controllers={galley,mixer}', "at '/controllers/1': value must be one of 'galley', 'pilot'"],
  ])('%s is refused: %s', async (value, said) => {
    expect(await refusal(`--set=${value}`)).toContain(said);
  });

  test('by Istio’s names are refused with what they are called here, all at once', async () => {
    const said = await refusal(
      '--set=pilot.autoscaleEnabled=true,pilot.nonsense=1,galley.replicaCount=2,global.hub=gcr.io/istio,mixer.policy.enabled=true',
    );
    expect(said).toContain('global.hub: is image.repository here');
    expect(said).toContain('pilot.autoscaleEnabled: is autoscaling.enabled here');
    expect(said).toContain('pilot.nonsense: has no counterpart');
    expect(said).toContain('galley.replicaCount: is replicas here');
    expect(said).toContain('mixer: has no counterpart yet');
    // Charts above this one may have globals of their own.
    expect(await refusal('--set=global.team=shop')).toBe('was taken');
  });

  test('a digest pins the image, and secrets open its registry, also for the check', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const manifests = await render('x', 'y', `--set=image.digest=${digest}`, '--set=imagePullSecrets[0].name=registry');
    for (const spec of [find(manifests, 'Deployment').spec.template.spec, find(manifests, 'Pod').spec]) {
      expect(spec.containers[0].image).toBe(`docker.io/xebec/xebec@${digest}`);
      expect(spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
    }
  });

  test('of a profile count unless a person says otherwise, even with nothing', async () => {
    const ha = await render('x', 'y', '--set=profile=ha');
    expect(find(ha, 'Deployment').spec).toMatchObject({ replicas: 3 });
    expect(find(ha, 'Deployment').spec.template.spec.priorityClassName).toBe('system-cluster-critical');
    expect(find(ha, 'PodDisruptionBudget').spec.minAvailable).toBe(2);
    const own = await render(
      'x',
      'y',
      '--set=profile=ha,replicas=5,podDisruptionBudget.enabled=false,priorityClassName=',
    );
    expect(find(own, 'Deployment').spec.replicas).toBe(5);
    expect(find(own, 'Deployment').spec.template.spec).not.toHaveProperty('priorityClassName');
    expect(own.map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });

  test('profile demo logs requests, and a person’s meshConfig goes before it', async () => {
    const args = ['--show-only=templates/configmap.yaml', '--set=profile=demo'];
    expect((await template('x', 'y', ...args)).stdout).toContain('accessLogFile: /dev/stdout');
    const own = await template('x', 'y', ...args, '--set=meshConfig.accessLogFile=/tmp/log');
    expect(own.stdout).toContain('accessLogFile: /tmp/log');
    expect(own.stdout).not.toContain('/dev/stdout');
  });

  test('an autoscaler has the say over replicas', async () => {
    const manifests = await render('x', 'y', '--set=autoscaling.enabled=true');
    expect(find(manifests, 'Deployment').spec).not.toHaveProperty('replicas');
    expect(find(manifests, 'HorizontalPodAutoscaler').spec).toMatchObject({ minReplicas: 2, maxReplicas: 5 });
  });

  test('what is switched off is not there, nor allowed', async () => {
    const { stdout } = await template('x', 'y', '--set=controllers={pilot}', '--set=test.enabled=false');
    expect(stdout).not.toContain('ValidatingWebhookConfiguration');
    expect(stdout).not.toMatch(/leases|events/);
    expect(stdout).not.toMatch(/9901|15010/);
    const off = '--set=webhook.enabled=false,xds.enabled=false';
    const galley = await template('x', 'y', '--set=controllers={galley}', off);
    expect(galley.stdout).not.toMatch(/secrets|tokenreviews|15012/);
  });

  test('S18: Secrets are read where gateways are, each namespace by a Role of its own, and everywhere only for *', async () => {
    const placesOf = async (...args: readonly string[]): Promise<readonly string[]> => {
      const controllers = '--set=webhook.enabled=false,controllers={galley,pilot}';
      const manifests = await render('x', 'y', controllers, ...args);
      const readers = manifests.filter((each) => /^(Cluster)?Role$/.test(each.kind) && listsSecrets(each));
      return readers.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`);
    };
    expect(await placesOf()).toEqual(['Role y']);
    expect(await placesOf('--set=secretNamespaces={edge,shop}')).toEqual(['Role edge', 'Role shop']);
    expect(await placesOf('--set=secretNamespaces={edge,*}')).toEqual(['ClusterRole ']);
    const { stdout } = await template('x', 'y', '--set=secretNamespaces={edge,shop}');
    expect(stdout).toContain('- "--secret-namespaces=edge,shop"');
    expect(await refusal('--set=secretNamespaces={Edge}')).toContain('secretNamespaces');
  });
});

describe('identities', () => {
  test('S18: who serves xDS over TLS and issues nothing may read what signs, and write nothing of it', async () => {
    for (const controllers of ['{pilot}', '{galley}', '{galley,pilot}']) {
      const set = `--set=webhook.enabled=false,secretNamespaces={edge},controllers=${controllers}`;
      const manifests = await render('x', 'y', set, '--set=test.enabled=false');
      const rules = manifests.flatMap(({ kind, metadata, rules: all = [] }) =>
        kind.endsWith('Role') && metadata.namespace !== 'edge' ? all : [],
      );
      const ofSecrets = rules.filter(({ resources }) => resources.includes('secrets'));
      expect(ofSecrets).toEqual([
        expect.objectContaining({
          resourceNames: ['istio-ca-secret', 'cacerts'],
          verbs: ['get', 'list', 'watch'],
        }),
      ]);
      expect(rules.some(({ resources }) => resources.includes('tokenreviews'))).toBe(true);
    }
  });

  const places = async (...args: readonly string[]): Promise<readonly string[]> => {
    const manifests = await render('x', 'y', '--set=controllers={citadel}', ...args);
    const writers = manifests.filter(({ rules = [] }) =>
      rules.some(({ resources, verbs }) => resources.includes('secrets') && verbs.includes('delete')),
    );
    return writers.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`);
  };

  test('S18: Secrets are written everywhere, or by a Role of its own in each namespace that was named for it', async () => {
    expect(await places()).toEqual(['ClusterRole ']);
    expect(await places('--set=citadel.namespaces={shop,bank}')).toEqual(['Role shop', 'Role bank']);
    expect(await places('--set=controllers={galley,pilot}')).toEqual([]);
  });

  test('are issued as values say, by whoever runs them alone too', async () => {
    const values = 'citadel.workloadCertTtl=12h,citadel.workloadCertGracePeriodRatio=0.4,citadel.namespaces={shop}';
    const { stdout } = await template(
      'x',
      'y',
      `--set=controllers={citadel},citadel.enableNamespacesByDefault=false,${values}`,
    );
    expect(stdout).toContain('- "--workload-cert-ttl=12h"');
    expect(stdout).toContain('- "--workload-cert-grace-period-ratio=0.4"');
    expect(stdout).toContain('- "--citadel-enable-namespaces-by-default=false"');
    expect(stdout).toContain('- "--listened-namespaces=shop"');
    expect(stdout).toContain('name: "x-xebec-leader"');
    const without = await template('x', 'y', '--set=controllers={galley,pilot}');
    expect(without.stdout).not.toMatch(/-workload-cert-ttl=24h|ca-cert-ttl|serviceaccounts\]/);
  });

  test.each([
    ['citadel.workloadCertTtl=long', '/citadel/workloadCertTtl'],
    ['citadel.workloadCertGracePeriodRatio=2', '/citadel/workloadCertGracePeriodRatio'],
    ['citadel.namespaces={Shop}', '/citadel/namespaces/0'],
    ['citadel.rootAnnounce=soon', '/citadel/rootAnnounce'],
    ['citadel.trustedNodeAccounts={ztunnel}', '/citadel/trustedNodeAccounts/0'],
    ['xds.configConsumers={Mixer/default}', '/xds/configConsumers/0'],
    ['xds.tokenAudiences=', '/xds/tokenAudiences'],
    ['jwks.allowedCidrs={10.0.0.1}', '/jwks/allowedCidrs/0'],
    ['security.workloadCertTtl=2160h', 'security.workloadCertTtl: is citadel.workloadCertTtl here'],
    ['security.nonsense=1', 'security.nonsense: has no counterpart'],
  ])('%s is refused: %s', async (value, said) => {
    expect(await refusal(`--set=${value}`)).toContain(said);
  });
});

describe('ports', () => {
  test('have mutual TLS unless a person says otherwise, also by the classic names', async () => {
    const { stdout } = await template('x', 'y', '--set=profile=ha');
    expect(stdout).toContain('- --xds=0.0.0.0:15012');
    expect(stdout).toContain('- --xds-plaintext=off');
    expect(stdout).not.toMatch(/15010|9901/);
    const citadel = stdout.slice(stdout.indexOf('name: istio-citadel'));
    expect(citadel.slice(0, citadel.indexOf('---'))).toContain('port: 8060, targetPort: https-xds');
    const open = await template('x', 'y', '--set=xds.plaintext.enabled=true,mcp.enabled=true');
    expect(open.stdout).toContain('- --xds-plaintext=0.0.0.0:15010');
    expect(open.stdout).toContain('- --mcp=0.0.0.0:9901');
  });

  test('of values reach the process that they are for', async () => {
    const set = [
      'xds.tokenAudiences={istio-ca,mesh}',
      'xds.configConsumers={mixer/default}',
      'citadel.trustedNodeAccounts={istio-system/ztunnel}',
      'citadel.rootAnnounce=2h,citadel.maxWorkloadCertTtl=48h,citadel.caCertTtl=365d',
      'jwks.allowedCidrs={10.96.0.0/12},jwks.caConfigMap=issuers',
      'configSourceIdentity=istio.default',
    ];
    const { stdout } = await template('x', 'y', ...set.map((value) => `--set=${value}`));
    for (const argument of [
      '--token-audiences=istio-ca,mesh',
      '--config-consumers=mixer/default',
      '--ca-trusted-node-accounts=istio-system/ztunnel',
      '--root-announce=2h',
      '--max-workload-cert-ttl=48h',
      '--ca-cert-ttl=365d',
      '--jwks-allowed-cidrs=10.96.0.0/12',
      '--jwks-ca=/etc/xebec/jwks-ca/ca.crt',
      '--config-source-identity=/etc/xebec/identity',
    ])
      expect(stdout).toContain(argument);
    expect(stdout).toContain('configMap: { name: "issuers" }');
    expect(stdout).toContain('secret: { secretName: "istio.default" }');
  });
});

describe('objects', () => {
  test('of two releases in two namespaces do not meet, however long their names', async () => {
    const name = 'a'.repeat(53);
    const [one, two] = await Promise.all([`${'n'.repeat(62)}1`, `${'n'.repeat(62)}2`].map((ns) => render(name, ns)));
    const clusterWide = ({ kind }: Manifest): boolean => /^Cluster|WebhookConfiguration$/.test(kind);
    const names = (manifests: readonly Manifest[] = []): readonly string[] =>
      manifests.filter(clusterWide).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names(one).length).toBeGreaterThan(3);
    expect(names(one).filter((each) => names(two).includes(each))).toEqual([]);
  });

  test('have names and labels that Kubernetes takes, of any release, in any namespace', async () => {
    for (const [release, namespace] of [
      ['a'.repeat(53), '4711'],
      ['42', '42'],
      ['xebec', 'x'],
    ] as const) {
      for (const { kind, metadata } of await render(release, namespace)) {
        expect(metadata.name.length).toBeLessThanOrEqual(kind === 'Service' ? 63 : 253);
        if (kind === 'Service') expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
        for (const value of Object.values(metadata.labels ?? {})) {
          expect(typeof value).toBe('string');
          expect(value.length).toBeLessThanOrEqual(63);
        }
      }
    }
  });

  test('Prometheus finds each pod once, although it has many Services', async () => {
    const manifests = await render('x', 'y', '--set=serviceMonitor.enabled=true,istiodService.enabled=true');
    const selector = selectorOf(find(manifests, 'ServiceMonitor'));
    const services = manifests.filter(({ kind }) => kind === 'Service');
    expect(services.map(({ metadata }) => metadata.name)).toEqual([
      'x-xebec',
      'istio-citadel',
      'istio-galley',
      'istio-pilot',
      'istiod',
    ]);
    const scraped = services.filter(({ metadata }) => matches(metadata.labels, selector));
    expect(scraped.map(({ metadata }) => metadata.name)).toEqual(['x-xebec']);
  });

  test('the pod of helm test is behind no Service, and no selector has it', async () => {
    const manifests = await render('x', 'y', '--set=profile=ha');
    const { labels } = find(manifests, 'Pod').metadata;
    const selecting = manifests.filter(({ kind }) => ['Service', 'Deployment', 'PodDisruptionBudget'].includes(kind));
    expect(selecting).toHaveLength(6);
    expect(selecting.filter((manifest) => matches(labels, selectorOf(manifest)))).toEqual([]);
  });

  test('are in order for both versions of helm, together and with the definitions alone', async () => {
    const { helm3, helm4 } = clusterBinaries();
    for (const program of [helm3, helm4]) {
      for (const path of [chart, join(chart, 'charts', 'xebec-crds')]) {
        const { status, stdout, stderr } = await runCommand({ program, args: ['lint', '--strict', path] });
        expect(status, `${stdout}${stderr}`).toBe(0);
      }
      const args = ['template', 'definitions', join(chart, 'charts', 'xebec-crds')];
      const { stdout } = await runCommand({ program, args });
      expect(stdout.match(/^kind: CustomResourceDefinition$/gm)).toHaveLength(31);
      // They stay when the release goes.
      expect(stdout.match(/helm\.sh\/resource-policy: keep/g)).toHaveLength(31);
    }
  });
});
