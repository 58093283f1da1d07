import { isGatewayRef } from '../../apis/rules/visibility.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type Analyzer, about } from './analyzer.ts';

/** A VirtualService names a Gateway that is not there. */
export const gatewayReferences: Analyzer = {
  name: 'gateway-references',
  run: ({ snapshot: { objects } }) => {
    const known = new Set(objects.Gateway.map(({ meta }) => `${meta.namespace}/${meta.name}`));
    return objects.VirtualService.flatMap((object) => missingGateways(object, known));
  },
};

function missingGateways(object: ConfigObject<'VirtualService'>, known: ReadonlySet<string>): readonly Diagnostic[] {
  const listed = object.spec.gateways ?? [];
  const missing = listed.flatMap((gateway, index) => missingAt(object, known, gateway, ['spec', 'gateways', index]));
  const inMatches = (object.spec.http ?? []).flatMap((route, routeIndex) =>
    (route.match ?? []).flatMap((match, matchIndex) =>
      (match.gateways ?? []).flatMap((gateway, index) => {
        const path = ['spec', 'http', routeIndex, 'match', matchIndex, 'gateways', index];
        return listed.includes(gateway) ? [] : missingAt(object, known, gateway, path);
      }),
    ),
  );
  return [...missing, ...inMatches];
}

function missingAt(
  object: ConfigObject<'VirtualService'>,
  known: ReadonlySet<string>,
  gateway: string,
  path: Diagnostic['path'],
): readonly Diagnostic[] {
  // What is no reference has been told on admission.
  if (gateway === 'mesh' || !isGatewayRef(gateway)) return [];
  const qualified = qualifyGateway(gateway, object.meta.namespace);
  if (known.has(qualified)) return [];
  const [, name = ''] = qualified.split('/');
  const elsewhere = [...known].find((other) => other.endsWith(`/${name}`));
  const hint = elsewhere === undefined ? 'create it, correct the name, or repair it' : `did you mean ${elsewhere}?`;
  return [
    about(object, {
      code: 'IST0101',
      level: 'error',
      path,
      message: `there is no Gateway ${qualified} that can be used: ${hint}`,
    }),
  ];
}

/** `namespace/name`; the classic `name.namespace.svc…` too. */
export function qualifyGateway(gateway: string, namespace: string): string {
  if (gateway.includes('/')) return gateway;
  const [name = '', itsNamespace = namespace] = gateway.split('.');
  return `${itsNamespace}/${name}`;
}
