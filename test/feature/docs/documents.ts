import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../../..', import.meta.url));

/** What newcomers read, by path. */
export const documents: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'samples/bookinfo/README.md',
  'docs/kubernetes.md',
  'charts/xebec/README.md',
];

export function readDocument(path: string): string {
  return readFileSync(`${checkout}/${path}`, 'utf8');
}

/** The commands of the shell snippets of a document: lines that a backslash continues are one, comments are gone. */
export function shellCommands(path: string): readonly string[] {
  const snippets = [...readDocument(path).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  return snippets
    .join('')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s+)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Paths of the tree that a document names, in code or as links. Commands, places of the host and patterns are none. */
export function namedPaths(path: string): readonly string[] {
  const text = readDocument(path).replaceAll(/^```[\s\S]*?^```$/gm, '');
  const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return [...new Set([...code, ...links])].filter(
    (name) => /^[\w.][\w./-]*$/.test(name) && (name.includes('/') || /\.(?:md|ts|mjs|yaml)$/.test(name)),
  );
}

/** Splits as a shell does, for quotes and words. */
export function shellWords(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
