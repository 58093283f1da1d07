import ipaddr from 'ipaddr.js';

/** By what callers are told apart: one host of IPv4; of IPv6 a whole network, since one host has as many addresses as it likes. */
export function sourceOf(address = ''): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6
    ? parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')
    : parsed.toString();
}
