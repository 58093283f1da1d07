import { mixerCodes } from './mixer/codes.ts';
import { observabilityCodes } from './observability/codes.ts';
import { securityCodes } from './security/codes.ts';

/** What a code means, said to somebody who looks it up. */
export type CodeText = { readonly title: string; readonly explanation: string };

const reading = {
  XEB0001: {
    title: 'wrong type',
    explanation:
      'A field holds another kind of value than it can hold. In YAML, a bare 1, true or 1.10 is not text: quote it.',
  },
  XEB0002: { title: 'required field missing', explanation: 'The object means nothing without this field.' },
  XEB0003: { title: 'unknown value', explanation: 'The field takes one of a closed list of names (or their numbers).' },
  XEB0004: {
    title: 'not a duration',
    explanation: 'Durations are numbers with units: 100ms, 1.5s, 1m30s. A bare number has no unit and is refused.',
  },
  XEB0005: {
    title: 'two of one',
    explanation:
      'Of some fields only one may be set, because each replaces the others. Istio would keep one at random.',
  },
  XEB0006: { title: 'none of one', explanation: 'Exactly one of these fields must be set, and none is.' },
  XEB0007: { title: 'number out of range', explanation: 'The number does not fit the field.' },
  XEB0008: {
    title: 'unknown field',
    explanation:
      'The field is not known, so it is ignored, as Istio ignores it: a typing mistake would do nothing, silently. A policy that protects is refused instead: without the field it may let in more than was meant.',
  },
  XEB0009: {
    title: 'unknown top-level field',
    explanation:
      'An object has apiVersion, kind, metadata, spec and status. Anything else is refused, as Istio refuses it.',
  },
  XEB0010: { title: 'unknown version', explanation: 'The kind is known, but not in this API version.' },
  XEB0012: {
    title: 'field given twice',
    explanation:
      'A field may be spelled retryOn or retry_on; an object that uses both spellings of one field contradicts itself.',
  },
} satisfies Record<string, CodeText>;

const shared = {
  IST0002: { title: 'deprecated', explanation: 'The field still works; something newer does the same or better.' },
  IST0122: {
    title: 'invalid regular expression',
    explanation: 'Envoy matches with RE2: no look-around, no back references, and at most 1024 characters.',
  },
  XEB0101: {
    title: 'not a host name',
    explanation:
      'A host is a DNS name of labels (letters, digits, hyphens; at most 63 each, 255 in all) whose last label is not a number.',
  },
  XEB0102: {
    title: 'wildcard not allowed here',
    explanation: 'The bare * matches everything and cannot be used in this place.',
  },
  XEB0103: {
    title: 'not a DNS label',
    explanation:
      'Names of subsets, ports and namespaces are one DNS label: letters, digits and inner hyphens, at most 63.',
  },
  XEB0104: {
    title: 'not a Kubernetes label',
    explanation:
      'A label key is an optional DNS prefix with / and a name of at most 63; values use letters, digits, - _ and .',
  },
  XEB0105: { title: 'not a port', explanation: 'Ports are 1 to 65535.' },
  XEB0106: {
    title: 'not an address',
    explanation: 'The field takes an IP address, or a block of them such as 10.0.0.0/8.',
  },
  XEB0107: {
    title: 'not a unix socket',
    explanation: 'After unix:// comes an absolute path of a file, or @ and the name of an abstract socket.',
  },
  XEB0108: { title: 'unknown protocol', explanation: 'The port names a protocol that the mesh does not know.' },
  XEB0109: {
    title: 'duration not usable',
    explanation:
      'Most durations are at least 1ms and whole milliseconds; some must be whole seconds or lie in a range.',
  },
  XEB0110: {
    title: 'not a percentage',
    explanation: 'Percentages lie between 0 and 100; a fraction is 0 or at least 0.0001.',
  },
  XEB0111: {
    title: 'exportTo contradicts itself',
    explanation:
      'exportTo lists namespaces, . for the own one, or * alone for all; every entry once. ~ is for ServiceEntry only.',
  },
  XEB0112: {
    title: 'not a gateway reference',
    explanation: 'A gateway is named namespace/name, name for the own namespace, or mesh for all sidecars.',
  },
  XEB0113: {
    title: 'not a header name',
    explanation: 'Header names are letters, digits, - and _; Envoy keeps names that start with : to itself.',
  },
  XEB0114: {
    title: 'not a header value',
    explanation: 'Header values have no control characters, and a % that is not part of %VARIABLE% is written %%.',
  },
  XEB0115: {
    title: 'given twice',
    explanation: 'The name or number identifies an entry of the list, so it can be used once.',
  },
  XEB0116: { title: 'negative number', explanation: 'A count cannot be negative.' },
  XEB0117: {
    title: 'workload selector not usable',
    explanation:
      'A selector compares labels for equality: no wildcards, no empty keys. Without labels it selects every workload.',
  },
  XEB0118: { title: 'no effect', explanation: 'The field is read, but nothing in the mesh changes by it.' },
  XEB0119: { title: 'partial wildcard', explanation: 'Wildcards are whole labels: *.example.com, not *example.com.' },
  XEB0120: {
    title: 'empty match',
    explanation: 'An empty prefix matches everything and an empty expression nothing; Envoy refuses both.',
  },
  XEB0121: { title: 'list is empty', explanation: 'The list needs at least one entry to mean something.' },
  XEB0122: {
    title: 'kind without effect yet',
    explanation: 'Objects of this kind are stored, validated and passed on, but this version does not act on them yet.',
  },
} satisfies Record<string, CodeText>;

const virtualService = {
  IST0130: {
    title: 'unreachable rule',
    explanation: 'Earlier rules match everything that this rule matches, so it is never used.',
  },
  IST0131: {
    title: 'ineffective match',
    explanation: 'Earlier matches cover this match, so it never decides anything.',
  },
  XEB0201: {
    title: 'hosts overlap',
    explanation: 'Two hosts of one VirtualService cover the same names, so it would be in conflict with itself.',
  },
  XEB0202: { title: 'no routes', explanation: 'A VirtualService has at least one http, tls or tcp rule.' },
  XEB0203: {
    title: 'rule does nothing',
    explanation: 'A rule leads somewhere: route, redirect, directResponse or delegate.',
  },
  XEB0204: {
    title: 'rule contradicts itself',
    explanation: 'A redirect or a direct response ends the request, so nothing else can be done with it.',
  },
  XEB0205: {
    title: 'not possible in a delegate',
    explanation:
      'A VirtualService without hosts is a delegate: the one that delegates brings hosts and gateways, and only http rules.',
  },
  XEB0206: { title: 'weights', explanation: 'Weights are not negative, and together they are more than 0.' },
  XEB0207: {
    title: 'fault injection',
    explanation: 'A fault is a fixed delay, an abort with an HTTP or gRPC status, or both.',
  },
  XEB0208: {
    title: 'retries',
    explanation: 'A retry policy needs attempts above 0, and retryOn lists conditions that Envoy knows.',
  },
  XEB0209: { title: 'redirect', explanation: 'A redirect changes uri, authority, scheme or port, with a 3xx code.' },
  XEB0210: { title: 'rewrite', explanation: 'A rewrite changes authority, and either uri or uriRegexRewrite.' },
  XEB0211: { title: 'CORS', explanation: 'Origins, methods and ages of a CORS policy have fixed forms.' },
  XEB0212: {
    title: 'direct response',
    explanation: 'A direct response has a status of 200 to 599 and a small body: every proxy holds it in memory.',
  },
  XEB0213: {
    title: 'TLS rule',
    explanation: 'A TLS rule matches at least one SNI host, and these belong to the hosts of the VirtualService.',
  },
  XEB0214: {
    title: 'authority set twice',
    explanation: 'The authority is changed by rewrite and by headers, or by several headers: one of them wins.',
  },
  XEB0215: {
    title: 'claims need a gateway',
    explanation: 'Routing on JWT claims works at gateways only; sidecars would never match.',
  },
} satisfies Record<string, CodeText>;

const destinationRule = {
  XEB0301: {
    title: 'empty policy',
    explanation: 'A traffic policy that sets nothing is most likely cut off or indented wrongly.',
  },
  XEB0302: { title: 'policy contradicts itself', explanation: 'Two settings of the policy cannot be used together.' },
  XEB0303: { title: 'subset defined twice', explanation: 'Of subsets with one name the first is used.' },
  XEB0306: {
    title: 'consistent hash',
    explanation: 'A hash needs a key, and a Maglev table a prime size below 5000011.',
  },
  XEB0307: {
    title: 'locality load balancing',
    explanation:
      'Weights of a distribution add up to 100; localities are region/zone/subzone, do not overlap, and end in * at most once.',
  },
  XEB0308: {
    title: 'warm-up',
    explanation: 'A warm-up has a duration, a minimum of 0 to 100 percent and an aggression of 1 or more.',
  },
  XEB0309: { title: 'client TLS', explanation: 'The certificates given do not fit the TLS mode.' },
  XEB0310: { title: 'tunnel', explanation: 'A tunnel uses CONNECT or POST to a host and a port.' },
} satisfies Record<string, CodeText>;

const gateway = {
  XEB0401: {
    title: 'gateway name',
    explanation: 'Gateways are referred to by their name, so it is one DNS label without dots.',
  },
  XEB0402: {
    title: 'gateway host',
    explanation: 'A host is dnsName or namespace/dnsName; the namespace may be * or .',
  },
  XEB0403: { title: 'TLS settings missing', explanation: 'A port of protocol HTTPS or TLS says how TLS is handled.' },
  XEB0404: {
    title: 'TLS settings on a plain port',
    explanation: 'Only httpsRedirect makes sense on a plain HTTP port, and nothing on other plain ports.',
  },
  XEB0405: {
    title: 'certificate missing',
    explanation:
      'The TLS mode needs a certificate: credentialName, or files for certificate and key (and CA for MUTUAL).',
  },
  XEB0406: {
    title: 'certificates contradict',
    explanation: 'The certificate settings given do not fit together or do not fit the TLS mode.',
  },
  XEB0407: {
    title: 'cipher suites',
    explanation: 'Unknown suites are ignored; versions below TLS 1.2 need suites of their own.',
  },
} satisfies Record<string, CodeText>;

const serviceEntry = {
  IST0134: {
    title: 'addresses needed',
    explanation: 'Without an address, TCP traffic to this port cannot be told from other traffic to the same port.',
  },
  XEB0501: {
    title: 'endpoints and resolution',
    explanation: 'The resolution decides whether endpoints may, must or must not be given.',
  },
  XEB0502: {
    title: 'endpoint address',
    explanation: 'STATIC endpoints are IP addresses or unix sockets; DNS endpoints IP addresses or host names.',
  },
  XEB0503: {
    title: 'endpoint port',
    explanation: 'Endpoint ports are named after the ports of the entry, and a unix socket has none.',
  },
  XEB0504: {
    title: 'many hosts on a TCP port',
    explanation: 'Plain TCP does not say which host it wants, so an entry with a TCP port has one host.',
  },
  XEB0505: {
    title: 'address block and resolution',
    explanation: 'Blocks of addresses work with the resolutions NONE and STATIC only.',
  },
  XEB0506: { title: 'selector and endpoints', explanation: 'Endpoints are listed or selected, not both.' },
  XEB0508: { title: 'probe', explanation: 'A probe checks by httpGet, tcpSocket, grpc or exec.' },
} satisfies Record<string, CodeText>;

const sidecar = {
  XEB0601: {
    title: 'empty Sidecar',
    explanation: 'A Sidecar sets ingress, egress, inboundConnectionPool or outboundTrafficPolicy.',
  },
  XEB0602: {
    title: 'egress order',
    explanation: 'One egress listener may be without a port; it takes the rest, so it is the last.',
  },
  XEB0603: {
    title: 'egress host',
    explanation: 'A host is namespace/dnsName; the namespace may be *, . or ~, the name * or a full name.',
  },
  XEB0604: {
    title: 'default endpoint',
    explanation: 'Traffic goes to 127.0.0.1:port, 0.0.0.0:port, [::1]:port, [::]:port, :port or unix:///path.',
  },
  XEB0605: {
    title: 'listener address',
    explanation: 'Port 0 means a unix socket, which cannot be captured by iptables.',
  },
  XEB0606: {
    title: 'ingress TLS',
    explanation: 'A sidecar terminates TLS with certificate files only, on TLS or HTTPS ports.',
  },
  XEB0607: { title: 'egress proxy', explanation: 'An egress proxy is a host and port, used with ALLOW_ANY.' },
} satisfies Record<string, CodeText>;

const envoyFilter = {
  XEB0701: {
    title: 'patch incomplete',
    explanation: 'A patch says where (applyTo), how (operation) and, except for REMOVE, what (value).',
  },
  XEB0702: {
    title: 'match does not fit',
    explanation: 'The object that is matched is of another class than the object that is patched.',
  },
  XEB0703: {
    title: 'filter match',
    explanation: 'A filter is matched by name; a sub-filter only inside the HTTP connection manager.',
  },
  XEB0704: {
    title: 'classic filter incomplete',
    explanation: 'A filter has a type, a name and a configuration, and a position that exists.',
  },
  XEB0705: {
    title: 'target reference',
    explanation: 'Targets are Services, ServiceEntries, Gateways or GatewayClasses of the own namespace, by name.',
  },
} satisfies Record<string, CodeText>;

const mesh = {
  XEB0901: {
    title: 'not host:port',
    explanation: 'Addresses of servers are host:port, with a host name or an IP address.',
  },
  XEB0902: {
    title: 'drain time',
    explanation: 'Drain times are whole seconds up to one hour, and the parent waits longer than the drain.',
  },
  XEB0903: { title: 'mesh setting missing', explanation: 'The mesh cannot work without this setting.' },
  XEB0904: {
    title: 'mesh setting not usable',
    explanation: 'The value is known, but cannot be used for the whole mesh.',
  },
  XEB0905: {
    title: 'mesh network',
    explanation:
      'A network lists its endpoints by block or registry, and its gateways by service or address, each with a port.',
  },
  XEB0906: {
    title: 'extension provider',
    explanation: 'A provider has a unique name, one type, and where it is: service and port. Others keep working.',
  },
  XEB0907: {
    title: 'trust domain',
    explanation: 'A trust domain is a DNS name in lower-case letters; it is part of every identity.',
  },
} satisfies Record<string, CodeText>;

/** Every code an object's issues may have, and what it means. Codes never change their meaning. */
export const codes = {
  ...reading,
  ...shared,
  ...virtualService,
  ...destinationRule,
  ...gateway,
  ...serviceEntry,
  ...sidecar,
  ...envoyFilter,
  ...mixerCodes,
  ...observabilityCodes,
  ...securityCodes,
  ...mesh,
};

export type IssueCode = keyof typeof codes;
