import ipaddr from 'ipaddr.js';

/** An address block as Envoy compares it: `10.1.2.3/8` is `10.0.0.0/8`, and one address is a block of its own. */
export function canonicalSubnet(subnet: string): string {
  const [address = '', bits] = subnet.split('/');
  if (!ipaddr.isValid(address)) return subnet;
  const isV4 = ipaddr.parse(address).kind() === 'ipv4';
  const length = bits ?? (isV4 ? '32' : '128');
  const block = `${address}/${length}`;
  const network = isV4 ? ipaddr.IPv4.networkAddressFromCIDR(block) : ipaddr.IPv6.networkAddressFromCIDR(block);
  return `${network.toString()}/${length}`;
}
