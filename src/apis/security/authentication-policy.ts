import { z } from 'zod';
import { flag, protoEnum, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne, exactlyOne } from '../schema/oneof.ts';

export const pathMatchSchema = atMostOne(
  z.strictObject({
    exact: text.optional(),
    prefix: text.optional(),
    suffix: text.optional(),
    regex: text.optional(),
  }),
  ['exact', 'prefix', 'suffix', 'regex'],
);

export const classicJwtSchema = z.strictObject({
  issuer: text.optional(),
  audiences: textList.optional(),
  jwksUri: text.optional(),
  jwks: text.optional(),
  jwtHeaders: textList.optional(),
  jwtParams: textList.optional(),
  triggerRules: z
    .array(
      z.strictObject({
        excludedPaths: z.array(pathMatchSchema).optional(),
        includedPaths: z.array(pathMatchSchema).optional(),
      }),
    )
    .optional(),
});

const classicMutualTls = z.strictObject({
  allowTls: flag.optional(),
  mode: protoEnum(['STRICT', 'PERMISSIVE']).optional(),
});

/** `mtls:` without a value is how most people write STRICT, so null is a value here, and means the same as `{}`. `{}` without `mtls` is none. */
const peerMethodSchema = atMostOne(
  z.strictObject({ mtls: classicMutualTls.nullable().optional(), jwt: classicJwtSchema.optional() }),
  ['mtls', 'jwt'],
);

const targetSchema = z.strictObject({
  /** The short name of a service in the policy's namespace. */
  name: text.optional(),
  labels: textMap.optional(),
  ports: z
    .array(exactlyOne(z.strictObject({ number: uint32.optional(), name: text.optional() }), ['number', 'name']))
    .optional(),
});

/** Policy and MeshPolicy of `authentication.istio.io`. */
export const authenticationPolicySchema = z.strictObject({
  targets: z.array(targetSchema).optional(),
  peers: z.array(peerMethodSchema).optional(),
  peerIsOptional: flag.optional(),
  origins: z.array(z.strictObject({ jwt: classicJwtSchema.optional() })).optional(),
  originIsOptional: flag.optional(),
  principalBinding: protoEnum(['USE_PEER', 'USE_ORIGIN']).optional(),
});
