import {
  allow,
  bothWays,
  cart,
  cartV1,
  deny,
  everybody,
  from,
  front,
  onBoth,
  plaintext,
  type Row,
  till,
  unless,
} from './access-table.ts';

export const sourceRows: readonly Row[] = [
  ...bothWays(
    'principals',
    from({ principals: ['cluster.local/ns/shop/sa/cart'] }),
    onBoth([{ as: cart }]),
    onBoth([{ as: front }, plaintext]),
  ),
  ...bothWays(
    'principals by suffix (2020-009)',
    from({ principals: ['*/sa/cart'] }),
    onBoth([{ as: cart }]),
    onBoth([{ as: front }, { as: cartV1 }, plaintext]),
  ),
  ...bothWays(
    'principals by prefix (2020-009)',
    from({ principals: ['cluster.local/ns/shop/*'] }),
    onBoth([{ as: cart }, { as: front }]),
    onBoth([{ as: cartV1 }, plaintext]),
  ),
  ...bothWays('any principal (2020-009)', from({ principals: ['*'] }), onBoth(everybody), onBoth([plaintext])),
  ...bothWays(
    'principals of a trust domain that is an alias',
    from({ principals: ['cluster.local/ns/pay/sa/till'] }),
    onBoth([{ as: till }]),
    onBoth([{ as: cart }]),
  ),
  ...bothWays(
    'namespaces',
    from({ namespaces: ['shop'] }),
    onBoth([{ as: cart }, { as: front }]),
    onBoth([{ as: cartV1 }, { as: till }, plaintext]),
  ),
  ...bothWays(
    'namespaces by prefix',
    from({ namespaces: ['shop*'] }),
    onBoth([{ as: cart }, { as: cartV1 }]),
    onBoth([{ as: till }, plaintext]),
  ),
  ...bothWays(
    'service accounts with dots (2026-003, CVE-2026-39350)',
    from({ serviceAccounts: ['shop-a/cartxv1', 'shop-a/cart.v1'] }),
    onBoth([{ as: cartV1 }]),
    onBoth([{ as: cart }, plaintext]),
  ),
  ...bothWays(
    'a service account whose dot is no wildcard (2026-003, CVE-2026-39350)',
    from({ serviceAccounts: ['shop-a/car..v1'] }),
    [],
    onBoth([{ as: cartV1 }, plaintext]),
  ),
  ...bothWays(
    'service accounts of the own namespace',
    from({ serviceAccounts: ['cart'] }),
    onBoth([{ as: cart }]),
    onBoth([{ as: front }, { as: cartV1 }]),
  ),
  ...bothWays(
    'ipBlocks',
    from({ ipBlocks: ['127.0.0.2', '127.0.0.8/30'] }),
    onBoth([{ from: '127.0.0.2' }, { from: '127.0.0.9' }]),
    onBoth([{ from: '127.0.0.1' }]),
  ),
  ...bothWays(
    'remoteIpBlocks',
    from({ remoteIpBlocks: ['10.0.0.0/8'] }),
    [{ headers: ['x-forwarded-for: 192.0.2.1, 10.1.2.3'] }],
    [{ headers: ['x-forwarded-for: 10.1.2.3, 192.0.2.1'] }, plaintext],
  ),
  ...bothWays(
    'requestPrincipals',
    from({ requestPrincipals: ['https://a.example/joe'] }),
    [{ token: 1 }],
    [{ token: 2 }, {}],
  ),
  ...bothWays(
    'requestPrincipals with slashes',
    from({ requestPrincipals: ['https://b.example/x/a/b'] }),
    [{ token: 3 }],
    [{ token: 1 }, {}],
  ),
  ...bothWays(
    'any requestPrincipal',
    from({ requestPrincipals: ['*'] }),
    [{ token: 1 }, { token: 3 }],
    [{ token: 4 }, {}],
  ),
];

/** "Everybody but X" is nobody without an identity, and with DENY it is everybody without one. */
export const nobodyRows: readonly Row[] = [
  {
    name: 'ALLOW notPrincipals lets in no plaintext (2021-004)',
    policies: [allow(from({ notPrincipals: ['cluster.local/ns/shop/sa/cart'] }))],
    through: onBoth([{ as: front }]),
    refused: onBoth([{ as: cart }, plaintext]),
  },
  {
    name: 'ALLOW notNamespaces lets in no plaintext (2021-004)',
    policies: [allow(from({ notNamespaces: ['shop'] }))],
    through: onBoth([{ as: till }]),
    refused: onBoth([{ as: cart }, plaintext]),
  },
  {
    name: 'DENY notPrincipals keeps plaintext out (2021-004)',
    policies: [deny(from({ notPrincipals: ['*'] }))],
    through: onBoth(everybody),
    refused: onBoth([plaintext]),
  },
  {
    name: 'DENY notNamespaces keeps plaintext out (2021-004)',
    policies: [deny(from({ notNamespaces: ['shop'] }))],
    through: onBoth([{ as: cart }]),
    refused: onBoth([{ as: till }, plaintext]),
  },
  {
    name: 'ALLOW notPrincipals * is plaintext',
    policies: [allow(from({ notPrincipals: ['*'] }))],
    through: onBoth([plaintext]),
    refused: onBoth(everybody),
  },
  {
    name: 'ALLOW notRequestPrincipals lets in no request without token',
    policies: [allow(from({ notRequestPrincipals: ['https://a.example/joe'] }))],
    through: [{ token: 2 }],
    refused: [{ token: 1 }, {}],
  },
  {
    name: 'DENY notRequestPrincipals * asks for a token',
    policies: [deny(from({ notRequestPrincipals: ['*'] }))],
    through: [{ token: 1 }],
    refused: [{ token: 4 }, {}],
  },
  {
    name: 'ALLOW a claim not of a value',
    policies: [allow(unless('request.auth.claims[groups]', 'dev'))],
    through: [{ token: 3 }, { token: 4 }],
    refused: [{ token: 1 }, { token: 2 }, {}],
  },
];
