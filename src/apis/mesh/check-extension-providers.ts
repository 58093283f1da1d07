import { isIp } from '../address.ts';
import type { Field } from '../finding.ts';
import { isDnsLabel, isDnsName, isWildcardDnsName } from '../names.ts';
import { checkUnique, isPort } from '../rules/scalars.ts';
import { type ExtensionProvider, providerKinds } from './extension-provider.ts';
import type { MeshConfig } from './mesh-config.ts';

/** A bad provider hurts only who uses it, so all of this is warnings; Istio writes it to its log. */
export function checkExtensionProviders(field: Field, { extensionProviders = [], defaultProviders }: MeshConfig): void {
  const at = field.at('extensionProviders');
  at.each(extensionProviders, checkProvider);
  checkUnique(
    extensionProviders,
    ({ name }) => name || undefined,
    (index, name) =>
      at.at(index, 'name').warn('XEB0906', { problem: 'is used above already', got: name, fix: 'rename it' }),
  );
  const known = new Set(extensionProviders.map(({ name }) => name));
  for (const use of ['tracing', 'metrics', 'accessLogging'] as const) {
    field.at('defaultProviders', use).each(defaultProviders?.[use], (place, name) => {
      if (!known.has(name)) {
        place.warn('XEB0906', { problem: 'is not among extensionProviders', got: name, fix: 'add it there' });
      }
    });
  }
}

type Located = { readonly service?: string | undefined; readonly port?: number | undefined };

function checkProvider(field: Field, provider: ExtensionProvider): void {
  if (!provider.name) {
    field.at('name').warn('XEB0906', { problem: 'is required and missing', fix: 'name the provider' });
  }
  const kind = providerKinds.find((one) => provider[one] !== undefined);
  if (kind === undefined) {
    field.warn('XEB0906', { problem: 'is of no type', allowed: providerKinds.join(', '), fix: 'say what it is' });
    return;
  }
  const settings: object | undefined = provider[kind];
  if (settings !== undefined && hasPlace(kind)) checkPlace(field.at(kind), settings);
  checkExtAuthz(field, provider);
}

/** Providers that are a service somewhere. */
function hasPlace(kind: (typeof providerKinds)[number]): boolean {
  return kind !== 'stackdriver' && kind !== 'prometheus' && kind !== 'envoyFileAccessLog';
}

function checkPlace(field: Field, { service = '', port = 0 }: Located): void {
  const slash = service.indexOf('/');
  const good =
    slash < 0
      ? isDnsName(service) || isIp(service)
      : isDnsLabel(service.slice(0, slash)) && isWildcardDnsName(service.slice(slash + 1));
  if (!good) {
    field.at('service').warn('XEB0906', { problem: 'is not a service', got: service, allowed: '[namespace/]hostname' });
  }
  if (!isPort(port)) field.at('port').warn('XEB0906', { problem: 'is not a port', got: port, allowed: '1 to 65535' });
}

function checkExtAuthz(field: Field, { envoyExtAuthzHttp, envoyExtAuthzGrpc }: ExtensionProvider): void {
  const status = envoyExtAuthzHttp?.statusOnError ?? envoyExtAuthzGrpc?.statusOnError;
  const kind = envoyExtAuthzHttp === undefined ? 'envoyExtAuthzGrpc' : 'envoyExtAuthzHttp';
  if (status && !/^[2-5]\d\d$/.test(status)) {
    field.at(kind, 'statusOnError').warn('XEB0906', { problem: 'is not a status', got: status, allowed: '200 to 599' });
  }
  const prefix = envoyExtAuthzHttp?.pathPrefix;
  if (prefix && !prefix.startsWith('/')) {
    field
      .at(kind, 'pathPrefix')
      .warn('XEB0906', { problem: 'does not start with /', got: prefix, fix: `write /${prefix}` });
  }
}
