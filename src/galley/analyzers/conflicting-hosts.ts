import { completeHost } from '../../apis/host.ts';
import type { ConfigObject } from '../../model/object.ts';
import { refOf, renderRef } from '../../model/object.ts';
import { type Analyzer, about } from './analyzer.ts';
import { type Audience, audienceOf, overlap } from './visibility.ts';

type Claim = { readonly object: ConfigObject<'VirtualService'>; readonly index: number; readonly audience: Audience };

/** Several VirtualServices route one host for sidecars: which rule counts depends on their age. */
export const conflictingHosts: Analyzer = {
  name: 'conflicting-hosts',
  run: ({ snapshot: { objects, mesh }, domain }) => {
    const claims = objects.VirtualService.filter(isForMesh).flatMap((object) =>
      (object.spec.hosts ?? []).map((host, index) => ({
        host: completeHost(host, object.meta.namespace, domain).toLowerCase(),
        object,
        index,
        audience: audienceOf(object.spec.exportTo, mesh.defaultVirtualServiceExportTo, object.meta.namespace),
      })),
    );
    return [...Map.groupBy(claims, (claim) => claim.host)].flatMap(([host, sharing]) =>
      sharing.flatMap((claim) => {
        const others = rivalsOf(claim, sharing);
        if (others.length === 0) return [];
        const names = others.map((other) => renderRef(refOf(other.object))).join(', ');
        const message = `host ${host} is routed by ${names} too, so the rules of the oldest object come first: merge them, or narrow exportTo`;
        return [
          about(claim.object, { code: 'IST0109', level: 'warning', path: ['spec', 'hosts', claim.index], message }),
        ];
      }),
    );
  },
};

function isForMesh({ spec }: ConfigObject<'VirtualService'>): boolean {
  return spec.gateways === undefined || spec.gateways.length === 0 || spec.gateways.includes('mesh');
}

function rivalsOf(claim: Claim, sharing: readonly Claim[]): readonly Claim[] {
  return sharing.filter((other) => other.object !== claim.object && overlap(other.audience, claim.audience));
}
