// The stars each reviewer gave, kept in memory; POST changes them.
import { json, parseRecord, portFrom, serve } from './service.ts';

const ratings = new Map<string, Record<string, number>>();

/** Undefined unless the text is an object of numbers. */
function parseRatings(text: string): Record<string, number> | undefined {
  const entries = Object.entries(parseRecord(text));
  const numbers = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return entries.length > 0 && numbers.length === entries.length ? Object.fromEntries(numbers) : undefined;
}

serve(portFrom(9080), ({ method, path, body }) => {
  if (path === '/health') return json(200, { status: 'Ratings is healthy' });
  const id = /^\/ratings\/(\d+)$/.exec(path)?.[1];
  if (id === undefined) return json(400, { error: 'please provide numeric product ID' });
  if (method === 'POST') {
    const posted = parseRatings(body);
    if (posted === undefined) return json(400, { error: 'please provide valid ratings JSON' });
    ratings.set(id, posted);
  }
  return json(200, { id: Number(id), ratings: ratings.get(id) ?? { Reviewer1: 5, Reviewer2: 4 } });
});
