import type { CorsPolicy } from '../../../apis/networking/networking.ts';
import type { CorsCorsPolicy } from '../../../gen/types.ts';
import { bool, millisOf, stringMatcher } from '../protobuf.ts';

export function buildCors(spec: CorsPolicy): CorsCorsPolicy {
  const origins = spec.allowOrigins?.length
    ? spec.allowOrigins.flatMap((origin) => stringMatcher(origin) ?? [])
    : (spec.allowOrigin ?? []).map((exact) => ({ exact }));
  const maxAge = millisOf(spec.maxAge);
  return {
    allowOriginStringMatch: origins,
    ...list('allowMethods', spec.allowMethods),
    ...list('allowHeaders', spec.allowHeaders),
    ...list('exposeHeaders', spec.exposeHeaders),
    ...(maxAge === undefined ? {} : { maxAge: `${Math.round(maxAge / 1000)}` }),
    ...(spec.allowCredentials === undefined ? {} : { allowCredentials: bool(spec.allowCredentials) }),
    ...(spec.unmatchedPreflights === 'IGNORE' ? { forwardNotMatchingPreflights: bool(false) } : {}),
  };
}

type ListField = 'allowMethods' | 'allowHeaders' | 'exposeHeaders';

function list(field: ListField, values: readonly string[] | undefined): Pick<CorsCorsPolicy, ListField> {
  return values === undefined || values.length === 0 ? {} : { [field]: values.join(',') };
}
