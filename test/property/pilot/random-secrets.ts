import fc from 'fast-check';
import { Pki } from '../../support/pki.ts';
import { made, rarely } from './random-words.ts';

const pki = new Pki('authority');
const pairs = ['one', 'two'].map((name) => pki.issue([`${name}.example.org`]));
const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Good ones only: of one that turned bad, whoever saw it before knows more than whoever did not. */
export const secrets = made(
  'v1 Secret',
  fc.constantFrom('istio-system/s', 'istio-system/s-cacert', 'a/s'),
  fc.record({ pair: fc.constantFrom(...pairs), hasAuthority: fc.boolean() }).map(({ pair, hasAuthority }) => ({
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': encode(pair.certificate),
      'tls.key': encode(pair.key),
      ...(hasAuthority ? { 'ca.crt': encode(pki.certificate) } : {}),
    },
  })),
  rarely(fc.constant({ annotations: { 'xebec.dev/allowed-gateway-namespaces': 'istio-system' } })).map(
    (meta) => meta ?? {},
  ),
);
