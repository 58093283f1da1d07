/** What the schemas of the CRDs refuse without a webhook, in the words of the API server: what, spec, what is said. */
type Refused = readonly [name: string, what: string, spec: object, problem: string];

const server = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] };
const rule = { actions: [{ handler: 'a', instances: ['b'] }] };
const quota = { rules: [{ quotas: [{ quota: 'a', charge: 1 }] }] };

const routed = { hosts: ['a.com'], http: [{ route: [{ destination: { host: 'a' } }] }] };

export const refusedBySchema: readonly Refused[] = [
  [
    'text for a number',
    'networking.istio.io/v1 Gateway',
    { servers: [{ ...server, port: { number: 'http' } }] },
    'spec.servers[0].port.number',
  ],
  ['a number for text', 'networking.istio.io/v1 VirtualService', { ...routed, gateways: [5] }, 'spec.gateways[0]'],
  ['one for a list', 'networking.istio.io/v1 VirtualService', { hosts: 'a.com' }, 'spec.hosts: Invalid value'],
  [
    'what is demanded',
    'networking.istio.io/v1 VirtualService',
    { http: [{ route: [{ destination: {} }] }] },
    'spec.http[0].route[0].destination.host: Required value',
  ],
  [
    'an unknown name',
    'networking.istio.io/v1 ServiceEntry',
    { hosts: ['a.com'], resolution: 'GUESS' },
    'spec.resolution: Unsupported value: "GUESS"',
  ],
  [
    'too large a number',
    'networking.istio.io/v1 ServiceEntry',
    { hosts: ['a.com'], ports: [{ number: 4_294_967_296 }] },
    'spec.ports[0].number',
  ],
  [
    'a negative number',
    'networking.istio.io/v1 ServiceEntry',
    { hosts: ['a.com'], ports: [{ number: -1 }] },
    'spec.ports[0].number',
  ],
  [
    'two of one',
    'networking.istio.io/v1 DestinationRule',
    { host: 'a', trafficPolicy: { loadBalancer: { simple: 'RANDOM', consistentHash: {} } } },
    'spec.trafficPolicy.loadBalancer',
  ],
  [
    'two of two',
    'networking.istio.io/v1 DestinationRule',
    { host: 'a', trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true, httpHeaderName: 'a' } } } },
    'spec.trafficPolicy.loadBalancer.consistentHash',
  ],
  [
    'none of one',
    'extensions.istio.io/v1alpha1 TrafficExtension',
    { phase: 'AUTHN' },
    'must validate one and only one schema (oneOf)',
  ],
  [
    'an unknown phase',
    'extensions.istio.io/v1alpha1 WasmPlugin',
    { url: 'a', phase: 'LAST' },
    'spec.phase: Unsupported value: "LAST"',
  ],
  [
    'an unknown mode',
    'telemetry.istio.io/v1alpha1 Telemetry',
    { tracing: [{ match: { mode: 'INBOUND' } }] },
    'spec.tracing[0].match.mode',
  ],
  [
    'two tags',
    'telemetry.istio.io/v1 Telemetry',
    { tracing: [{ customTags: { a: { literal: {}, header: {} } } }] },
    'spec.tracing[0].customTags.a',
  ],
  [
    'an unknown action',
    'security.istio.io/v1 AuthorizationPolicy',
    { action: 'PERMIT' },
    'spec.action: Unsupported value: "PERMIT"',
  ],
  ['an unknown TLS mode', 'security.istio.io/v1beta1 PeerAuthentication', { mtls: { mode: 'ON' } }, 'spec.mtls.mode'],
  ['a number as match', 'config.istio.io/v1alpha2 rule', { ...rule, match: 5 }, 'spec.match'],
  [
    'an unknown operation',
    'config.istio.io/v1alpha2 rule',
    { ...rule, requestHeaderOperations: [{ name: 'a', operation: 'SET' }] },
    'spec.requestHeaderOperations[0].operation',
  ],
  ['text as parameters', 'config.istio.io/v1alpha2 handler', { compiledAdapter: 'denier', params: 'a' }, 'spec.params'],
  [
    'two authentications',
    'config.istio.io/v1alpha2 handler',
    { adapter: 'a', connection: { authentication: { tls: {}, mutual: {} } } },
    'spec.connection.authentication',
  ],
  [
    'a list of bindings',
    'config.istio.io/v1alpha2 instance',
    { compiledTemplate: 'kubernetes', attributeBindings: ['a'] },
    'spec.attributeBindings',
  ],
  [
    'an unknown type',
    'config.istio.io/v1alpha2 attributemanifest',
    { attributes: { a: { valueType: 'TEXT' } } },
    'spec.attributes.a.valueType',
  ],
  ['text for a switch', 'config.istio.io/v1alpha2 adapter', { sessionBased: 'no' }, 'spec.sessionBased'],
  ['an object for text', 'config.istio.io/v1alpha2 template', { descriptor: {} }, 'spec.descriptor'],
  [
    'two values',
    'config.istio.io/v1alpha2 HTTPAPISpec',
    { attributes: { attributes: { a: { stringValue: 'a', boolValue: true } } } },
    'spec.attributes.attributes.a',
  ],
  [
    'half a charge',
    'config.istio.io/v1alpha2 QuotaSpec',
    { ...quota, rules: [{ quotas: [{ charge: 0.5 }] }] },
    'spec.rules[0].quotas[0].charge',
  ],
];
