import type { Random } from './random.ts';

// How servers read a path, and how clients write one that is meant to be read otherwise.

function decode(text: string): string {
  return text.replaceAll(/%[0-9a-f]{2}/gi, (code) => String.fromCodePoint(Number.parseInt(code.slice(1), 16)));
}

/** Dot segments and empty ones taken away. */
function resolve(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

function withoutParameters(path: string): string {
  return path
    .split('/')
    .map((segment) => segment.replace(/;.*$/s, ''))
    .join('/');
}

type Reading = (path: string) => string;

/** Each takes the path that the proxy passed on, without its query. */
export const readings: Readonly<Record<string, Reading>> = {
  'as it is': (path) => path,
  'servlet container': (path) => resolve(decode(withoutParameters(path)).replaceAll('\\', '/')),
  'servlet container that decodes first': (path) => resolve(withoutParameters(decode(path)).replaceAll('\\', '/')),
  'web server': (path) => resolve(decode(path)),
  'without regard to case': (path) => resolve(decode(path).replaceAll('\\', '/')).toLowerCase(),
  router: (path) =>
    path
      .split('/')
      .map(decode)
      .join('/')
      .toLowerCase()
      .replace(/(?<=.)\/$/, ''),
};

const slashes = ['//', '/./', '%2F', '%2f', '%5C', '%5c', '\\', '/%2e/', '/;/', '/;a=b/', '%2F.%2F', '///', '/.//'];
const detours = ['/x/..', '/x/%2e%2e', '/x/..;a', '/..', '/%2e%2E', '/x;/..'];
const hiddenDetours = [
  '/x/..%2f',
  '/x%2f..%2F',
  '/x/..%5C',
  '/x%2F%2e%2e/',
  '/public/..%2f',
  '/public/%2e%2e%5c',
  '/public/x;a/..%2f..%2f',
];
const tails = [
  '/',
  '/.',
  ';a',
  ';a=b',
  ';',
  '?q',
  '?/public/',
  '%3Fq',
  '#f',
  '%23',
  '/%2e',
  '%2F',
  ';.png',
  '/;.png',
  '//',
  '%3b',
  '%00',
  '.png',
  '%20',
  '/..;/admin',
];

/** A path with one to three of the tricks. */
export function mutatePath(random: Random, path: string): string {
  let result = path;
  const tricks: readonly ((text: string) => string)[] = [
    (text) => replaceOne(random, text, '/', random.pick(slashes)),
    (text) => random.pick(detours) + text,
    (text) => random.pick(hiddenDetours) + text.slice(1),
    (text) => text + random.pick(tails),
    (text) => changeLetter(random, text, (letter) => letter.toUpperCase()),
    (text) => changeLetter(random, text, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    (text) => `http://shop.example${text}`,
    (text) => replaceOne(random, text, '/', random.pick([';a/', ';/', ';a=b%2f'])),
  ];
  const count = 1 + random.below(3);
  for (let index = 0; index < count; index += 1) result = random.pick(tricks)(result);
  return result.startsWith('/') || result.startsWith('http') ? result : `/${result}`;
}

function replaceOne(random: Random, text: string, what: string, by: string): string {
  const places = [...text.matchAll(new RegExp(`\\${what}`, 'g'))].map(({ index }) => index);
  if (places.length === 0) return text;
  const at = random.pick(places);
  // The first one stays: a request line begins with a slash.
  return at === 0 ? `/${by}${text.slice(1)}` : text.slice(0, at) + by + text.slice(at + what.length);
}

function changeLetter(random: Random, text: string, change: (letter: string) => string): string {
  const places = [...text.matchAll(/(?<!%[0-9a-f]?)[a-z]/g)].map(({ index }) => index);
  if (places.length === 0) return text;
  const at = random.pick(places);
  return text.slice(0, at) + change(text.charAt(at)) + text.slice(at + 1);
}
