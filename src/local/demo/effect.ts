import type { Clock } from '../../kit/clock.ts';
import { fieldsOf, listAt, parseFields, textAt } from '../fields.ts';
import type { PodReport } from '../mesh/pod-runner.ts';
import { socketGet } from '../socket-get.ts';
import type { Applied } from './apply.ts';

/** Where an edit must arrive: a resource of the Envoy of a Deployment, and what it then says (or no longer says). */
export type Effect = {
  readonly deployment: string;
  readonly resource: 'routes' | 'clusters' | 'listeners';
  readonly name: string;
  readonly says: string;
};

const DUMPS = {
  routes: 'dynamic_route_configs',
  clusters: 'dynamic_active_clusters',
  listeners: 'dynamic_listeners',
} as const;
const POLL_MS = 10;
const LONGEST_MS = 20_000;

export type EffectInputs = {
  readonly effect: Effect;
  readonly pods: readonly PodReport[];
  readonly applied: readonly Applied[];
  readonly clock: Clock;
};

/**
 * Milliseconds from the last file's writing to the moment Envoy itself says it updated the resource; undefined when it never said
 * so. Both times are of this machine's clock.
 */
export async function measureEffect({ effect, pods, applied, clock }: EffectInputs): Promise<number | undefined> {
  const socket = pods.find(({ deployment }) => deployment === effect.deployment)?.adminSocket;
  const [first, last] = [applied[0], applied.at(-1)];
  if (socket === undefined || first === undefined || last === undefined) return undefined;
  const query = `resource=${DUMPS[effect.resource]}&name_regex=${encodeURIComponent(escapeRegex(effect.name))}`;
  const never = new AbortController();
  const deadline = clock.monotonic() + LONGEST_MS;
  while (clock.monotonic() < deadline) {
    const reply = await socketGet({ path: socket }, `/config_dump?${query}`);
    const updatedAt = findUpdate(reply?.body ?? '', effect);
    if (updatedAt !== undefined && updatedAt >= first.writtenAt) return Math.max(0, updatedAt - last.writtenAt);
    await clock.sleep(POLL_MS, never.signal);
  }
  return undefined;
}

/** When Envoy last updated the resource, if it says what it should. */
export function findUpdate(dump: string, { name, says }: Effect): number | undefined {
  const configs = listAt(parseFields(dump) ?? {}, 'configs').map(fieldsOf);
  for (const config of configs) {
    const text = JSON.stringify(config);
    if (text.includes(`"name":${JSON.stringify(name)}`) && text.includes(says))
      return Date.parse(textAt(config, 'last_updated') || textAt(fieldsOf(config['active_state']), 'last_updated'));
  }
  return undefined;
}

function escapeRegex(text: string): string {
  return `^${text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`;
}
