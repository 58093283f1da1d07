import type { HttpRedirect } from '../../../apis/networking/networking.ts';
import type { RedirectAction } from '../../../gen/types.ts';
import { RedirectAction_RedirectResponseCode } from '../../../gen/types.ts';

const codes: Readonly<Record<number, RedirectAction_RedirectResponseCode>> = {
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
};

export function isRedirectCode(code: number): boolean {
  return codes[code] !== undefined;
}

/** A code that Envoy cannot send becomes 301, the default. */
export function buildRedirect(spec: HttpRedirect, dialled: number): RedirectAction {
  const port = redirectPort(spec, dialled);
  return {
    ...(isSet(spec.uri) ? { pathRedirect: spec.uri } : {}),
    ...(isSet(spec.scheme) ? { schemeRedirect: spec.scheme } : {}),
    ...(isSet(spec.authority) ? { hostRedirect: spec.authority } : {}),
    ...(port === undefined ? {} : { portRedirect: port }),
    responseCode: codes[spec.redirectCode ?? 301] ?? RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  };
}

/** Envoy cannot take the port from the request, but the listener knows which one it is. */
function redirectPort({ port, derivePort, scheme }: HttpRedirect, dialled: number): number | undefined {
  if (port !== undefined && port !== 0) return port;
  if (derivePort !== 'FROM_REQUEST_PORT') return undefined;
  const usual = scheme === 'https' ? 443 : 80;
  return isSet(scheme) && dialled === usual ? undefined : dialled;
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
