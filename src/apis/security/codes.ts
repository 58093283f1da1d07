type CodeText = { readonly title: string; readonly explanation: string };

const authorization = {
  IST0125: {
    title: 'annotation not usable',
    explanation: 'The annotation is known, but not with this value, so it does nothing.',
  },
  XEB0320: {
    title: 'action and rules',
    explanation:
      'DENY and CUSTOM need rules, because without rules nothing is matched. A provider is named for CUSTOM, and only there.',
  },
  XEB0321: {
    title: 'matches nothing in particular',
    explanation: 'A source, an operation and a subject say by at least one field whom or what they mean.',
  },
  XEB0322: {
    title: 'condition',
    explanation:
      'A condition has a key that the mesh knows, such as source.ip or request.headers[x-token], and values or notValues.',
  },
  XEB0323: { title: 'empty value', explanation: 'An empty text in a list matches nothing, and was hardly meant.' },
  XEB0324: {
    title: 'not possible with CUSTOM',
    explanation:
      'Whether an external authorizer is asked is decided before peers and tokens are authenticated, so rules cannot rest on these.',
  },
  XEB0325: {
    title: 'path template',
    explanation:
      'In a path template {*} stands for one segment and {**} for the rest; both are whole segments, and nothing variable follows {**}.',
  },
  XEB0326: {
    title: 'matches never',
    explanation:
      'The value has a form that requests never have. A * stands at the beginning or at the end of a value, or alone.',
  },
  XEB0327: {
    title: 'denies all of TCP',
    explanation:
      'A DENY rule that only names what HTTP has cannot be decided for plain TCP, where it therefore denies everything. Name the ports.',
  },
  XEB0328: {
    title: 'service account',
    explanation:
      'Service accounts are named name or namespace/name, at most 16, without wildcards, and not beside principals or namespaces.',
  },
} satisfies Record<string, CodeText>;

const authentication = {
  XEB0330: {
    title: 'port-level mTLS',
    explanation: 'Modes of single ports are by port number, and only for workloads that a selector names.',
  },
  XEB0331: { title: 'issuer', explanation: 'A token is accepted from an issuer that is named, and named once.' },
  XEB0332: {
    title: 'address of keys',
    explanation: 'Keys are fetched from an http or https URL, or found by the issuer, which then is one.',
  },
  XEB0333: {
    title: 'keys',
    explanation:
      'Keys are a JSON Web Key Set: a JSON object with keys, each of a known type and complete. Public ones.',
  },
  XEB0334: {
    title: 'place of a token or claim',
    explanation: 'Headers, parameters, cookies and claims are named, and headers have legal names.',
  },
  XEB0335: {
    title: 'name and targets',
    explanation:
      'The policy of a whole namespace or of the mesh is named default and has no targets; every other policy has targets.',
  },
  XEB0336: {
    title: 'target of a policy',
    explanation: 'A target is the short name of a service in the own namespace, and ports by number or name.',
  },
  XEB0337: {
    title: 'authentication method',
    explanation: 'A peer is authenticated by mtls or jwt, an origin by jwt.',
  },
} satisfies Record<string, CodeText>;

const rbac = {
  XEB0340: {
    title: 'access rule',
    explanation:
      'A rule names services, and a thing either by what it is or by what it is not: methods or notMethods, ports or notPorts.',
  },
  XEB0341: {
    title: 'constraint',
    explanation: 'A constraint has a key and values, and does not repeat what the rule says by a field.',
  },
  XEB0342: {
    title: 'subject',
    explanation:
      'A subject says who is meant, each thing once: a property does not repeat a field, and * is written as user.',
  },
  XEB0343: {
    title: 'role of a binding',
    explanation: 'A binding gives one thing: roleRef (a ServiceRole), role, or actions.',
  },
  XEB0344: {
    title: 'RBAC configuration',
    explanation:
      'There is one, named default; the modes with inclusion and exclusion have the list they are named after.',
  },
} satisfies Record<string, CodeText>;

/** What is said about the kinds of `security.istio.io`, `authentication.istio.io` and `rbac.istio.io`. */
export const securityCodes = { ...authorization, ...authentication, ...rbac };
