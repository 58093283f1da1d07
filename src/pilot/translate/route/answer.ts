import type { HttpDirectResponse, HttpRedirect, HttpRoute } from '../../../apis/networking/networking.ts';
import type { DirectResponseAction, NonForwardingAction, RedirectAction } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { Traced } from '../../../model/mesh-snapshot.ts';
import { diagnose, type Place } from '../policy/diagnose.ts';
import type { RuleContext } from './context.ts';
import { buildHeaderChanges, type HeaderFields } from './headers.ts';
import { buildRedirect, isRedirectCode } from './redirect.ts';

/** A rule that Envoy answers by itself. */
export type Answer = {
  readonly action:
    | { readonly redirect: RedirectAction }
    | { readonly directResponse: DirectResponseAction }
    | { readonly nonForwardingAction: NonForwardingAction };
  readonly headers: HeaderFields;
  readonly diagnostics: readonly Diagnostic[];
};

/** Nothing for a rule that sends requests on. */
export function buildAnswer(rule: Traced<HttpRoute>, context: RuleContext): Answer | undefined {
  const { redirect, directResponse } = rule.spec;
  if (redirect === undefined && directResponse === undefined) return undefined;
  if (context.kind === 'proxyless') return unanswered(rule);
  const headers = buildHeaderChanges(rule.spec).fields;
  if (redirect !== undefined) {
    const place = { object: rule.object, path: `${rule.path}.redirect.redirectCode` };
    const diagnostics = checkRedirect(redirect, place);
    return { action: { redirect: buildRedirect(redirect, context.client.port) }, headers, diagnostics };
  }
  return { action: { directResponse: buildDirectResponse(directResponse ?? {}) }, headers, diagnostics: [] };
}

function unanswered(rule: Traced<HttpRoute>): Answer {
  const message = 'a gRPC client without a proxy cannot answer by itself, so its calls that match the rule fail';
  return {
    action: { nonForwardingAction: {} },
    headers: {},
    diagnostics: [diagnose('info', 'XEB2204', rule, message)],
  };
}

function checkRedirect({ redirectCode = 301 }: HttpRedirect, place: Place): readonly Diagnostic[] {
  if (isRedirectCode(redirectCode)) return [];
  const message = `Envoy cannot redirect with ${redirectCode}, so 301 is sent; it knows 301, 302, 303, 307 and 308`;
  return [diagnose('warning', 'XEB2202', place, message)];
}

/** What `maxDirectResponseBodySizeBytes` of every route configuration allows; Envoy would refuse all routes for one longer body. */
export const MAX_BODY = 1_048_576;

function buildDirectResponse({ status = 200, body }: HttpDirectResponse): DirectResponseAction {
  const usable = status >= 200 && status < 600 ? status : 500;
  const content = bodyOf(body);
  return {
    status: usable,
    ...(content === undefined || content.length > MAX_BODY ? {} : { body: { inlineBytes: content } }),
  };
}

function bodyOf(body: HttpDirectResponse['body']): Uint8Array | undefined {
  if (body?.string !== undefined) return new TextEncoder().encode(body.string);
  const bytes = body?.bytes ?? '';
  return isBase64(bytes) ? Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0)) : undefined;
}

function isBase64(text: string): boolean {
  return text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
