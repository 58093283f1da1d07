import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkUnique } from '../rules/scalars.ts';
import { warnReference } from './check-reference.ts';
import type { Action, HeaderOperation, RuleSpec } from './mixer.ts';

/** Istio 1.4 takes every rule and leaves out what does not work, so all that is found here are warnings. */
export function validateRule(spec: RuleSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { actions = [], requestHeaderOperations = [], responseHeaderOperations = [] } = spec;
  if (actions.length + requestHeaderOperations.length + responseHeaderOperations.length === 0) {
    field.warn('XEB0451', { problem: 'has no actions and changes no headers', fix: 'add actions' });
  }
  field.at('actions').each(actions, warnAction);
  warnActionNames(field.at('actions'), actions);
  field.at('requestHeaderOperations').each(requestHeaderOperations, warnHeaderOperation);
  field.at('responseHeaderOperations').each(responseHeaderOperations, warnHeaderOperation);
  if (spec.sampling !== undefined) {
    field.at('sampling').warn('XEB0118', { problem: 'has no effect: Istio 1.4 does not sample either' });
  }
  return issues;
}

function warnAction(field: Field, { handler, instances = [] }: Action): void {
  if (!handler)
    field.at('handler').warn('XEB0452', { problem: 'is missing, so the action is left out', fix: 'add it' });
  else warnReference(field.at('handler'), handler);
  const at = field.at('instances');
  if (instances.length === 0) {
    at.warn('XEB0452', { problem: 'is empty, so the action is left out', fix: 'name an instance' });
  }
  at.each(instances, warnReference);
  checkUnique(
    instances,
    (instance) => instance,
    (index, instance) =>
      at.at(index).warn('XEB0452', { problem: 'is given twice, and used once', got: instance, fix: 'remove it' }),
  );
}

const identifier = /^[A-Za-z_]\w*$/;

/** The name of an action is what header operations read its output by: `name.output.field`. */
function warnActionNames(field: Field, actions: readonly Action[]): void {
  for (const [index, { name }] of actions.entries()) {
    if (!name || identifier.test(name)) continue;
    const problem = 'cannot be used in expressions';
    field.at(index, 'name').warn('XEB0451', { problem, got: name, allowed: 'letters, digits and _' });
  }
  checkUnique(
    actions,
    ({ name }) => name || undefined,
    (index, name) =>
      field
        .at(index, 'name')
        .warn('XEB0451', { problem: 'is the name of another action', got: name, fix: 'rename it' }),
  );
}

function warnHeaderOperation(field: Field, { name, values = [], operation = 'REPLACE' }: HeaderOperation): void {
  if (!name) field.at('name').warn('XEB0464', { problem: 'is missing, so no header changes', fix: 'name the header' });
  const at = field.at('values');
  if (operation === 'REMOVE') {
    if (values.length > 0) at.warn('XEB0464', { problem: 'has no effect with REMOVE', fix: 'remove it' });
  } else if (values.length === 0) {
    at.warn('XEB0464', { problem: `is empty, so nothing happens with ${operation}`, fix: 'add an expression' });
  }
  at.each(values, (place, value) => {
    if (value === '') place.warn('XEB0464', { problem: 'is empty, so it is left out', fix: 'add an expression' });
  });
}
