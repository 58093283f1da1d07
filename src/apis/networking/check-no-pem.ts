import type { IssueCode } from '../codes.ts';
import type { Field } from '../finding.ts';

const finding = {
  problem: 'is the content of a file, where its path or the name of a Secret belongs',
  fix: 'put it into a Secret, name that in credentialName, and replace the key: whoever reads the object has it',
};

/** Members of TLS settings are paths and names. What is said has nothing of the content: it may be a key. */
export function checkNoPem(field: Field, tls: object, code: IssueCode): void {
  for (const [member, value] of Object.entries(tls)) visit(field.at(member), value, code);
}

function visit(field: Field, value: unknown, code: IssueCode): void {
  if (typeof value === 'string') {
    if (value.includes('-----BEGIN')) field.error(code, finding);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(field.at(index), item, code);
  } else if (typeof value === 'object' && value !== null) checkNoPem(field, value, code);
}
