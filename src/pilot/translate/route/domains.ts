import { isIp, isIpv6 } from '../../../apis/address.ts';
import { isWildcard } from '../../../apis/host.ts';
import type { Service } from '../../../model/service.ts';

/**
 * The names a host answers to, the complete one first. Clients resolve short names by their own search path, so which short
 * forms mean the host depends on the proxy's DNS domain (`<namespace>.svc.<domain>`).
 */
export function buildDomains(host: string, service: Service | undefined, dnsDomain: string): readonly string[] {
  const names = [bracketed(host), ...shortForms(host, dnsDomain)];
  // `web-0.web` is a pod of the headless service `web`.
  const pods = service?.headless === true ? names.map((name) => `*.${name}`) : [];
  const addresses = (service?.addresses ?? []).flatMap(singleAddress).map(bracketed);
  return [...new Set([...names, ...pods, ...addresses])];
}

/** `name.ns` and `name.ns.svc`, and `name` in its own namespace; nothing for hosts outside the cluster's DNS. */
function shortForms(host: string, dnsDomain: string): readonly string[] {
  const dot = dnsDomain.indexOf('.');
  const [own, rest] = [dnsDomain.slice(0, dot), dnsDomain.slice(dot + 1)];
  if (dot < 0 || !rest.startsWith('svc.') || isWildcard(host) || !host.endsWith(`.${rest}`)) return [];
  const short = host.slice(0, -rest.length - 1);
  const namespace = short.slice(short.lastIndexOf('.') + 1);
  const forms = [short, `${short}.svc`];
  return namespace === own && short !== own ? [short.slice(0, -own.length - 1), ...forms] : forms;
}

/** A block of addresses is nobody's name; one of a single address is. */
function singleAddress(address: string): readonly string[] {
  const [ip = '', bits] = address.split('/');
  const isSingle = bits === undefined || bits === (isIpv6(ip) ? '128' : '32');
  return isSingle && isIp(ip) ? [ip] : [];
}

/** As IPv6 addresses are written in a Host header. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
