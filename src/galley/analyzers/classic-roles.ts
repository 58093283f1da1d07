import { nearest } from '../../apis/schema/words.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type AnalysisInputs, type Analyzer, about } from './analyzer.ts';

/** A ServiceRoleBinding gives a ServiceRole that is not there, or a ServiceRole is for a service that is not there. */
export const classicRoles: Analyzer = {
  name: 'classic-roles',
  run: (inputs) => {
    const { ServiceRole, ServiceRoleBinding } = inputs.snapshot.objects;
    const known = new Set(ServiceRole.map(({ meta }) => `${meta.namespace}/${meta.name}`));
    return [
      ...ServiceRoleBinding.flatMap((object) => checkRole(object, known, inputs.snapshot.mesh.rootNamespace)),
      ...ServiceRole.flatMap((object) => checkServices(object, inputs)),
    ];
  },
};

function checkRole(
  object: ConfigObject<'ServiceRoleBinding'>,
  known: ReadonlySet<string>,
  rootNamespace: string,
): readonly Diagnostic[] {
  const { roleRef, role } = object.spec;
  const path = roleRef === undefined ? ['spec', 'role'] : ['spec', 'roleRef', 'name'];
  const name = roleRef?.name ?? role;
  if (!name) return [];
  const qualified = name.startsWith('/') ? `${rootNamespace}${name}` : `${object.meta.namespace}/${name}`;
  if (known.has(qualified)) return [];
  const meant = nearest(qualified, [...known]);
  const hint = meant === undefined ? 'create it, or correct the name' : `did you mean ${meant}?`;
  const message = `there is no ServiceRole ${qualified}: ${hint}`;
  return [about(object, { code: 'IST0101', level: 'error', path, message })];
}

function checkServices(object: ConfigObject<'ServiceRole'>, { hosts }: AnalysisInputs): readonly Diagnostic[] {
  return (object.spec.rules ?? []).flatMap(({ services = [] }, rule) =>
    services.flatMap((service, index) => {
      if (service.includes('*') || !hosts.lacks(service)) return [];
      const path = ['spec', 'rules', rule, 'services', index];
      const message = `there is no host ${service}: ${hosts.hintFor(service)}`;
      return [about(object, { code: 'IST0101', level: 'error', path, message })];
    }),
  );
}
