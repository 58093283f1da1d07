import type { Field } from '../finding.ts';

const part = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const referenceForm = 'name, name.namespace or name.kind.namespace';

/** Mixer looks references up while it runs and leaves out what it does not find, so nothing here keeps an object out. */
export function warnReference(field: Field, reference: string): void {
  const parts = reference.split('.');
  if (parts.length <= 3 && parts.every((one) => part.test(one))) return;
  const problem = 'can be the name of no object, so it is never found';
  field.warn('XEB0452', { problem, got: reference, allowed: referenceForm });
}

/** Istio names these objects by their metadata; a name in the spec is read and not used. */
export function warnOtherName(field: Field, name: string | undefined, own: string): void {
  if (name === undefined || name === '' || name === own) return;
  field.warn('XEB0118', {
    problem: `has no effect: rules refer to metadata.name, ${own}`,
    got: name,
    fix: 'remove it',
  });
}
