import { isIp, splitHostPort } from '../address.ts';
import type { Field } from '../finding.ts';
import { isDnsName } from '../names.ts';
import { isPort } from './scalars.ts';

/** The address of a server: `host:port`. `$(HOST_IP)` stands for the node's address where the proxy fills it in. */
export function checkServerAddress(field: Field, address: string | undefined): void {
  if (!address) return;
  const parts = splitHostPort(address.replace('$(HOST_IP)', '127.0.0.1'));
  if (parts !== undefined && isPort(parts.port) && (isDnsName(parts.host) || isIp(parts.host))) return;
  field.error('XEB0901', { problem: 'is not the address of a server', got: address, allowed: 'host:port' });
}

export function checkRequiredAddress(field: Field, address: string | undefined): void {
  if (!address) field.error('XEB0903', { problem: 'is required and empty', fix: 'give host:port' });
  checkServerAddress(field, address);
}
