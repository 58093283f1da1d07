/** A right observation is called wrong once in this many times, for each share that is judged. */
const ODDS = 1_000_000;

/**
 * Whether `count` of `total` independent requests can be what a share of `share` gives: neither so few nor so many would
 * come by chance more than once in a million. A share of 0 or 1 allows nothing else.
 */
export function isPlausible(count: number, total: number, share: number): boolean {
  if (share <= 0) return count === 0;
  if (share >= 1) return count === total;
  const limit = 1 / (2 * ODDS);
  return tail(0, count, { total, share }) > limit && tail(count, total, { total, share }) > limit;
}

/** The probability that a binomial variable lies in `from … to`. */
function tail(from: number, to: number, { total, share }: { readonly total: number; readonly share: number }): number {
  let sum = 0;
  for (let count = from; count <= to; count++) {
    const log = logChoose(total, count) + count * Math.log(share) + (total - count) * Math.log(1 - share);
    sum += Math.exp(log);
  }
  return sum;
}

function logChoose(total: number, count: number): number {
  let sum = 0;
  for (let index = 1; index <= count; index++) sum += Math.log((total - count + index) / index);
  return sum;
}
