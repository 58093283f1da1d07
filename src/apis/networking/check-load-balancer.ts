import type { Field } from '../finding.ts';
import { checkDuration, checkPercent, warnDeprecated } from '../rules/scalars.ts';
import { checkLocalityLb } from './check-locality-lb.ts';
import type { ConsistentHash, LoadBalancer, OutlierDetection } from './networking.ts';

export function checkLoadBalancer(
  field: Field,
  balancer: LoadBalancer | undefined,
  outlier: OutlierDetection | undefined,
): void {
  if (balancer === undefined) return;
  const { consistentHash, localityLbSetting, warmup, warmupDurationSecs } = balancer;
  if (consistentHash !== undefined) checkConsistentHash(field.at('consistentHash'), consistentHash);
  checkLocalityLb(field.at('localityLbSetting'), localityLbSetting, { outlierDetection: outlier !== undefined });
  checkDuration(field.at('warmupDurationSecs'), warmupDurationSecs);
  if (warmup !== undefined) checkWarmup(field.at('warmup'), warmup);
}

function checkWarmup(field: Field, warmup: NonNullable<LoadBalancer['warmup']>): void {
  if (warmup.duration === undefined) {
    field.at('duration').error('XEB0308', { problem: 'is missing', fix: 'say how long to warm up' });
  }
  checkDuration(field.at('duration'), warmup.duration);
  checkPercent(field.at('minimumPercent'), warmup.minimumPercent);
  if (warmup.aggression !== undefined && warmup.aggression < 1) {
    field.at('aggression').error('XEB0308', { problem: 'is too small', got: warmup.aggression, allowed: '1 or more' });
  }
}

const leastTooLargeTable = 5_000_011;

function checkConsistentHash(field: Field, hash: ConsistentHash): void {
  if (hash.httpCookie !== undefined && !hash.httpCookie.name) {
    field.at('httpCookie', 'name').error('XEB0306', { problem: 'is empty', fix: 'name the cookie' });
  }
  if (hash.minimumRingSize) {
    warnDeprecated(field.at('minimumRingSize'), 'ringHash.minimumRingSize');
    if (hash.ringHash !== undefined || hash.maglev !== undefined) {
      field
        .at('minimumRingSize')
        .error('XEB0306', { problem: 'cannot stand beside ringHash or maglev', fix: 'remove it' });
    }
  }
  const size = hash.maglev?.tableSize;
  if (hash.maglev === undefined || (size !== undefined && size < leastTooLargeTable && isPrime(size))) return;
  field
    .at('maglev', 'tableSize')
    .error('XEB0306', { problem: 'is no table size', got: size, allowed: `a prime below ${leastTooLargeTable}` });
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let factor = 2; factor * factor <= number; factor += 1) if (number % factor === 0) return false;
  return true;
}
