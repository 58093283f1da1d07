// Reviews of a book. v1 shows no stars; v2 and v3 ask ratings and show them in black and red.
import { forwardedHeaders, get, json, parseRecord, portFrom, recordOf, serve, serviceUrl } from './service.ts';

const starColor = process.env['STAR_COLOR'] ?? 'black';
const hasRatings = process.env['ENABLE_RATINGS'] === 'true';
const podName = process.env['HOSTNAME'] ?? '';
const clusterName = process.env['CLUSTER_NAME'] ?? null;

/** The red one is impatient: the tour shows what that does to a slow ratings service. */
const ratingsTimeoutMs = starColor === 'black' ? 10_000 : 2_500;

const texts = {
  Reviewer1: 'A play to laugh with from the first misunderstanding to the last. Shakespeare at his lightest.',
  Reviewer2: 'Great fun on stage, though the plot rests on two pairs of twins and very little else.',
} as const;

type Stars = Readonly<Partial<Record<string, number>>>;

async function loadStars(id: string, headers: Record<string, string>): Promise<Stars | undefined> {
  const fetched = await get(`${serviceUrl('ratings', 9080)}/ratings/${id}`, headers, ratingsTimeoutMs);
  if (fetched?.status !== 200) return undefined;
  return starsIn(parseRecord(fetched.body)['ratings']);
}

function starsIn(value: unknown): Stars {
  const numbers = Object.entries(recordOf(value)).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return Object.fromEntries(numbers);
}

function review(reviewer: keyof typeof texts, stars: Stars | undefined): unknown {
  const text = texts[reviewer];
  if (!hasRatings) return { reviewer, text };
  const rating =
    stars === undefined
      ? { error: 'Ratings service is currently unavailable' }
      : { stars: stars[reviewer] ?? -1, color: starColor };
  return { reviewer, text, rating };
}

serve(portFrom(9080), async ({ path, headers }) => {
  if (path === '/health') return json(200, { status: 'Reviews is healthy' });
  const id = /^\/reviews\/(\d+)$/.exec(path)?.[1];
  if (id === undefined) return json(400, { error: 'please provide numeric product id' });
  const stars = hasRatings ? await loadStars(id, forwardedHeaders(headers)) : undefined;
  const reviews = [review('Reviewer1', stars), review('Reviewer2', stars)];
  return json(200, { id, podname: podName, clustername: clusterName, reviews });
});
