import type { Field } from '../finding.ts';
import { checkDnsLabel, checkDnsName, checkLabels } from '../rules/names.ts';
import type { ServiceReference, SpecReference } from './mixer.ts';

export function checkServices(field: Field, services: readonly ServiceReference[] | undefined): void {
  if (services === undefined || services.length === 0) {
    field.error('XEB0461', { problem: 'is empty', fix: 'add the services it is for' });
  }
  field.each(services, checkServiceReference);
}

function checkServiceReference(field: Field, { name, namespace, domain, service, labels }: ServiceReference): void {
  if (!name && !service) {
    field.error('XEB0457', { problem: 'names no service', allowed: 'name or service' });
  } else if (name && service) {
    field.at('service').error('XEB0457', { problem: 'cannot be set together with name', fix: 'keep one of them' });
  } else if (service) {
    checkAlone(field, { namespace, domain });
    warnWildcard(field.at('service'), service);
  } else if (name) {
    checkDnsLabel(field.at('name'), name);
  }
  if (namespace) checkDnsLabel(field.at('namespace'), namespace);
  if (domain) checkDnsName(field.at('domain'), domain);
  checkLabels(field.at('labels'), labels);
}

function checkAlone(field: Field, beside: Pick<ServiceReference, 'namespace' | 'domain'>): void {
  for (const member of ['namespace', 'domain'] as const) {
    if (!beside[member]) continue;
    const fix = 'remove it: service is a whole host';
    field.at(member).error('XEB0457', { problem: 'cannot be set together with service', got: beside[member], fix });
  }
}

/** `*` is every host, `*text*` every host with the text in it; elsewhere a star is only a character. */
function warnWildcard(field: Field, service: string): void {
  if (!service.includes('*') || service === '*' || /^\*[^*]+\*$/.test(service)) return;
  field.warn('XEB0457', { problem: 'matches no host', got: service, allowed: 'a host, *, or *part of a host*' });
}

/** The specifications that a binding binds. */
export function checkSpecReferences(field: Field, references: readonly SpecReference[] | undefined): void {
  if (references === undefined || references.length === 0) {
    field.error('XEB0461', { problem: 'is empty', fix: 'name a specification' });
  }
  field.each(references, (at, { name, namespace }) => {
    if (!name) at.at('name').error('XEB0461', { problem: 'is required and missing', fix: 'add it' });
    if (namespace) checkDnsLabel(at.at('namespace'), namespace);
  });
}
