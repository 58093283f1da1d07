import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage } from '../../../src/gen/codec.ts';
import type { SubjectAltNameMatcher } from '../../../src/gen/types.ts';
import { buildMutualTlsSocket } from '../../../src/pilot/translate/peer/client.ts';
import { buildMutualTlsServer } from '../../../src/pilot/translate/peer/server.ts';
import { mutualTlsSettings } from '../../../src/pilot/translate/peer/settings.ts';
import { meshConfig } from '../../../src/testing/config.ts';
import { runs } from './random-objects.ts';

// Names are legal, and written to be misread: characters that patterns read otherwise, names that begin with others.
const pieces = fc.constantFrom(
  'a',
  'b',
  'A',
  '.',
  '[',
  ']',
  '*',
  '+',
  '?',
  '^',
  '$',
  '\\',
  '|',
  '(',
  '-',
  '%2f',
  'ns',
  'sa',
);
const word = fc.array(pieces, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
const domain = fc
  .array(fc.constantFrom('a', 'b', '.', '-', '_'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));
const owner = fc.record({ namespace: word, account: word });
const world = fc.record({
  domains: fc.uniqueArray(domain, { minLength: 1, maxLength: 3 }),
  owners: fc.uniqueArray(owner, { maxLength: 3, selector: ({ namespace, account }) => `${namespace} ${account}` }),
  caller: fc.record({ domain, owner }),
  twist: fc.constantFrom(
    (id: string) => id,
    (id: string) => `${id}x`,
    (id: string) => `x${id}`,
    (id: string) => id.slice(0, -1),
    (id: string) => id.replace('.', 'x'),
    (id: string) => id.replace('/ns/', '.evil/ns/'),
    (id: string) => id.toUpperCase(),
    (id: string) => id.replace('spiffe:', 'SPIFFE:'),
  ),
  isFromOwner: fc.boolean(),
});

/** As Envoy reads them: whole names, or what they begin with; of URIs only. */
function accepts(matchers: readonly SubjectAltNameMatcher[], uri: string): boolean {
  return matchers.some(({ sanType, matcher }) => {
    expect(sanType).toBe(3);
    expect(Object.keys(matcher ?? {}).filter((key) => key !== 'exact' && key !== 'prefix')).toEqual([]);
    if (matcher?.exact !== undefined) return uri === matcher.exact;
    return matcher?.prefix !== undefined && uri.startsWith(matcher.prefix);
  });
}

function settingsOf([trustDomain = '', ...trustDomainAliases]: readonly string[]) {
  return mutualTlsSettings(meshConfig({ trustDomain, trustDomainAliases }));
}

const types = {
  server: 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
  client: 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
} as const;

function matchersOf(side: keyof typeof types, socket: ReturnType<typeof buildMutualTlsServer>) {
  const { commonTlsContext } = decodeMessage(types[side], socket.typedConfig?.value ?? Buffer.alloc(0));
  return commonTlsContext?.combinedValidationContext?.defaultValidationContext?.matchTypedSubjectAltNames ?? [];
}

test('identities are accepted that were meant, and no other, whatever they are called', () => {
  let accepted = 0;
  fc.assert(
    fc.property(world, ({ domains, owners, caller, twist, isFromOwner }) => {
      const pathOf = ({ namespace, account }: typeof caller.owner): string => `ns/${namespace}/sa/${account}`;
      const who = isFromOwner ? (owners[0] ?? caller.owner) : caller.owner;
      const where = isFromOwner ? (domains.at(-1) ?? caller.domain) : caller.domain;
      const uri = twist(`spiffe://${where}/${pathOf(who)}`);

      const settings = settingsOf(domains);
      const server = accepts(matchersOf('server', buildMutualTlsServer('/etc/certs', settings)), uri);
      expect(server).toBe(domains.some((one) => /^spiffe:\/\/([^/]*)\//.exec(uri)?.[1] === one));

      const accounts = owners.map(pathOf).join('\n');
      const socket = buildMutualTlsSocket({
        folder: '/etc/certs',
        settings,
        serverName: 'any',
        accounts,
        subjectAltNames: [],
        protocol: 'HTTP',
        speaks: 'http1',
      });
      const intended = domains.flatMap((one) => owners.map((each) => `spiffe://${one}/${pathOf(each)}`));
      const client = accepts(matchersOf('client', socket), uri);
      expect(client).toBe(owners.length === 0 ? server : intended.includes(uri));
      accepted += client ? 1 : 0;
    }),
    runs(10_000),
  );
  expect(accepted).toBeGreaterThan(0);
});
