import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const http = { number: 80, name: 'http', protocol: 'HTTP' };
const https = { number: 443, name: 'https', protocol: 'HTTPS' };
const tcp = { number: 9000, name: 'tcp', protocol: 'TCP' };

/** A Gateway of one server. */
function server(members: object): object {
  return { selector: { istio: 'ingressgateway' }, servers: [{ hosts: ['*'], port: http, ...members }] };
}

function tls(members: object): object {
  return server({ port: https, tls: members });
}

const files = { serverCertificate: '/c', privateKey: '/k' };

const servers: readonly Case[] = [
  ['a server', server({})],
  ['no servers', { servers: [] }, 'error XEB0121 spec.servers'],
  ['servers missing', {}, 'error XEB0002 spec.servers'],
  ['a server without port', { servers: [{ hosts: ['*'] }] }, 'error XEB0002 spec.servers[0].port'],
  ['a server without hosts', server({ hosts: [] }), 'error XEB0121 spec.servers[0].hosts'],
  [
    'two servers',
    {
      servers: [
        { hosts: ['*'], port: http },
        { hosts: ['*'], port: tcp },
      ],
    },
  ],
  [
    'two servers of one name',
    {
      servers: [
        { hosts: ['*'], port: http },
        { hosts: ['*'], port: { ...http, number: 81 } },
      ],
    },
    'error XEB0115 spec.servers[1].port.name',
  ],
  ['a lower-case protocol', server({ port: { ...http, protocol: 'http2' } })],
  ['gRPC-Web', server({ port: { ...http, protocol: 'GRPC-Web' } })],
  [
    'an unknown protocol',
    server({ port: { ...http, protocol: 'FTP' } }),
    'error XEB0108 spec.servers[0].port.protocol',
  ],
  ['an empty protocol', server({ port: { ...http, protocol: '' } }), 'error XEB0108 spec.servers[0].port.protocol'],
  ['a large port', server({ port: { ...http, number: 65_536 } }), 'error XEB0105 spec.servers[0].port.number'],
  ['port 0, which 1.4 took', server({ port: { ...http, number: 0 } }), 'warning XEB0105 spec.servers[0].port.number'],
  ['no number', server({ port: { name: 'http', protocol: 'HTTP' } }), 'warning XEB0105 spec.servers[0].port.number'],
  ['no name', server({ port: { number: 80, protocol: 'HTTP' } }), 'error XEB0002 spec.servers[0].port.name'],
  ['a target port', server({ port: { ...http, targetPort: 8080 } }), 'warning XEB0118 spec.servers[0].port.targetPort'],
  ['an address to bind', server({ bind: '::' })],
  ['a bad address', server({ bind: 'localhost' }), 'error XEB0106 spec.servers[0].bind'],
  ['a socket', server({ bind: 'unix:///run/a.sock', port: { ...http, number: 0 } })],
  ['a socket with a port', server({ bind: 'unix://@a' }), 'error XEB0105 spec.servers[0].port.number'],
  [
    'a folder as socket',
    server({ bind: 'unix:///run/', port: { ...http, number: 0 } }),
    'error XEB0107 spec.servers[0].bind',
  ],
];

const hosts: readonly Case[] = [
  ['hosts', server({ hosts: ['a.com', '*.b.com', '*', 'ns/a.com', './c.com', '*/d.com', '10.0.0.1', 'ns/*'] })],
  ['a short name', server({ hosts: ['a'] }), 'error XEB0402 spec.servers[0].hosts[0]'],
  ['a short name of a namespace', server({ hosts: ['ns/a'] }), 'error XEB0402 spec.servers[0].hosts[0]'],
  ['no name', server({ hosts: ['ns/'] }), 'error XEB0402 spec.servers[0].hosts[0]'],
  ['no namespace', server({ hosts: ['/a.com'] }), 'error XEB0402 spec.servers[0].hosts[0]'],
  ['nobody’s namespace', server({ hosts: ['~/a.com'] }), 'error XEB0402 spec.servers[0].hosts[0]'],
  ['a bad name', server({ hosts: ['a_b.com'] }), 'error XEB0101 spec.servers[0].hosts[0]'],
  ['a partial wildcard in HTTP', server({ hosts: ['*a.com'] }), 'warning XEB0119 spec.servers[0].hosts[0]'],
  [
    'a partial wildcard in TLS',
    { servers: [{ hosts: ['*a.com'], port: https, tls: { mode: 'SIMPLE', ...files } }] },
    'error XEB0119 spec.servers[0].hosts[0]',
  ],
];

const settings: readonly Case[] = [
  ['HTTPS without TLS', server({ port: https }), 'error XEB0403 spec.servers[0].tls'],
  ['a redirect', server({ tls: { httpsRedirect: true } })],
  [
    'a redirect on HTTPS',
    tls({ mode: 'SIMPLE', ...files, httpsRedirect: true }),
    'warning XEB0118 spec.servers[0].tls.httpsRedirect',
  ],
  ['certificates on HTTP', server({ tls: { mode: 'SIMPLE', ...files } }), 'error XEB0404 spec.servers[0].tls'],
  [
    'a redirect with certificates',
    server({ tls: { httpsRedirect: true, privateKey: '/k' } }),
    'warning XEB0406 spec.servers[0].tls.privateKey',
    'error XEB0404 spec.servers[0].tls',
  ],
  ['TLS on TCP', server({ port: tcp, tls: {} }), 'error XEB0404 spec.servers[0].tls'],
  ['pass through', tls({ mode: 'PASSTHROUGH' })],
  [
    'pass through, with certificates',
    tls({ mode: 'AUTO_PASSTHROUGH', credentialName: 'a' }),
    'warning XEB0406 spec.servers[0].tls.credentialName',
  ],
  ['simple by credential', tls({ mode: 'SIMPLE', credentialName: 'a' })],
  ['simple by credentials', tls({ mode: 'SIMPLE', credentialNames: ['rsa', 'ecdsa'] })],
  ['simple by files', tls({ mode: 'SIMPLE', ...files })],
  ['simple by pairs', tls({ mode: 'SIMPLE', tlsCertificates: [files, files] })],
  [
    'half a pair',
    tls({ mode: 'SIMPLE', tlsCertificates: [{ privateKey: '/k' }] }),
    'error XEB0405 spec.servers[0].tls.tlsCertificates[0].serverCertificate',
  ],
  [
    'three pairs',
    tls({ mode: 'SIMPLE', tlsCertificates: [files, files, files] }),
    'warning XEB0406 spec.servers[0].tls.tlsCertificates',
  ],
  [
    'simple without certificates',
    tls({ mode: 'SIMPLE' }),
    'error XEB0405 spec.servers[0].tls.serverCertificate',
    'error XEB0405 spec.servers[0].tls.privateKey',
  ],
  ['mutual', tls({ mode: 'MUTUAL', ...files, caCertificates: '/ca' })],
  ['mutual without CA', tls({ mode: 'MUTUAL', ...files }), 'error XEB0405 spec.servers[0].tls.caCertificates'],
  [
    'optional mutual without CA',
    tls({ mode: 'OPTIONAL_MUTUAL', ...files }),
    'error XEB0405 spec.servers[0].tls.caCertificates',
  ],
  ['mutual with the CA in a secret', tls({ mode: 'MUTUAL', ...files, caCertCredentialName: 'a' })],
  ['Istio’s own', tls({ mode: 'ISTIO_MUTUAL' })],
  [
    'Istio’s own and others',
    tls({ mode: 'ISTIO_MUTUAL', ...files, caCertificates: '/ca', credentialName: 'a' }),
    'error XEB0406 spec.servers[0].tls.serverCertificate',
    'error XEB0406 spec.servers[0].tls.privateKey',
    'error XEB0406 spec.servers[0].tls.caCertificates',
    'warning XEB0406 spec.servers[0].tls.credentialName',
  ],
  [
    'files and a credential',
    tls({ mode: 'SIMPLE', ...files, credentialName: 'a' }),
    'warning XEB0406 spec.servers[0].tls',
  ],
  [
    'two kinds of credential',
    tls({ mode: 'SIMPLE', credentialName: 'a', credentialNames: ['b'] }),
    'error XEB0406 spec.servers[0].tls',
  ],
  [
    'a revocation list without clients',
    tls({ mode: 'SIMPLE', ...files, caCrl: '/r' }),
    'error XEB0406 spec.servers[0].tls.caCrl',
  ],
  [
    'a revocation list and a credential',
    tls({ mode: 'MUTUAL', credentialName: 'a', caCrl: '/r' }),
    'error XEB0406 spec.servers[0].tls.caCrl',
  ],
  ['ciphers', tls({ mode: 'SIMPLE', ...files, minProtocolVersion: 'TLSV1_1', cipherSuites: ['ECDHE-RSA-AES128-SHA'] })],
  [
    'an old version without ciphers',
    tls({ mode: 'SIMPLE', ...files, minProtocolVersion: 'TLSV1_0' }),
    'warning XEB0407 spec.servers[0].tls.minProtocolVersion',
  ],
  [
    'strange ciphers',
    tls({ mode: 'SIMPLE', ...files, cipherSuites: ['ROT13', 'AES128-SHA', 'AES128-SHA'] }),
    'warning XEB0407 spec.servers[0].tls.cipherSuites[0]',
    'warning XEB0407 spec.servers[0].tls.cipherSuites[2]',
  ],
];

describe.each([
  ['servers', servers],
  ['hosts', hosts],
  ['TLS', settings],
])('Gateway: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('Gateway', spec)).toEqual(issues);
  });
});

describe('Gateway: name', () => {
  it('has no dots, because VirtualServices name it', () => {
    expect(judge('Gateway', server({}), { name: 'a.b' })).toEqual(['error XEB0401 metadata.name']);
  });
});
