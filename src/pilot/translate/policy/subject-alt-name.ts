import { isIp } from '../../../apis/address.ts';
import { type SubjectAltNameMatcher, SubjectAltNameMatcher_SanType } from '../../../gen/types.ts';

/** An identity (`spiffe://…`), an IP, a mail address or a DNS name; each lives in a field of its own in a certificate. */
export function subjectAltNameMatcher(name: string): SubjectAltNameMatcher {
  return { sanType: sanType(name), matcher: { exact: name } };
}

function sanType(name: string): SubjectAltNameMatcher_SanType {
  if (name.includes('://')) return SubjectAltNameMatcher_SanType.URI;
  if (isIp(name)) return SubjectAltNameMatcher_SanType.IP_ADDRESS;
  return name.includes('@') ? SubjectAltNameMatcher_SanType.EMAIL : SubjectAltNameMatcher_SanType.DNS;
}
