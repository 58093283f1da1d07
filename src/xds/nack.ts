import type { EncodedResource } from './resource.ts';

/**
 * The resources that an error message names, most certain way of naming first. Envoy writes `Error adding/updating
 * listener(s) NAME: reason` and puts several with line breaks or commas between; other messages quote the name.
 */
export function findGuilty(message: string, resources: readonly EncodedResource[]): readonly EncodedResource[] {
  for (const isNamed of [isListed, isQuoted, isMentioned]) {
    const guilty = resources.filter(({ name }) => name !== '' && isNamed(message, name));
    if (guilty.length > 0) return guilty;
  }
  return [];
}

function isListed(message: string, name: string): boolean {
  return ['(s) ', ', ', '\n'].some((before) => message.includes(`${before}${name}: `));
}

function isQuoted(message: string, name: string): boolean {
  return message.includes(`'${name}'`) || message.includes(`"${name}"`);
}

/** A short name such as `80` is in many messages by chance. */
const MIN_MENTION = 6;

function isMentioned(message: string, name: string): boolean {
  if (name.length < MIN_MENTION) return false;
  for (let at = message.indexOf(name); at >= 0; at = message.indexOf(name, at + 1)) {
    if (!GOES_ON_BEFORE.test(message.slice(0, at)) && !GOES_ON_AFTER.test(message.slice(at + name.length))) return true;
  }
  return false;
}

/** A longer name: a dot belongs to it only when something follows. */
const GOES_ON_BEFORE = /[\w|/.-]$/;
const GOES_ON_AFTER = /^(?:[\w|/-]|\.\w)/;
