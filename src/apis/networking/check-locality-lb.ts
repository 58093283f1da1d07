import type { Field } from '../finding.ts';
import { quote } from '../schema/words.ts';
import type { LocalityLbSetting } from './networking.ts';

const topologyLabels: readonly string[] = [
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.istio.io/subzone',
];

type Context = { readonly outlierDetection: boolean };

export function checkLocalityLb(field: Field, setting: LocalityLbSetting | undefined, context: Context): void {
  if (setting === undefined) return;
  const { distribute = [], failover = [], failoverPriority = [] } = setting;
  if (distribute.length > 0 && failover.length > 0) {
    field.at('failover').error('XEB0307', { problem: 'cannot stand beside distribute', fix: 'keep one of them' });
  }
  checkDistribution(field.at('distribute'), distribute);
  field.at('failover').each(failover, checkFailover);
  if (failover.length > 0) field.at('failoverPriority').each(failoverPriority, refuseTopology);
  if (failover.length + failoverPriority.length > 0 && !context.outlierDetection) {
    field.warn('XEB0307', {
      problem: 'fails over, but without outlierDetection no endpoint is ever found bad',
      fix: 'add outlierDetection',
    });
  }
}

function refuseTopology(field: Field, label: string): void {
  if (!topologyLabels.includes(label)) return;
  field.error('XEB0307', { problem: 'cannot stand beside failover', got: label, fix: 'keep one of them' });
}

function checkDistribution(field: Field, distribute: NonNullable<LocalityLbSetting['distribute']>): void {
  const origins = distribute.map(({ from = '' }, index) => ({ locality: from, at: field.at(index, 'from') }));
  checkLocalities(origins, (earlier, later) => shadows(earlier, later));
  for (const [index, { to = {} }] of distribute.entries()) {
    const at = field.at(index, 'to');
    const weights = Object.entries(to);
    for (const [locality, weight] of weights) {
      if (weight < 1 || weight > 100) {
        at.at(locality).error('XEB0307', { problem: 'is not a weight', got: weight, allowed: '1 to 100' });
      }
    }
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    if (total !== 100) at.error('XEB0307', { problem: `has weights that add up to ${total}`, allowed: '100 in all' });
    checkLocalities(
      weights.map(([locality]) => ({ locality, at: at.at(locality) })),
      (earlier, later) => shadows(earlier, later) && shadows(later, earlier),
    );
  }
}

type Placed = { readonly locality: string; readonly at: Field };

type Parts = readonly string[];

function checkLocalities(places: readonly Placed[], collide: (earlier: Parts, later: Parts) => boolean): void {
  const seen: Parts[] = [];
  for (const { locality, at } of places) {
    const parts = locality.split('/');
    const star = locality.indexOf('*');
    if (parts.some((part) => part === '')) {
      at.error('XEB0307', { problem: 'has an empty part', got: locality, allowed: 'region/zone/subzone' });
    } else if (star >= 0 && star !== locality.length - 1) {
      at.error('XEB0307', { problem: 'has a * that is not its end', got: locality, fix: 'put one * at the end' });
    } else {
      const other = seen.find((earlier) => collide(earlier, parts));
      if (other !== undefined) {
        at.error('XEB0307', {
          problem: `overlaps with ${quote(other.join('/'))}`,
          got: locality,
          fix: 'name every locality once',
        });
      }
      seen.push(parts);
    }
  }
}

/**
 * Whether Istio refuses `later` behind `earlier`. What is named exactly first and by a wildcard afterwards is no mistake: the
 * wildcard is for the rest. Weights have no order, so there it is enough that one order is good.
 */
function shadows(earlier: Parts, later: Parts): boolean {
  const holder = earlier.at(-1) === '*' ? earlier.slice(0, -1) : earlier;
  return startsWith(later, holder) || startsWith(earlier, later);
}

function startsWith(parts: Parts, start: Parts): boolean {
  return start.every((part, index) => parts[index] === part);
}

function checkFailover(
  field: Field,
  { from = '', to = '' }: { readonly from?: string | undefined; readonly to?: string | undefined },
): void {
  if (from === to) {
    field
      .at('to')
      .error('XEB0307', { problem: 'is where the traffic comes from', got: to, fix: 'name another region' });
  }
  if (to.includes('*')) field.at('to').error('XEB0307', { problem: 'has a wildcard', got: to, allowed: 'a region' });
  if (from.includes('*')) {
    field
      .at('from')
      .warn('XEB0307', { problem: 'has a wildcard, which no region has', got: from, allowed: 'a region' });
  }
  for (const [name, region] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (region.includes('/')) {
      field.at(name).warn('XEB0307', { problem: 'is more than a region', got: region, allowed: 'a region' });
    }
  }
}
