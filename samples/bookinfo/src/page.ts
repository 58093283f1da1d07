import { type Fields, recordOf } from './service.ts';

export type PageInputs = {
  readonly title: string;
  readonly description: string;
  readonly user: string | undefined;
  readonly details: { readonly status: number; readonly value: unknown };
  readonly reviews: { readonly status: number; readonly value: unknown };
};

export const STYLE = `
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1d2433; background: #f6f4ef }
header { display: flex; gap: 1rem; align-items: center; padding: .8rem 2rem; background: #1d2433; color: #fff }
header form { margin: 0 0 0 auto; display: flex; gap: .5rem } header a { color: #fff }
main { max-width: 62rem; margin: 2rem auto; padding: 0 2rem } h1 { margin-bottom: .2rem }
.columns { display: grid; grid-template-columns: 1fr 2fr; gap: 2rem; margin-top: 2rem }
.card { background: #fff; border-radius: .5rem; padding: 1rem 1.5rem; box-shadow: 0 1px 3px #0002 }
dt { font-weight: 600 } dd { margin: 0 0 .5rem } .stars { font-size: 1.3rem; letter-spacing: .1rem }
.error { color: #a11; font-weight: 600 } blockquote { margin: 0 0 1.2rem } footer { color: #667; font-size: .85rem }
`;

function escape(value: unknown): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

function layout(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<link rel="stylesheet" href="/static/style.css"></head><body>${body}</body></html>`;
}

export function renderIndex(): string {
  return layout(
    'Bookinfo',
    `<main><h1>Bookinfo</h1><p>A book shop of four services, to try a mesh on.</p>
<p><a href="/productpage">The page of a book</a> · <a href="/api/v1/products">The same as an API</a></p></main>`,
  );
}

export function renderPage({ title, description, user, details, reviews }: PageInputs): string {
  return layout(
    title,
    `<header><strong>Bookinfo</strong>${renderUser(user)}</header>
<main><h1>${escape(title)}</h1><p>${escape(description)}</p>
<div class="columns">${renderDetails(details)}${renderReviews(reviews)}</div></main>`,
  );
}

function renderUser(user: string | undefined): string {
  if (user !== undefined) return `<form>${escape(user)} <a href="/logout">sign out</a></form>`;
  return `<form method="post" action="/login"><input name="username" placeholder="user name" required>
<input name="passwd" type="password" placeholder="any password"><button>Sign in</button></form>`;
}

function renderDetails({ status, value }: PageInputs['details']): string {
  const fields = recordOf(value);
  if (status !== 200) return renderError('details', fields);
  const shown = ['type', 'pages', 'publisher', 'language', 'ISBN-10', 'ISBN-13'];
  const rows = shown.map((name) => `<dt>${escape(name)}</dt><dd>${escape(fields[name] ?? '')}</dd>`);
  return `<section class="card" id="details"><h2>Book details</h2><dl>${rows.join('')}</dl></section>`;
}

function renderReviews({ status, value }: PageInputs['reviews']): string {
  const fields = recordOf(value);
  if (status !== 200) return renderError('reviews', fields);
  const reviews = Array.isArray(fields['reviews']) ? fields['reviews'].map(recordOf) : [];
  const quotes = reviews.map(
    (review) =>
      `<blockquote><p>${escape(review['text'])}</p><small>${escape(review['reviewer'])}</small> ${renderRating(review['rating'])}</blockquote>`,
  );
  return `<section class="card" id="reviews"><h2>Book reviews</h2>${quotes.join('')}
<footer>Reviews served by: <code>${escape(fields['podname'] ?? '')}</code></footer></section>`;
}

function renderRating(value: unknown): string {
  if (value === undefined) return '';
  const rating = recordOf(value);
  if (rating['error'] !== undefined) return `<p class="error">${escape(rating['error'])}</p>`;
  const stars = Math.max(0, Math.min(5, Number(rating['stars'])));
  const color = rating['color'] === 'red' ? 'red' : 'black';
  return `<span class="stars" data-color="${color}" data-stars="${stars}" style="color: ${color}">${'★'.repeat(stars)}${'☆'.repeat(5 - stars)}</span>`;
}

function renderError(what: string, fields: Fields): string {
  return `<section class="card" id="${what}"><h2 class="error">Error fetching product ${what}!</h2><p>${escape(fields['error'] ?? '')}</p></section>`;
}
