// The page of a book: asks details, then reviews, and shows what each said.
import { createHmac, randomBytes } from 'node:crypto';
import { renderIndex, renderPage, STYLE } from './page.ts';
import {
  type Call,
  forwardedHeaders,
  get,
  json,
  parseRecord,
  portFrom,
  type Reply,
  serve,
  serviceUrl,
} from './service.ts';

const product = {
  id: 0,
  title: 'The Comedy of Errors',
  descriptionHtml:
    'Two pairs of twins, parted at birth by a storm, meet again in one town without knowing it. Arrests, lost gold and a locked door follow.',
};

const CALL_TIMEOUT_MS = 3_000;
const REVIEWS_TRIES = 2;
const sessionKey = process.env['SESSION_KEY'] ?? randomBytes(32).toString('hex');

export type Part = { readonly status: number; readonly value: unknown };

/** The user a session cookie is for; a cookie we did not sign is nobody's. */
function userOf(call: Call): string | undefined {
  const cookie = /(?:^|;\s*)session=([^;]+)/.exec(call.headers.cookie ?? '')?.[1];
  const [user, signature] = (cookie ?? '').split('.');
  if (user === undefined || user === '' || signature !== sign(user)) return undefined;
  return Buffer.from(user, 'base64url').toString();
}

function sign(text: string): string {
  return createHmac('sha256', sessionKey).update(text).digest('base64url');
}

function sessionCookie(user: string): string {
  const name = Buffer.from(user).toString('base64url');
  return `session=${name}.${sign(name)}; Path=/; HttpOnly; SameSite=Lax`;
}

function headersFor(call: Call): Record<string, string> {
  const user = userOf(call);
  const headers = forwardedHeaders(call.headers);
  // Only who is logged in has a name; the browser cannot choose it.
  delete headers['end-user'];
  return user === undefined ? headers : { ...headers, 'end-user': user };
}

async function ask(service: string, id: string, headers: Record<string, string>): Promise<Part> {
  const fetched = await get(`${serviceUrl(service, 9080)}/${service}/${id}`, headers, CALL_TIMEOUT_MS);
  if (fetched?.status === 200) return { status: 200, value: parseRecord(fetched.body) };
  const error = `Sorry, product ${service} are currently unavailable for this book.`;
  return { status: fetched?.status ?? 500, value: { error } };
}

/** Twice, with a deadline shorter than reviews' own: the tour's lesson about timeouts in code. */
async function askReviews(id: string, headers: Record<string, string>): Promise<Part> {
  let part = await ask('reviews', id, headers);
  for (let tries = 1; tries < REVIEWS_TRIES && part.status !== 200; tries++) part = await ask('reviews', id, headers);
  return part.status === 200 ? part : { ...part, status: 500 };
}

async function showPage(call: Call): Promise<Reply> {
  const headers = headersFor(call);
  const details = await ask('details', String(product.id), headers);
  const reviews = await askReviews(String(product.id), headers);
  const body = renderPage({
    title: product.title,
    description: product.descriptionHtml,
    user: userOf(call),
    details,
    reviews,
  });
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

async function answerApi(call: Call): Promise<Reply> {
  const [id, part] = call.path.slice('/api/v1/products'.length).split('/').slice(1);
  if (id === undefined) return json(200, [product]);
  if (!/^\d+$/.test(id) || Number(id) !== product.id) return json(404, { error: `no product ${id}` });
  const headers = headersFor(call);
  if (part === undefined) return apiReply(await ask('details', id, headers));
  if (part === 'reviews') return apiReply(await askReviews(id, headers));
  if (part === 'ratings') return apiReply(await ask('ratings', id, headers));
  return json(404, { error: `a product has reviews and ratings, not ${part}` });
}

function apiReply({ status, value }: Part): Reply {
  return json(status, value);
}

function redirect(cookie: string): Reply {
  return { status: 302, headers: { location: '/productpage', 'set-cookie': cookie }, body: '' };
}

serve(portFrom(9080), async (call) => {
  if (call.path === '/productpage') return showPage(call);
  if (call.path === '/api/v1/products' || call.path.startsWith('/api/v1/products/')) return answerApi(call);
  switch (call.path) {
    case '/':
    case '/index.html':
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: renderIndex() };
    case '/health':
      return { status: 200, body: 'Product page is healthy' };
    case '/login':
      return redirect(sessionCookie(new URLSearchParams(call.body).get('username') ?? ''));
    case '/logout':
      return redirect('session=; Path=/; Max-Age=0');
    case '/static/style.css':
      return { status: 200, headers: { 'content-type': 'text/css' }, body: STYLE };
    default:
      return json(404, { error: `nothing at ${call.path}` });
  }
});
