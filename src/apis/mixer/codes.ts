import type { CodeText } from '../codes.ts';

/** What is said about the kinds of `config.istio.io`. */
export const mixerCodes = {
  XEB0451: {
    title: 'rule does nothing',
    explanation: 'A rule sends instances to a handler, or changes headers. Istio leaves out a rule that does neither.',
  },
  XEB0452: {
    title: 'reference of a rule',
    explanation:
      'Handlers and instances are named as name, name.namespace or name.kind.namespace, once each. What cannot be found is left out.',
  },
  XEB0453: {
    title: 'adapter of a handler',
    explanation:
      'A handler names one adapter: compiledAdapter one that is built in, adapter one that runs elsewhere and has a connection.',
  },
  XEB0454: {
    title: 'template of an instance',
    explanation:
      'An instance names one template: compiledTemplate one that is built in, template one that is an object.',
  },
  XEB0455: {
    title: 'attribute',
    explanation:
      'An attribute has a name of letters, digits and _ in parts with dots, and a type. Expressions see no other.',
  },
  XEB0456: {
    title: 'descriptor',
    explanation: 'Adapters and templates bring their protobuf descriptors, a FileDescriptorSet in base64.',
  },
  XEB0457: {
    title: 'reference to a service',
    explanation: 'A service is meant by name (with namespace and domain) or by service, a host; not by both.',
  },
  XEB0458: {
    title: 'quota',
    explanation: 'A quota rule charges at least one quota, by its name, with a charge of 1 or more.',
  },
  XEB0459: {
    title: 'API pattern',
    explanation: 'A pattern has an HTTP method, and a uriTemplate or a regex that is not empty.',
  },
  XEB0460: {
    title: 'API key',
    explanation: 'A key is looked for in a query parameter, a header or a cookie, by name.',
  },
  XEB0461: {
    title: 'binding incomplete',
    explanation: 'A binding lists at least one service, and at least one specification by name.',
  },
  XEB0462: {
    title: 'attribute value',
    explanation: 'A value is given with its type, is not empty, and has the form of its type.',
  },
  XEB0463: {
    title: 'connection of a handler',
    explanation: 'An adapter that runs elsewhere has an address, and what its authentication needs.',
  },
  XEB0464: {
    title: 'header operation',
    explanation:
      'An operation names a header; REPLACE and APPEND have values, which are expressions, and REMOVE has none.',
  },
} satisfies Record<string, CodeText>;
