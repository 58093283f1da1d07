import type { HttpRoute } from '../../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../../gen/codec.ts';
import type { Route } from '../../../../gen/types.ts';
import { meshConfig } from '../../../../testing/config.ts';
import { at, service, virtualService } from '../../policy/testing/fixtures.ts';
import type { RuleContext } from '../context.ts';
import { routeDefaults } from '../defaults.ts';
import { type BuiltRule, buildHttpRule } from '../http-rule.ts';

// One HTTP rule of a virtual service `v`, as a sidecar labelled `app: client` gets it on port 80.

export const a = service('a');
export const b = service('b');
export const CLUSTER_A = `outbound|80||${a.hostname}`;
export const CLUSTER_B = `outbound|80||${b.hostname}`;

export function to(host: string, rest: object = {}): { readonly destination: { readonly host: string } } {
  return { destination: { host }, ...rest };
}

/** What a mesh that says nothing means for routes. */
export const noDefaults = routeDefaults(meshConfig());

export const toA = { route: [to(a.hostname)] };

export function buildRule(spec: HttpRoute, options: Partial<RuleContext> = {}): BuiltRule {
  const { http } = virtualService('v', { hosts: ['a'], http: [spec] });
  const [traced] = http;
  if (traced === undefined) throw new Error('no rule');
  return buildHttpRule(traced, {
    client: { gateways: ['mesh'], port: 80, namespace: 'default', labels: { app: 'client' } },
    kind: 'sidecar',
    tellsProtocol: false,
    destinations: [at(a), at(b)],
    defaults: noDefaults,
    name: 'v',
    ...options,
  });
}

/** As the proxy reads them. */
export function routesOf(spec: HttpRoute, options: Partial<RuleContext> = {}): readonly Route[] {
  return buildRule(spec, options).routes.map((route) =>
    decodeMessage('envoy.config.route.v3.Route', encodeMessage('envoy.config.route.v3.Route', route)),
  );
}

export function routeOf(spec: HttpRoute, options: Partial<RuleContext> = {}): Route | undefined {
  return routesOf(spec, options)[0];
}
