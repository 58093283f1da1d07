import type { Service, ServicePort } from '../../../model/service.ts';

export type StatNameInputs = {
  readonly pattern: string;
  readonly service: Service;
  readonly port: ServicePort;
  readonly subset: string;
};

/** The name in statistics that the mesh asks for; nothing where it asks for none. */
export function buildStatName({ pattern, service, port, subset }: StatNameInputs): string | undefined {
  if (pattern === '') return undefined;
  const short = service.registry === 'Kubernetes' ? `${service.name}.${service.namespace}` : service.hostname;
  const values: Readonly<Record<string, string>> = {
    '%SERVICE%': short,
    '%SERVICE_NAME%': service.name,
    '%SERVICE_FQDN%': service.hostname,
    '%SERVICE_PORT%': `${port.port}`,
    '%TARGET_PORT%': `${port.port}`,
    '%SERVICE_PORT_NAME%': port.name,
    '%SUBSET_NAME%': subset,
  };
  return pattern.replace(/%[A-Z_]+%/g, (variable) => values[variable] ?? variable);
}
