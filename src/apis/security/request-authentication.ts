import { z } from 'zod';
import { policyTargetReferenceSchema } from '../networking/envoy-filter.ts';
import { workloadSelectorSchema } from '../networking/shared.ts';
import { duration, flag, text, textList } from '../schema/fields.ts';

export const jwtRuleSchema = z.strictObject({
  issuer: text,
  audiences: textList.optional(),
  jwksUri: text.optional(),
  jwks: text.optional(),
  fromHeaders: z.array(z.strictObject({ name: text, prefix: text.optional() })).optional(),
  fromParams: textList.optional(),
  fromCookies: textList.optional(),
  outputPayloadToHeader: text.optional(),
  outputClaimToHeaders: z.array(z.strictObject({ header: text, claim: text })).optional(),
  forwardOriginalToken: flag.optional(),
  timeout: duration.optional(),
  spaceDelimitedClaims: textList.optional(),
});

export const requestAuthenticationSchema = z.strictObject({
  selector: workloadSelectorSchema.optional(),
  targetRef: policyTargetReferenceSchema.optional(),
  targetRefs: z.array(policyTargetReferenceSchema).optional(),
  jwtRules: z.array(jwtRuleSchema).optional(),
});
