import type { Clock } from '../../kit/clock.ts';
import { socketGet } from '../socket-get.ts';

/** What a page showed where the stars would be. */
export type Sight =
  | 'no stars'
  | 'black stars'
  | 'red stars'
  | 'ratings unavailable'
  | 'reviews unavailable'
  | 'no page';
export const SIGHTS: readonly Sight[] = [
  'no stars',
  'black stars',
  'red stars',
  'ratings unavailable',
  'reviews unavailable',
  'no page',
];

/** How many pages showed what, and how long the one in the middle took. */
export type Sample = {
  readonly total: number;
  readonly counts: ReadonlyMap<Sight, number>;
  readonly medianMs: number;
};

export type Visit = {
  readonly url: string;
  /** Signed in as this user, or nobody. */
  readonly user: string | undefined;
  readonly requests: number;
  readonly concurrency: number;
};

type Page = { readonly sight: Sight; readonly ms: number };

/** Looks at the product page again and again. Never rejects: a page that does not come is something seen, too. */
export async function visitPages(visit: Visit, clock: Clock): Promise<Sample> {
  const headers: Record<string, string> =
    visit.user === undefined ? {} : { cookie: await signIn(visit.url, visit.user) };
  const pages: Page[] = [];
  let left = visit.requests;
  const visitor = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const started = clock.monotonic();
      const sight = await see(`${visit.url}/productpage`, headers);
      pages.push({ sight, ms: clock.monotonic() - started });
    }
  };
  await Promise.all(Array.from({ length: visit.concurrency }, visitor));
  return summarise(pages);
}

function summarise(pages: readonly Page[]): Sample {
  const counts = new Map<Sight, number>();
  for (const { sight } of pages) counts.set(sight, (counts.get(sight) ?? 0) + 1);
  const times = pages.map(({ ms }) => ms).sort((a, b) => a - b);
  return { total: pages.length, counts, medianMs: times[Math.floor(times.length / 2)] ?? 0 };
}

async function see(url: string, headers: Record<string, string>): Promise<Sight> {
  try {
    const response = await fetch(url, { headers });
    const text = await response.text();
    return response.status === 200 ? readSight(text) : 'no page';
  } catch {
    return 'no page';
  }
}

/** Reads the product page as a person would. */
export function readSight(page: string): Sight {
  if (page.includes('Error fetching product reviews')) return 'reviews unavailable';
  if (page.includes('Ratings service is currently unavailable')) return 'ratings unavailable';
  if (page.includes('data-color="black"')) return 'black stars';
  if (page.includes('data-color="red"')) return 'red stars';
  return page.includes('id="reviews"') ? 'no stars' : 'no page';
}

/** The session cookie of a user; any password does. Empty if the page is not there. */
async function signIn(url: string, user: string): Promise<string> {
  try {
    const body = new URLSearchParams({ username: user, passwd: 'any' });
    const response = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' });
    await response.arrayBuffer();
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  } catch {
    return '';
  }
}

export type Calls = {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly requests: number;
  readonly concurrency: number;
};

/** How many answers there were of each status; 0 is no answer. */
export async function callMany({
  port,
  host,
  path,
  requests,
  concurrency,
}: Calls): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  let left = requests;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status = (await socketGet({ host: '127.0.0.1', port }, path, host))?.status ?? 0;
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return counts;
}
