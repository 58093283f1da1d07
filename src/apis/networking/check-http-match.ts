import type { Field } from '../finding.ts';
import { parseClaimName } from '../rules/claim-name.ts';
import { checkMatchedHeader, checkStringMatch } from '../rules/matching.ts';
import { checkDnsLabel, checkLabels } from '../rules/names.ts';
import { checkOptionalPort } from '../rules/scalars.ts';
import { checkGatewayRefs } from '../rules/visibility.ts';
import type { HttpMatchRequest } from './networking.ts';
import type { VirtualServiceFrame } from './virtual-service-frame.ts';

/** Claims are read at gateways only. */
type MatchContext = Pick<VirtualServiceFrame, 'boundToGateways'>;

export function checkHttpMatch(field: Field, match: HttpMatchRequest, context: MatchContext): void {
  checkStringMatch(field.at('uri'), match.uri, { emptyPrefix: true });
  checkStringMatch(field.at('scheme'), match.scheme);
  checkStringMatch(field.at('method'), match.method);
  checkStringMatch(field.at('authority'), match.authority);
  for (const [name, value] of Object.entries(match.queryParams ?? {})) {
    checkStringMatch(field.at('queryParams', name), value);
  }
  checkHeaderMatches(field.at('headers'), match.headers, context);
  checkHeaderMatches(field.at('withoutHeaders'), match.withoutHeaders, context);
  checkOptionalPort(field.at('port'), match.port);
  checkLabels(field.at('sourceLabels'), match.sourceLabels);
  checkGatewayRefs(field.at('gateways'), match.gateways);
  if (match.sourceNamespace) checkDnsLabel(field.at('sourceNamespace'), match.sourceNamespace);
}

function checkHeaderMatches(
  field: Field,
  matches: HttpMatchRequest['headers'],
  { boundToGateways }: MatchContext,
): void {
  for (const [name, value] of Object.entries(matches ?? {})) {
    checkMatchedHeader(field.at(name), name);
    checkStringMatch(field.at(name), value, { presence: true });
    if (parseClaimName(name) === undefined || boundToGateways) continue;
    field.at(name).error('XEB0215', {
      problem: 'matches a JWT claim, which sidecars cannot',
      fix: 'bind the rule to a gateway only',
    });
  }
}
