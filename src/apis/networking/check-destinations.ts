import type { Field } from '../finding.ts';
import { checkDnsLabel, checkHostOfService } from '../rules/names.ts';
import { checkOptionalPort } from '../rules/scalars.ts';
import type { Destination } from './networking.ts';

export function checkDestination(field: Field, destination: Destination | undefined): void {
  if (destination === undefined) return;
  checkHostOfService(field.at('host'), destination.host);
  if (destination.subset) checkDnsLabel(field.at('subset'), destination.subset);
  checkOptionalPort(field.at('port', 'number'), destination.port?.number);
}

/** Between these a sum of weights is more likely a mistake than a choice. */
const leastPercents = 50;
const mostPercents = 200;

type Weighted = { readonly destination: Destination; readonly weight?: number | undefined };

/** Shares need not add up to 100, but somebody must get something, and what looks like percents had better be percents. */
export function checkWeightedDestinations(field: Field, route: readonly Weighted[]): void {
  let total = 0;
  for (const [index, { destination, weight = 0 }] of route.entries()) {
    checkDestination(field.at(index, 'destination'), destination);
    if (weight < 0) {
      field.at(index, 'weight').error('XEB0206', { problem: 'is negative', got: weight, allowed: '0 or more' });
    }
    total += weight;
  }
  if (route.length < 2) return;
  if (total === 0) {
    field.error('XEB0206', {
      problem: 'has several destinations whose weights add up to 0',
      fix: 'give at least one a weight',
    });
  } else if (total !== 100 && total >= leastPercents && total <= mostPercents) {
    const shares = route.map(({ weight = 0 }) => `${Math.round((weight * 1000) / total) / 10}%`).join(', ');
    const problem = `has weights that add up to ${total}, not 100, so the shares are ${shares}`;
    field.warn('XEB0206', { problem, fix: 'correct the weights if percents are meant' });
  }
}
