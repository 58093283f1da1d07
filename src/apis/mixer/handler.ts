import { z } from 'zod';
import { duration, protoEnum, struct, text, textList, textMap } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';

export const oauthSchema = z.strictObject({
  clientId: text.optional(),
  clientSecret: text.optional(),
  tokenUrl: text.optional(),
  scopes: textList.optional(),
  endpointParams: textMap.optional(),
});

export const connectionTlsSchema = atMostOne(
  atMostOne(
    z.strictObject({
      caCertificates: text.optional(),
      tokenPath: text.optional(),
      oauth: oauthSchema.optional(),
      authHeader: protoEnum(['PLAIN', 'BEARER']).optional(),
      customHeader: text.optional(),
      serverName: text.optional(),
    }),
    ['tokenPath', 'oauth'],
  ),
  ['authHeader', 'customHeader'],
);

export const connectionMutualSchema = z.strictObject({
  privateKey: text.optional(),
  clientCertificate: text.optional(),
  caCertificates: text.optional(),
  serverName: text.optional(),
});

export const connectionSchema = z.strictObject({
  address: text.optional(),
  timeout: duration.optional(),
  authentication: atMostOne(
    z.strictObject({ tls: connectionTlsSchema.optional(), mutual: connectionMutualSchema.optional() }),
    ['tls', 'mutual'],
  ).optional(),
});

export const handlerSchema = z.strictObject({
  name: text.optional(),
  compiledAdapter: text.optional(),
  adapter: text.optional(),
  params: struct.optional(),
  connection: connectionSchema.optional(),
});
