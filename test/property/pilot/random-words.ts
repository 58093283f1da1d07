import fc from 'fast-check';
import { type Manifest, object } from '../../feature/pilot/support/manifests.ts';

// A small world in which everything meets everything: few names, few addresses, few labels. All objects are good ones.

export const namespace = fc.constantFrom('a', 'b');
export const own = fc.constantFrom('x', 'y');
export const name = fc.tuple(namespace, own).map((parts) => parts.join('/'));
export const labels = fc.constantFrom(
  { app: 'x', version: 'v1' },
  { app: 'x', version: 'v2' },
  { app: 'y', version: 'v1' },
);
export const address = fc.constantFrom('10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4');
export const meshHost = fc.constantFrom('x', 'y', 'x.a.svc.cluster.local', 'y.b.svc.cluster.local', 'x.example.com');
export const subset = fc.constantFrom('v1', 'v2');
export const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 });
export const exportTo = rarely(fc.constantFrom(['.'], ['*'], ['a'], ['b']));

export function exported(namespaces: readonly string[] | undefined): Manifest {
  return namespaces === undefined ? {} : { exportTo: namespaces };
}

/** An object of a type such as `v1 Service`, made at one of a few moments, so that age decides here and names there. */
export function made(
  type: string,
  at: fc.Arbitrary<string>,
  rest: fc.Arbitrary<Manifest>,
  meta: fc.Arbitrary<Manifest> = fc.constant({}),
): fc.Arbitrary<Manifest> {
  return fc.tuple(at, rest, meta, fc.constantFrom(1, 2, 3)).map(([where, content, more, second]) => {
    const [apiVersion = '', kind = ''] = type.split(' ');
    const manifest = object(apiVersion, kind, where, content);
    const creationTimestamp = `2024-01-01T00:00:0${second}Z`;
    return { ...manifest, metadata: { ...(manifest['metadata'] as Manifest), creationTimestamp, ...more } };
  });
}

export function istio(kind: string, at: fc.Arbitrary<string>, spec: fc.Arbitrary<Manifest>): fc.Arbitrary<Manifest> {
  return made(
    `networking.istio.io/v1 ${kind}`,
    at,
    spec.map((content) => ({ spec: content })),
  );
}
