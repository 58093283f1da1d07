import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { echoApp, gatewayPod, routeTo, routing } from './gateway-pod.ts';
import { images } from './image-catalog.ts';
import { sharedNode } from './node-shared.ts';
import { ask, Traffic } from './pod-traffic.ts';
import { Release } from './release.ts';

// Two replicas of profile ha, and a stock Envoy that carries traffic while they come and go.

const node = sharedNode(images.node, images.envoy);
const release = new Release({ client: node.client, helm: 'helm3', name: 'xebec', namespace: 'istio-system' });
const { namespace } = node;
const lease = ['.spec.holderIdentity', 'lease', 'xebec-leader'] as const;
let address = '';

/** What Envoy says of itself: how many listeners and clusters are in force. */
async function configOfEnvoy(): Promise<readonly number[]> {
  const stats = await (await fetch(`http://${address}:15090/stats/prometheus`)).text();
  return ['listener_manager_total_listeners_active', 'cluster_manager_active_clusters'].map((name) =>
    Number(new RegExp(`^envoy_${name}\\{\\} (\\d+)`, 'm').exec(stats)?.[1]),
  );
}

describe('replicas', () => {
  beforeAll(async () => {
    await release.prepare();
    await release.change('install', '--set=profile=ha', '--set=replicas=2', '--set=podDisruptionBudget.minAvailable=1');
    await node
      .client()
      .apply([
        ...echoApp('one', namespace),
        ...echoApp('two', namespace),
        gatewayPod('gateway', namespace),
        ...routing(namespace, 'gateway', [routeTo('one')]),
      ]);
    await node.client().waitForCondition('Ready', ['pod', '--all', `--namespace=${namespace}`]);
    const pod = ['get', 'pod', 'gateway', `--namespace=${namespace}`, '--output=jsonpath={.status.podIP}'];
    address = await node.client().kubectl(pod);
    await node.client().waitFor('traffic flows', async () => {
      return (await ask(`${address}:8080`, '/')).body === 'one' ? true : undefined;
    });
  });
  afterAll(() => release.remove());

  test('of profile ha are disrupted one by one, reached by few, and run before others', async () => {
    expect(await release.read('.spec.minAvailable', 'poddisruptionbudget', 'xebec')).toBe('1');
    expect(await release.read('.spec.policyTypes', 'networkpolicy', 'xebec')).toBe('["Ingress"]');
    expect(await release.read('.items[*].spec.priorityClassName', 'pods', '-l', 'app=xebec')).toBe(
      'system-cluster-critical system-cluster-critical',
    );
    expect(await release.read('.status.readyReplicas', 'deployment', 'xebec')).toBe('2');
  });

  test('that can never be fewer are warned of: no node could be drained', async () => {
    const said = await release.change('upgrade', '--dry-run=client', '--set=profile=ha,replicas=2');
    expect(said).toContain(
      'podDisruptionBudget.minAvailable is 2, and there are 2 replicas: no node that runs one can be drained',
    );
  });

  test('are restarted one after the other, and no request fails, and no proxy is emptied', async () => {
    const [listeners = 0, clusters = 0] = await configOfEnvoy();
    expect(listeners).toBeGreaterThan(0);
    const traffic = new Traffic(() => ask(`${address}:8080`, '/'), 'one');
    const seen: (readonly number[])[] = [];
    const over = new AbortController();
    const watching = (async () => {
      for (; !over.signal.aborted; await sleep(100)) seen.push(await configOfEnvoy());
    })();
    try {
      await release.kubectl('rollout', 'restart', 'deployment/xebec');
      await release.kubectl('rollout', 'status', 'deployment/xebec', '--timeout=120s');
      // A change that only the new ones can have sent.
      await node.client().apply(routing(namespace, 'gateway', [routeTo('two', '/two'), routeTo('one')]));
      await node.client().waitFor('the new replicas are heard', async () => {
        return (await ask(`${address}:8080`, '/two')).body === 'two' ? true : undefined;
      });
    } finally {
      over.abort();
      await watching;
      await traffic.end();
    }
    expect(traffic.failures).toEqual([]);
    expect(traffic.count).toBeGreaterThan(100);
    expect(seen.length).toBeGreaterThan(20);
    expect(seen.filter(([active = 0, known = 0]) => active < listeners || known < clusters)).toEqual([]);
  });

  test('find another leader when theirs is killed, and statuses are written on', async () => {
    const killed = await node.client().waitFor('one leads', async () => (await release.read(...lease)) || undefined);
    await release.kubectl('delete', 'pod', killed, '--grace-period=0', '--force');
    const next = await node.client().waitFor('another leads', async () => {
      const holder = await release.read(...lease);
      return holder !== '' && holder !== killed ? holder : undefined;
    });
    expect(await release.read('.metadata.name', 'pod', next)).toBe(next);
    await node.client().apply(routing(namespace, 'gateway', [routeTo('two')]));
    const generation = ['get', 'vs', 'shop', `--namespace=${namespace}`, '--output=jsonpath={.metadata.generation}'];
    const wanted = await node.client().kubectl(generation);
    await node.client().waitFor('the status is of what is there now', async () => {
      const path = '{.status.conditions[?(@.type=="Programmed")].observedGeneration}';
      const get = ['get', 'vs', 'shop', `--namespace=${namespace}`, `--output=jsonpath=${path}`];
      return (await node.client().kubectl(get)) === wanted ? true : undefined;
    });
    const wait = ['wait', '--for=condition=Programmed', 'vs/shop', `--namespace=${namespace}`, '--timeout=60s'];
    expect(await node.client().kubectl(wait)).toContain('condition met');
    expect((await ask(`${address}:8080`, '/')).body).toBe('two');
  });
});
