import { RE2JS } from 're2js';
import type { Field } from '../finding.ts';
import type { StringMatch } from '../networking/networking.ts';
import { CLAIMS, parseClaimName } from './claim-name.ts';
import { regexSize } from './regex-size.ts';

const mostRegexCharacters = 1024;

/** Of one expression: `re2.max_program_size.error_level` of Envoys that Istio or xebec starts. */
const mostInstructions = 32_768;

/** What reading the shortest expression costs, in instructions. */
const effortOfAny = 50;

/** An expression as Envoy's RE2 will read it. JavaScript's own engine never sees it: it can hang on what users write. */
export function checkRegex(field: Field, regex: string): void {
  if (regex === '') {
    field.error('XEB0120', { problem: 'is empty', fix: 'write an expression, or remove the match' });
    return;
  }
  if (regex.length > mostRegexCharacters) {
    const fix = 'split the match';
    field.error('IST0122', {
      problem: `is too long (${regex.length} characters)`,
      allowed: `at most ${mostRegexCharacters}`,
      fix,
    });
    return;
  }
  const size = regexSize(regex);
  if (size > mostInstructions) {
    field.error('IST0122', {
      problem: `is too large (about ${size} instructions)`,
      allowed: `at most ${mostInstructions}, as Envoys do`,
      fix: 'repeat less, or split the match',
    });
    return;
  }
  if (!field.spend(effortOfAny + size)) {
    field.error('IST0122', { problem: 'is one expression too many for one object', fix: 'split the object' });
    return;
  }
  const mistake = mistakeOf(regex);
  if (mistake === undefined) return;
  field.error('IST0122', {
    problem: `is not an RE2 expression: ${mistake}`,
    got: regex,
    fix: 'see github.com/google/re2/wiki/Syntax',
  });
}

function mistakeOf(regex: string): string | undefined {
  try {
    RE2JS.compile(regex);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : String(cause);
  }
}

type MatchRules = {
  /** Envoy lets an empty path prefix pass, and no other. */
  readonly emptyPrefix?: boolean;
  /** `*` as an expression is Istio's way to ask for presence. */
  readonly presence?: boolean;
};

export function checkStringMatch(field: Field, match: StringMatch | undefined, rules: MatchRules = {}): void {
  if (match === undefined) return;
  if (match.prefix === '' && rules.emptyPrefix !== true) {
    field.at('prefix').error('XEB0120', { problem: 'is empty', fix: 'write a prefix, or remove the match' });
  }
  if (match.regex === undefined || (match.regex === '*' && rules.presence === true)) return;
  checkRegex(field.at('regex'), match.regex);
}

const headerName = /^[-_A-Za-z0-9]+$/;

/** The name of a header that is matched. */
export function checkMatchedHeader(field: Field, name: string): void {
  if (name === '') field.error('XEB0113', { problem: 'has an empty name', fix: 'name the header' });
  else if (!headerName.test(name) && parseClaimName(name) === undefined) {
    const isLikeClaim = name.toLowerCase().startsWith(CLAIMS);
    field.warn('XEB0113', {
      problem: isLikeClaim ? 'names no claim, so it never matches' : 'is not a header name, so it never matches',
      got: name,
      allowed: isLikeClaim ? `${CLAIMS}.name or ${CLAIMS}[name]` : 'letters, digits, - and _',
    });
  }
}

/** The name of a header that is listed, as CORS does; `*` means all. */
export function checkListedHeader(field: Field, name: string): void {
  if (name === '*') return;
  if (name === '') field.error('XEB0113', { problem: 'is empty', fix: 'name the header' });
  else if (!headerName.test(name)) {
    field.warn('XEB0113', { problem: 'is not a header name', got: name, allowed: 'letters, digits, - and _' });
  }
}

type HeaderRules = { readonly authority: boolean };

/** The name of a header that is changed. Of Envoy's own headers only the authority of a request can be changed. */
export function checkChangedHeader(field: Field, name: string, { authority }: HeaderRules): void {
  if (name === '') {
    field.error('XEB0113', { problem: 'has an empty name', fix: 'name the header' });
    return;
  }
  if (!isInternalHeader(name) || (authority && isAuthorityHeader(name))) return;
  const fix = isAuthorityHeader(name) ? 'use rewrite.authority' : 'Envoy does not let it be changed';
  field.error('XEB0113', { problem: 'cannot be changed here', got: name, fix });
}

export function isAuthorityHeader(name: string): boolean {
  return /^(?::authority|host)$/i.test(name);
}

function isInternalHeader(name: string): boolean {
  return name.startsWith(':') || name.toLowerCase() === 'host';
}

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacter = /[\u0000-\u0008\u000A-\u001F\u007F]/;

const formatVariable = /%%|%[A-Za-z]\w*(?:\([^)]*\))?(?::\d+)?%/g;

/** A header value as Envoy's formatter reads it: `%NAME%`, `%NAME(argument)%`, and `%%` for a percent sign. */
export function checkHeaderValue(field: Field, value: string): void {
  if (controlCharacter.test(value)) {
    field.error('XEB0114', { problem: 'has a control character', got: value });
  } else if (value.replaceAll(formatVariable, '').includes('%')) {
    field.error('XEB0114', { problem: 'has a lone %', got: value, allowed: '%VARIABLE%, or %% for a percent sign' });
  }
}
