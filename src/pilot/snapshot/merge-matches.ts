import type { HttpMatchRequest, StringMatch } from '../../apis/networking/networking.ts';

type Matches = readonly HttpMatchRequest[];
type StringMatches = Readonly<Record<string, StringMatch>>;

/**
 * What matches both the rule that delegates and a rule of the delegate: every match of the delegate with every match of the
 * root that it can be narrower than. Undefined when a match of the delegate has no such partner: then the rule is not used.
 */
export function mergeMatches(root: Matches | undefined, leaf: Matches | undefined): Matches | undefined {
  if (root === undefined || root.length === 0) return leaf ?? [];
  if (leaf === undefined || leaf.length === 0) return root;
  const merged = leaf.map((one) =>
    root.filter((wider) => canNarrow(wider, one)).map((wider) => mergeMatch(wider, one)),
  );
  return merged.some((partners) => partners.length === 0) ? undefined : merged.flat();
}

/** `root-leaf`, or the one that has a name. */
export function mergeNames(root: string | undefined, leaf: string | undefined): { readonly name?: string } {
  const name = [root, leaf].filter((part) => part !== undefined && part !== '').join('-');
  return name === '' ? {} : { name };
}

function mergeMatch(root: HttpMatchRequest, leaf: HttpMatchRequest): HttpMatchRequest {
  const { ignoreUriCase: _, gateways = [], ...narrower } = leaf;
  const ignoreUriCase = leaf.uri === undefined ? root.ignoreUriCase : leaf.ignoreUriCase;
  const { ignoreUriCase: __, ...wider } = root;
  return {
    ...wider,
    ...narrower,
    ...mergeNames(root.name, leaf.name),
    ...(ignoreUriCase === undefined ? {} : { ignoreUriCase }),
    ...(gateways.length === 0 ? {} : { gateways }),
    ...merged('headers', root, leaf),
    ...merged('withoutHeaders', root, leaf),
    ...merged('queryParams', root, leaf),
    ...merged('sourceLabels', root, leaf),
  };
}

type MapName = 'headers' | 'withoutHeaders' | 'queryParams' | 'sourceLabels';

function merged(
  name: MapName,
  root: HttpMatchRequest,
  leaf: HttpMatchRequest,
): Partial<Pick<HttpMatchRequest, MapName>> {
  return root[name] === undefined || leaf[name] === undefined ? {} : { [name]: { ...root[name], ...leaf[name] } };
}

type Check = (root: HttpMatchRequest, leaf: HttpMatchRequest) => boolean;

/** Each says whether the leaf could be narrower in one respect. */
const checks: readonly Check[] = [
  (root, leaf) => stringCanNarrow(root.uri, leaf.uri),
  (root, leaf) =>
    root.uri === undefined || leaf.uri === undefined || (root.ignoreUriCase ?? false) === (leaf.ignoreUriCase ?? false),
  (root, leaf) => stringCanNarrow(root.scheme, leaf.scheme),
  (root, leaf) => stringCanNarrow(root.method, leaf.method),
  (root, leaf) => stringCanNarrow(root.authority, leaf.authority),
  (root, leaf) => stringsCanNarrow(root.headers, leaf.headers),
  (root, leaf) => stringsCanNarrow(root.withoutHeaders, leaf.withoutHeaders),
  (root, leaf) => stringsCanNarrow(root.queryParams, leaf.queryParams),
  (root, leaf) => isUnsetOrEqual(root.port, leaf.port),
  (root, leaf) => isUnsetOrEqual(root.sourceNamespace, leaf.sourceNamespace),
  (root, leaf) => labelsCanNarrow(root.sourceLabels, leaf.sourceLabels),
  (root, leaf) => gatewaysCanNarrow(root.gateways, leaf.gateways),
];

function canNarrow(root: HttpMatchRequest, leaf: HttpMatchRequest): boolean {
  return checks.every((check) => check(root, leaf));
}

/** A regular expression cannot be compared with anything, so it stands only where the other side says nothing. */
function stringCanNarrow(root: StringMatch | undefined, leaf: StringMatch | undefined): boolean {
  if (root === undefined || leaf === undefined) return true;
  if (isPresence(root)) return true;
  if (root.exact !== undefined) return leaf.exact === root.exact;
  const narrower = leaf.exact ?? leaf.prefix;
  return root.prefix !== undefined && narrower !== undefined && narrower.startsWith(root.prefix);
}

/** `{}` asks only that the header is there. */
function isPresence({ exact, prefix, regex }: StringMatch): boolean {
  return exact === undefined && prefix === undefined && regex === undefined;
}

function stringsCanNarrow(root: StringMatches | undefined, leaf: StringMatches | undefined): boolean {
  return Object.entries(leaf ?? {}).every(([key, match]) => stringCanNarrow(root?.[key], match));
}

function labelsCanNarrow(
  root: Readonly<Record<string, string>> = {},
  leaf: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(leaf).every(([key, value]) => root[key] === undefined || root[key] === value);
}

function gatewaysCanNarrow(root: readonly string[] = [], leaf: readonly string[] = []): boolean {
  return root.length === 0 || leaf.every((gateway) => root.includes(gateway));
}

function isUnsetOrEqual<T extends number | string>(root: T | undefined, leaf: T | undefined): boolean {
  return !root || !leaf || root === leaf;
}
