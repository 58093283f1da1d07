import { join } from 'node:path';
import { err, ok, type Result } from '../kit/result.ts';

/** A port of 127.0.0.1 that leads to a port of the gateways' Services. */
export type Publish = { readonly hostPort: number; readonly servicePort: number };

export const DEFAULT_PUBLISH: readonly Publish[] = [{ hostPort: 8080, servicePort: 80 }];
export const DEFAULT_ADMIN_PORT = 15014;

/** Where people find a port, as far as its number tells: what a gateway does on it is for its YAML to say. */
export function publishedUrl({ hostPort, servicePort }: Publish): string {
  return `${servicePort === 443 ? 'https' : 'http'}://127.0.0.1:${hostPort}`;
}

/** `8080:80`, or one number for both. */
export function parsePublish(text: string): Result<Publish, string> {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text);
  const hostPort = Number(match?.[1]);
  const servicePort = Number(match?.[2] ?? match?.[1]);
  if (isPort(hostPort) && isPort(servicePort)) return ok({ hostPort, servicePort });
  return err(`${JSON.stringify(text)} is no pair of ports; write HOST:SERVICE, such as 8080:80`);
}

export function renderPublish({ hostPort, servicePort }: Publish): string {
  return `${hostPort}:${servicePort}`;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Where the two halves of a published port meet. */
export function publishSocket(stateFolder: string, { hostPort }: Publish): string {
  return join(stateFolder, `publish-${hostPort}.sock`);
}

export function adminSocket(stateFolder: string): string {
  return join(stateFolder, 'admin.sock');
}
