// Keeps a copy of all EndpointSlices of a server as the mesh does, and says what it weighs: reflect.ts KUBECONFIG
import { narrowObject } from '../../../src/galley/sources/kubernetes/narrow.ts';
import type { SourceObject } from '../../../src/galley/sources/source.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { connectKubeApi } from '../../../src/kube/connect.ts';
import { nameOf } from '../../../src/kube/json.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';

const metrics = new PromMetrics();
const made = await connectKubeApi({
  access: { kind: 'kubeconfig', path: process.argv[2] ?? '' },
  clock: systemClock,
  log: silentLogger,
  metrics,
  userAgent: 'xebec-test',
});
if (!made.ok) throw new Error(made.error);
const api = made.value;
const stop = new AbortController();
const copy = new Map<string, SourceObject>();
let reflector: Reflector<SourceObject> | undefined = new Reflector<SourceObject>(
  { api, clock: systemClock, random: Math.random, log: silentLogger, metrics },
  {
    type: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
    namespace: '',
    selectors: {},
    project: (object) => narrowObject(object, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }),
    keyOf: (object) => nameOf(object).name,
    onChange: ({ upserts }) => {
      for (const upsert of upserts) copy.set(upsert.meta.name, upsert);
    },
    onSynced: () => stop.abort(),
    onState: () => undefined,
  },
);
await reflector.run(stop.signal);
await api.close();
const objects = copy.size;
const full = heapBytes();
// What the copy weighs is what goes with it: libraries come and go by themselves, megabytes of their source among them.
reflector = undefined;
copy.clear();
const bytes = full - heapBytes();
process.stdout.write(JSON.stringify({ objects, bytes, maxRssBytes: process.resourceUsage().maxRSS * 1024 }));

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('start with --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
