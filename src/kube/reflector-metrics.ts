import type { Metrics } from '../telemetry/metrics.ts';

/** What is counted of a reflector; the labels are its resource, and closed unions. */
export type ReflectorMetrics = {
  readonly list: () => void;
  readonly watch: () => void;
  readonly event: (type: string) => void;
  readonly error: (reason: string) => void;
  /** A callback threw for so many objects. */
  readonly callbackFailure: (objects: number) => void;
  readonly objects: (count: number) => void;
};

export function reflectorMetrics(metrics: Metrics, resource: string): ReflectorMetrics {
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    metrics.counter({ name, help, labels: ['resource', ...labels] });
  const lists = counter('xebec_kube_lists_total', 'Lists that were begun.');
  const watches = counter('xebec_kube_watches_total', 'Watches that were begun.');
  const events = counter('xebec_kube_watch_events_total', 'Events of watches, by type.', ['type']);
  const errors = counter('xebec_kube_watch_errors_total', 'Lists and watches that failed, by reason.', ['reason']);
  const failures = counter('xebec_kube_callback_failures_total', 'Objects whose receiver threw.');
  const objects = metrics.gauge({
    name: 'xebec_kube_objects',
    help: 'Objects that are held of a resource.',
    labels: ['resource'],
  });
  return {
    list: () => lists.add(1, { resource }),
    watch: () => watches.add(1, { resource }),
    event: (type) => events.add(1, { resource, type }),
    error: (reason) => errors.add(1, { resource, reason }),
    callbackFailure: (count) => failures.add(count, { resource }),
    objects: (count) => objects.set(count, { resource }),
  };
}
