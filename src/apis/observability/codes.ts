import type { CodeText } from '../codes.ts';

/** What is said about the kinds of `telemetry.istio.io` and `extensions.istio.io`. */
export const observabilityCodes = {
  XEB0481: {
    title: 'telemetry provider',
    explanation:
      'A provider is named as in the extensionProviders of the mesh configuration. Traces go to one of them.',
  },
  XEB0482: {
    title: 'metric override',
    explanation:
      'An override matches a metric by name; a tag that is added or changed has a value, a removed one has none.',
  },
  XEB0483: {
    title: 'custom tag',
    explanation:
      'The value of a tag is a literal, a variable of the environment, a request header or a format, and not empty.',
  },
  XEB0484: {
    title: 'Wasm module',
    explanation:
      'A module has a URL (http, https, oci or file), and may have its SHA-256 and the secret of its registry.',
  },
  XEB0485: {
    title: 'variable of a Wasm VM',
    explanation: 'A variable has a name, once, and a value of its own or the one of the host, not both.',
  },
  XEB0486: { title: 'Lua code', explanation: 'Lua code stands inline, with at most 65536 characters.' },
} satisfies Record<string, CodeText>;
