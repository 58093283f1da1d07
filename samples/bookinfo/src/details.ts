// The details of a book. Bookinfo's leaf without versions.
import { json, portFrom, serve } from './service.ts';

serve(portFrom(9080), ({ path }) => {
  if (path === '/health') return json(200, { status: 'Details is healthy' });
  const id = /^\/details\/(\d+)$/.exec(path)?.[1];
  if (id === undefined) return json(400, { error: 'please provide numeric product id' });
  return json(200, {
    id: Number(id),
    author: 'William Shakespeare',
    year: 1595,
    type: 'paperback',
    pages: 200,
    publisher: 'PublisherA',
    language: 'English',
    'ISBN-10': '1234567890',
    'ISBN-13': '123-1234567890',
  });
});
