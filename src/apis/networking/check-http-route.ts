import type { Field } from '../finding.ts';
import { checkDuration, checkPercent, warnDeprecated } from '../rules/scalars.ts';
import { checkDestination, checkWeightedDestinations } from './check-destinations.ts';
import { checkAuthorityOnce, checkHeaders } from './check-headers.ts';
import { checkDirectResponse, checkOneAction, checkRedirect, checkRewrite } from './check-http-action.ts';
import { checkHttpMatch } from './check-http-match.ts';
import { checkCors, checkFault, checkRetries } from './check-http-policy.ts';
import type { HttpRoute } from './networking.ts';
import type { VirtualServiceFrame } from './virtual-service-frame.ts';

export function checkHttpRoute(field: Field, route: HttpRoute, frame: VirtualServiceFrame): void {
  checkOneAction(field, route);
  if (route.delegate !== undefined) checkDelegation(field.at('delegate'), route.delegate, frame);
  for (const [index, match] of (route.match ?? []).entries()) checkHttpMatch(field.at('match', index), match, frame);
  checkHeaders(field, route);
  checkAuthorityOnce(field, route);
  field.at('route').each(route.route, checkHeaders);
  checkWeightedDestinations(field.at('route'), route.route ?? []);
  checkRedirect(field.at('redirect'), route.redirect);
  checkDirectResponse(field.at('directResponse'), route.directResponse);
  checkRewrite(field.at('rewrite'), route.rewrite);
  checkDuration(field.at('timeout'), route.timeout);
  checkRetries(field.at('retries'), route.retries);
  checkFault(field.at('fault'), route.fault);
  checkCors(field.at('corsPolicy'), route.corsPolicy);
  checkMirrors(field, route);
}

function checkDelegation(field: Field, delegate: NonNullable<HttpRoute['delegate']>, frame: VirtualServiceFrame): void {
  if (frame.delegate) {
    field.error('XEB0205', { problem: 'cannot delegate again', fix: 'route from here' });
  }
  if (!delegate.name) {
    field.at('name').warn('XEB0205', { problem: 'is empty, so nothing is delegated', fix: 'name the VirtualService' });
  }
}

function checkMirrors(field: Field, route: HttpRoute): void {
  checkDestination(field.at('mirror'), route.mirror);
  if (route.mirrorPercent !== undefined) {
    checkPercent(field.at('mirrorPercent'), route.mirrorPercent);
    warnDeprecated(field.at('mirrorPercent'), 'mirrorPercentage');
  }
  checkPercent(field.at('mirrorPercentage', 'value'), route.mirrorPercentage?.value);
  for (const [index, mirror] of (route.mirrors ?? []).entries()) {
    checkDestination(field.at('mirrors', index, 'destination'), mirror.destination);
    checkPercent(field.at('mirrors', index, 'percentage', 'value'), mirror.percentage?.value);
  }
}
