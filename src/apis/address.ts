import ipaddr from 'ipaddr.js';

/** An IPv4 or IPv6 address in the usual spelling; no leading zeros, no zone. */
export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

export function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) && !/(?:^|\.)0\d/.test(text);
}

export function isIpv6(text: string): boolean {
  return text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text);
}

/** `10.0.0.0/8` or `2001:db8::/32`. */
export function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  if (more.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  if (isIpv4(address)) return Number(bits) <= 32;
  return isIpv6(address) && Number(bits) <= 128;
}

/** An address, or a block of them. */
export function isSubnet(text: string): boolean {
  return text.includes('/') ? isCidr(text) : isIp(text);
}

const UNIX_PREFIX = 'unix://';

export function isUnixAddress(text: string): boolean {
  return text.startsWith(UNIX_PREFIX);
}

/** `unix:///absolute/path` or `unix://@abstract`. */
export function isUsableUnixAddress(text: string): boolean {
  if (!isUnixAddress(text)) return false;
  const path = text.slice(UNIX_PREFIX.length);
  return path.startsWith('@') || (path.startsWith('/') && !path.endsWith('/'));
}

export type HostPort = { readonly host: string; readonly port: number };

/** `host:port`, `:port` or `[v6]:port`; the host is not looked at, the port is a number. */
export function splitHostPort(text: string): HostPort | undefined {
  const found = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,9})$/.exec(text);
  if (found === null) return undefined;
  return { host: found[1] ?? found[2] ?? '', port: Number(found[3]) };
}
