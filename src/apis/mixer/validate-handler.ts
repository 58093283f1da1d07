import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { warnOtherName, warnReference } from './check-reference.ts';
import { warnAdapter } from './known-names.ts';
import type { Connection, ConnectionTls, HandlerSpec } from './mixer.ts';

/** What Istio 1.4 finds only when it builds the handler, and then goes on without it, is a warning. */
export function validateHandler(spec: HandlerSpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  warnOtherName(field.at('name'), spec.name, name);
  if (spec.compiledAdapter) warnCompiled(field, spec, spec.compiledAdapter);
  else if (spec.adapter) warnElsewhere(field, spec, spec.adapter);
  else field.warn('XEB0453', { problem: 'names no adapter, so it is left out', fix: 'add compiledAdapter' });
  return issues;
}

function warnCompiled(field: Field, { adapter, connection }: HandlerSpec, compiledAdapter: string): void {
  warnAdapter(field.at('compiledAdapter'), compiledAdapter);
  if (adapter) {
    const problem = `has no effect beside compiledAdapter ${compiledAdapter}`;
    field.at('adapter').warn('XEB0453', { problem, got: adapter, fix: 'keep one of them' });
  }
  if (connection === undefined) return;
  const problem = 'has no effect: the adapter is built in';
  field.at('connection').warn('XEB0453', { problem, fix: 'remove it' });
}

function warnElsewhere(field: Field, { connection }: HandlerSpec, adapter: string): void {
  warnReference(field.at('adapter'), adapter);
  const at = field.at('connection');
  if (connection === undefined)
    at.warn('XEB0463', { problem: 'is missing, so the handler is left out', fix: 'add it' });
  else warnConnection(at, connection);
}

function warnConnection(field: Field, { address, authentication }: Connection): void {
  if (!address) {
    field.at('address').warn('XEB0463', { problem: 'is missing, so the handler is left out', fix: 'add host:port' });
  }
  const at = field.at('authentication');
  if (authentication?.tls !== undefined) warnTls(at.at('tls'), authentication.tls);
  if (authentication?.mutual !== undefined) {
    warnMissing(at.at('mutual'), authentication.mutual, ['privateKey', 'clientCertificate', 'caCertificates']);
  }
}

function warnTls(field: Field, tls: ConnectionTls): void {
  if (tls.oauth !== undefined) warnMissing(field.at('oauth'), tls.oauth, ['clientId', 'clientSecret', 'tokenUrl']);
  else if (!tls.tokenPath) {
    field.warn('XEB0463', { problem: 'has no token, so the handler is left out', allowed: 'tokenPath or oauth' });
  }
}

function warnMissing<Key extends string>(
  field: Field,
  record: { readonly [K in Key]?: string | undefined },
  keys: readonly Key[],
): void {
  for (const key of keys) {
    if (record[key]) continue;
    field.at(key).warn('XEB0463', { problem: 'is missing, so the handler is left out', fix: 'add it' });
  }
}
