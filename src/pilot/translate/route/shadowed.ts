import { httpMatchCovers } from '../../../apis/networking/match-covers.ts';
import type { HttpMatchRequest, HttpRoute } from '../../../apis/networking/networking.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService, Traced } from '../../../model/mesh-snapshot.ts';
import { type ObjectRef, refOf, renderRef } from '../../../model/object.ts';
import { diagnose } from '../policy/diagnose.ts';
import type { Client } from './applies.ts';
import { applyingMatches } from './http-rule.ts';
import { buildMatch, takesEverything } from './match.ts';

type Taken = { readonly match: HttpMatchRequest; readonly by: ObjectRef };

export type ShadowedInputs = {
  readonly host: string;
  /** In the order their rules are tried. */
  readonly virtualServices: readonly MeshVirtualService[];
  readonly client: Client;
};

/** Tells of rules that no request reaches, because older virtual services of the same host take all that these match. */
export function tellShadowed({ host, virtualServices, client }: ShadowedInputs): readonly Diagnostic[] {
  if (virtualServices.length < 2) return [];
  const taken: Taken[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { object, http } of virtualServices) {
    const reached = reachedRules(http, client);
    for (const { rule, matches } of reached) {
      const owners = matches.map((match) => taken.find((earlier) => covers(earlier.match, match))?.by);
      const [owner] = owners;
      if (owner !== undefined && !owners.includes(undefined)) diagnostics.push(tell(rule, owner, host));
    }
    const by = refOf(object);
    taken.push(...reached.flatMap(({ matches }) => matches.map((match) => ({ match, by }))));
  }
  return diagnostics;
}

type Reached = { readonly rule: Traced<HttpRoute>; readonly matches: readonly HttpMatchRequest[] };

/** Up to the rule for everything: what comes after it is lost in its own object. */
function reachedRules(rules: readonly Traced<HttpRoute>[], client: Client): readonly Reached[] {
  const reached: Reached[] = [];
  for (const rule of rules) {
    const matches = applyingMatches(rule.spec, client).map(ofRequest);
    reached.push({ rule, matches });
    if (matches.some(isEverything)) break;
  }
  return reached;
}

/** What a match asks of the request; the rest is true for the client already. */
function ofRequest(match: HttpMatchRequest = {}): HttpMatchRequest {
  const { port: _, sourceLabels: __, sourceNamespace: ___, gateways: ____, ...rest } = match;
  return rest;
}

function isEverything(match: HttpMatchRequest): boolean {
  return takesEverything(buildMatch(match));
}

/** A rule for everything comes last, so it takes nothing from others but their rules for everything. */
function covers(earlier: HttpMatchRequest, later: HttpMatchRequest): boolean {
  return httpMatchCovers(earlier, later) && (isEverything(later) || !isEverything(earlier));
}

function tell(rule: Traced<HttpRoute>, owner: ObjectRef, host: string): Diagnostic {
  const message = `${renderRef(owner)} is older and takes all requests to ${host} that this rule matches, so the rule is never used there`;
  return diagnose('warning', 'IST0109', rule, message);
}
