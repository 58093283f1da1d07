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
    if (!isNameCharacter(message[at - 1]) && !isNameCharacter(message[at + name.length])) return true;
  }
  return false;
}

function isNameCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\w|/-]/.test(character);
}
