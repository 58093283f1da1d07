// What `kubectl explain` says of a kind and of the fields of its spec.

type Description = { readonly kind: string; readonly spec: Readonly<Record<string, string>> };

const workloads =
  'Labels of the pods that the object is for. Without it, all of the namespace, or of the mesh in the root namespace.';
const exportTo = 'Namespaces that see the object: names, . for its own, or * for all, which is the default.';
const targeted = {
  selector: workloads,
  targetRef: 'What the object is attached to. Use targetRefs.',
  targetRefs:
    'What the object is attached to: Gateways, Services or ServiceEntries of the namespace, instead of a selector.',
};
const authentication = {
  targets: 'Services, by name and perhaps ports, that the policy is for. Without it, all of the namespace.',
  peers: 'How the calling workload is authenticated: mtls, jwt.',
  peerIsOptional: 'Whether requests pass that none of peers authenticates.',
  origins: 'How the end user is authenticated: by a token.',
  originIsOptional: 'Whether requests pass that none of origins authenticates.',
  principalBinding: 'Whose identity is the principal of the request: USE_PEER or USE_ORIGIN.',
};
const rbac = {
  mode: 'Where authorization is in force: OFF, ON, ON_WITH_INCLUSION or ON_WITH_EXCLUSION.',
  inclusion: 'Services and namespaces where it is, with ON_WITH_INCLUSION.',
  exclusion: 'Services and namespaces where it is not, with ON_WITH_EXCLUSION.',
  enforcementMode: 'ENFORCED, or PERMISSIVE to only report what would be denied.',
};
const wasm = {
  url: 'Where the module is: oci://, https://, http://, file://, or an image.',
  sha256: 'The digest of the module or image, 64 hexadecimal digits.',
  imagePullPolicy: 'When an image is pulled: IfNotPresent or Always.',
  imagePullSecret: 'The secret of the registry, in the namespace of the object.',
  verificationKey: 'Not used.',
  pluginConfig: 'What the plugin is configured with.',
  pluginName: 'What the plugin is called in Envoy.',
  failStrategy: 'What happens where the module cannot be loaded: FAIL_CLOSE, FAIL_OPEN or FAIL_RELOAD.',
  vmConfig: 'Variables of the environment of the VM.',
  type: 'Whether it is an HTTP or a NETWORK filter.',
};
const plugin = {
  phase: 'Where in the order of filters it stands: AUTHN, AUTHZ or STATS.',
  priority: 'The order within a phase: higher numbers come first.',
  match: 'The traffic it sees, by mode and ports.',
};
const services = 'Services of the mesh by name, or hosts by service.';

export const descriptions: Readonly<Record<string, Description>> = {
  VirtualService: {
    kind: 'How requests to some hosts are routed: matches, destinations, retries, faults, headers.',
    spec: {
      hosts: 'The hosts whose traffic is routed. Without any, the routes are there for others to delegate to.',
      gateways: 'Where the routes are: Gateways as namespace/name, and mesh for all sidecars, which is the default.',
      http: 'Routes of HTTP requests, in their order: the first that matches decides.',
      tls: 'Routes of TLS connections that are passed on as they are, by server name.',
      tcp: 'Routes of TCP connections, by port.',
      exportTo,
    },
  },
  DestinationRule: {
    kind: 'What happens after routing: subsets, load balancing, connection pools, TLS to a service.',
    spec: {
      host: 'The service that the policy is for.',
      trafficPolicy: 'Load balancing, connection pools, outlier detection and TLS.',
      subsets: 'Named parts of the service, by labels, perhaps with policies of their own.',
      exportTo,
      workloadSelector: 'Labels of the clients that the policy is for.',
    },
  },
  Gateway: {
    kind: 'What listens at the edge of the mesh: ports, protocols, hosts, certificates.',
    spec: {
      selector: 'Labels of the pods that are the gateway.',
      servers: 'What they listen on: port, protocol, hosts and TLS.',
    },
  },
  ServiceEntry: {
    kind: 'A service that Kubernetes does not know, inside or outside of the mesh.',
    spec: {
      hosts: 'The names of the service.',
      addresses: 'Virtual addresses, or blocks of addresses, of the service.',
      ports: 'Its ports and their protocols.',
      location: 'Whether it is in the mesh: MESH_INTERNAL or MESH_EXTERNAL.',
      resolution: 'How its addresses are found: NONE, STATIC, DNS, DNS_ROUND_ROBIN or DYNAMIC_DNS.',
      endpoints: 'Where it runs.',
      workloadSelector: 'Labels of the pods and WorkloadEntries where it runs, instead of endpoints.',
      exportTo,
      subjectAltNames: 'Names that its certificates may have.',
    },
  },
  WorkloadEntry: {
    kind: 'A workload that is no pod, such as a virtual machine.',
    spec: {
      address: 'Its IP address, host name or unix socket.',
      ports: 'Its ports, by the names of the ports of the service.',
      labels: 'The labels that services select it by.',
      network: 'The network that it is in.',
      locality: 'Where it is: region/zone/subzone.',
      weight: 'Its share of the traffic, compared with others.',
      serviceAccount: 'Its identity.',
    },
  },
  WorkloadGroup: {
    kind: 'What workloads that register themselves have in common.',
    spec: {
      metadata: 'Labels and annotations of their WorkloadEntries.',
      template: 'What their WorkloadEntries are made from.',
      probe: 'How their health is checked.',
    },
  },
  Sidecar: {
    kind: 'What a sidecar listens on, and which services it can reach.',
    spec: {
      workloadSelector: 'Labels of the pods that it is for. Without it, all of the namespace.',
      ingress: 'What the sidecar listens on for its workload.',
      egress: 'Which services its workload can reach, by namespace and host.',
      inboundConnectionPool: 'Limits of connections to the workload.',
      outboundTrafficPolicy: 'What happens to traffic to hosts that nobody knows: ALLOW_ANY or REGISTRY_ONLY.',
    },
  },
  EnvoyFilter: {
    kind: 'Patches to the Envoy configuration that is generated.',
    spec: {
      workloadSelector: workloads,
      targetRefs: targeted.targetRefs,
      configPatches: 'What is patched, where and how.',
      priority: 'The order among EnvoyFilters: lower numbers come first.',
      workloadLabels: 'Labels of the pods, as Istio 1.1 wrote them. Use workloadSelector.',
      filters: 'Filters to insert, as Istio 1.1 wrote them. Use configPatches.',
    },
  },
  ProxyConfig: {
    kind: 'Settings of the proxies of some workloads.',
    spec: {
      selector: workloads,
      concurrency: 'How many threads a proxy has.',
      environmentVariables: 'Variables of the environment of the proxy.',
      image: 'The image of the proxy.',
    },
  },
  AuthorizationPolicy: {
    kind: 'Who may do what at some workloads.',
    spec: {
      ...targeted,
      rules: 'The requests it is for: from whom, to what, when. None matches nothing; an empty one matches everything.',
      action: 'What is done with them: ALLOW, DENY, AUDIT or CUSTOM.',
      provider: 'Who decides, with CUSTOM: an extension provider of the mesh configuration.',
    },
  },
  PeerAuthentication: {
    kind: 'Whether workloads demand mutual TLS.',
    spec: {
      selector: workloads,
      mtls: 'Whether connections must be, may be or are not mutual TLS.',
      portLevelMtls: 'The same for single ports of the workload.',
    },
  },
  RequestAuthentication: {
    kind: 'Which tokens of end users some workloads accept.',
    spec: { ...targeted, jwtRules: 'Issuers of tokens, their keys, and where tokens are found.' },
  },
  Policy: { kind: 'How requests to services of a namespace are authenticated (classic).', spec: authentication },
  MeshPolicy: {
    kind: 'How requests are authenticated where no Policy says otherwise (classic).',
    spec: authentication,
  },
  ServiceRole: {
    kind: 'A set of permissions in a namespace (classic).',
    spec: { rules: 'Services, paths and methods.' },
  },
  ServiceRoleBinding: {
    kind: 'Who has a ServiceRole (classic).',
    spec: {
      subjects: 'Who has it: users, groups, properties.',
      mode: 'ENFORCED, or PERMISSIVE to only report what would be denied.',
      roleRef: 'The ServiceRole.',
      role: 'The name of the ServiceRole.',
      actions: 'What the subjects may do, without a ServiceRole.',
    },
  },
  RbacConfig: { kind: 'Where classic authorization is in force; use ClusterRbacConfig.', spec: rbac },
  ClusterRbacConfig: { kind: 'Where classic authorization is in force.', spec: rbac },
  Telemetry: {
    kind: 'Traces, metrics and access logs of some workloads.',
    spec: {
      ...targeted,
      tracing: 'Where traces go, how many, and what is in them.',
      metrics: 'Which metrics there are, and with which tags.',
      accessLogging: 'Where access logs go, and what is logged.',
    },
  },
  WasmPlugin: {
    kind: 'A WebAssembly module in the proxies of some workloads.',
    spec: { ...targeted, ...wasm, ...plugin },
  },
  TrafficExtension: {
    kind: 'A WebAssembly module or Lua code in the proxies of some workloads.',
    spec: {
      selector: targeted.selector,
      targetRefs: targeted.targetRefs,
      ...plugin,
      wasm: 'A WebAssembly module.',
      lua: 'Lua code.',
    },
  },
  rule: {
    kind: 'Which instances are sent to which handler, and when (classic Mixer).',
    spec: {
      match: 'An expression over attributes. Empty, or true: always.',
      actions: 'Which instances are sent to which handler.',
      requestHeaderOperations: 'Changes to headers of the request.',
      responseHeaderOperations: 'Changes to headers of the response.',
      sampling: 'Not used, as in Istio 1.4.',
    },
  },
  handler: {
    kind: 'An adapter with its parameters (classic Mixer).',
    spec: {
      name: 'Not used: the name is metadata.name.',
      compiledAdapter: 'An adapter that is built in.',
      adapter: 'An adapter that runs in a process of its own.',
      params: 'Parameters of the adapter.',
      connection: 'Where an adapter of its own is.',
    },
  },
  instance: {
    kind: 'What an adapter is told about a request: a template, filled with expressions (classic Mixer).',
    spec: {
      name: 'Not used: the name is metadata.name.',
      compiledTemplate: 'A template that is built in.',
      template: 'A template that is an object.',
      params: 'Expressions for the fields of the template.',
      attributeBindings: 'Attributes that are made from the output of the adapter.',
    },
  },
  attributemanifest: {
    kind: 'Attributes that expressions may use, with their types (classic Mixer).',
    spec: {
      revision: 'The revision of the manifest.',
      name: 'Who makes the attributes.',
      attributes: 'The attributes by name, each with its type.',
    },
  },
  adapter: {
    kind: 'An adapter that runs in a process of its own (classic Mixer).',
    spec: {
      name: 'Not used: the name is metadata.name.',
      description: 'What it does.',
      templates: 'The templates that it takes.',
      config: 'The descriptor of its parameters, in base64.',
      sessionBased: 'Whether it has sessions.',
    },
  },
  template: {
    kind: 'The form of what an adapter is told (classic Mixer).',
    spec: { descriptor: 'Its protobuf descriptor, in base64.' },
  },
  HTTPAPISpec: {
    kind: 'The operations of an HTTP API, by method and path (classic Mixer).',
    spec: {
      attributes: 'Attributes of all requests of the API.',
      patterns: 'Its operations, by method and path, with attributes of their own.',
      apiKeys: 'Where the key of a request is found; the first that is there is taken.',
    },
  },
  HTTPAPISpecBinding: {
    kind: 'Which services have which HTTPAPISpec (classic Mixer).',
    spec: { services, apiSpecs: 'The HTTPAPISpecs that they have.' },
  },
  QuotaSpec: {
    kind: 'Which quotas requests are charged to (classic Mixer).',
    spec: { rules: 'Requests by their attributes, and what each is charged.' },
  },
  QuotaSpecBinding: {
    kind: 'Which services have which QuotaSpec (classic Mixer).',
    spec: { services, quotaSpecs: 'The QuotaSpecs that they have.' },
  },
};
