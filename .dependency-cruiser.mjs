// The import law of docs/adr and ARCHITECTURE: a folder imports only downwards, and only the edges know the outside.
// tools/import-law/ holds a tree that breaks every rule here once; the gate demands that each is reported.

/** Top to bottom. What stands on one line may not import each other. */
const layers = [
  ['main.ts'],
  ['cli'],
  ['local'],
  ['app'],
  ['pilot', 'galley', 'citadel', 'mixer', 'injector', 'webhooks'],
  ['xds'],
  ['kube', 'rpc', 'http'],
  ['model'],
  ['apis'],
  ['telemetry'],
  ['kit', 'gen'],
];

/** Tests reach wherever they need to; what is under testing/ is part of a test. */
const tests = String.raw`\.test\.ts$|/testing/`;

/** @param {readonly string[]} names */
function inSource(names) {
  return `^src/(${names.map((name) => (name.endsWith('.ts') ? `${name.replace('.', String.raw`\.`)}$` : `${name}/`)).join('|')})`;
}

/** @param {string} names a regular expression of package names */
function packages(names) {
  return `(^|node_modules/)(${names})(/|$)`;
}

/** @param {string} names a regular expression of Node's own modules */
function builtins(names) {
  return `^(node:)?(${names})(/|$)`;
}

/** One rule per folder: everything above it, and everything beside it, is out of reach. */
const downwards = layers.flatMap((beside, level) =>
  beside.flatMap((name) => {
    const forbidden = [...layers.slice(0, level).flat(), ...beside.filter((other) => other !== name)];
    if (forbidden.length === 0) return [];
    return [
      {
        name: `${name}-imports-downwards`,
        comment:
          'A folder imports only what is below it. What it needs from elsewhere is an interface of its own, handed over in app/assemble.ts.',
        severity: 'error',
        from: { path: inSource([name]), pathNot: tests },
        to: { path: inSource(forbidden) },
      },
    ];
  }),
);

/**
 * @param {string} name
 * @param {string} comment
 * @param {string} allowed the only files that may
 * @param {object} to
 */
function only(name, comment, allowed, to) {
  return { name, comment, severity: 'error', from: { path: '^src/', pathNot: `${allowed}|${tests}` }, to };
}

/**
 * @param {string} name
 * @param {string} comment
 * @param {string} from
 * @param {object} to
 */
function never(name, comment, from, to) {
  return { name, comment, severity: 'error', from: { path: from, pathNot: tests }, to };
}

const edges = [
  only(
    'kubernetes-only-in-kube',
    'One edge talks to the Kubernetes API. Types of its objects may be used anywhere.',
    '^src/kube/',
    {
      path: packages('@kubernetes/[^/]+|undici'),
      dependencyTypesNot: ['type-only'],
    },
  ),
  only('grpc-only-in-rpc', 'One edge speaks gRPC, so that it can be replaced.', '^src/rpc/', {
    path: packages('@grpc/[^/]+'),
  }),
  only('http-only-in-http', 'One edge serves HTTP.', '^src/http/', { path: builtins('http|https|http2') }),
  only(
    'process-only-in-main',
    'Only the process edge knows its process; all else is handed what it needs.',
    String.raw`^src/main\.ts$`,
    {
      path: builtins('process'),
    },
  ),
  only(
    'zod-only-in-apis',
    'Objects are parsed once, on the way in. Inside there are plain types.',
    String.raw`^src/(apis/|app/config\.ts$)`,
    {
      path: packages('zod'),
    },
  ),
  only('logging-only-in-telemetry', 'Everyone else takes a Logger and Metrics.', '^src/telemetry/', {
    path: packages('pino|prom-client'),
  }),
  only('protobuf-only-in-gen', 'Two libraries of protobuf, and their traps, stay behind src/gen.', '^src/gen/', {
    path: packages('protobufjs|@bufbuild/[^/]+'),
  }),
  only(
    'timers-only-in-clock',
    'Time comes from the Clock that was handed in, or tests cannot own it.',
    String.raw`^src/kit/system-clock\.ts$`,
    {
      path: builtins('timers'),
    },
  ),
];

const purity = [
  never('translate-is-pure', 'Translation is a function of its parameters: nothing of Node.', '^src/pilot/translate/', {
    dependencyTypes: ['core'],
  }),
  never(
    'translate-meets-no-edge',
    'Translation is a function of its parameters: no logger, no edge.',
    '^src/pilot/translate/',
    {
      path: inSource(['telemetry', 'kube', 'rpc', 'http']),
    },
  ),
  never(
    'translate-runs-no-protocol',
    'What is translated is described in xds’s types; sending it is another’s work.',
    '^src/pilot/translate/',
    {
      path: inSource(['xds']),
      dependencyTypesNot: ['type-only'],
    },
  ),
  never('xds-knows-no-istio', 'The protocol could be published as a library.', '^src/xds/', {
    path: inSource(['model', 'apis', 'kube', 'http']),
  }),
  never(
    'model-knows-no-protobuf',
    'Envoy’s messages are an output, not a way to think.',
    inSource(['model', 'apis', 'telemetry', 'kube', 'http']),
    {
      path: inSource(['gen']),
    },
  ),
  never(
    'local-drives-app',
    'Local mode runs the same process as everywhere, and shares the injector’s pure rules.',
    '^src/local/',
    {
      path: inSource(['pilot', 'galley', 'citadel', 'mixer', 'xds']),
    },
  ),
  never(
    'kit-needs-no-package',
    'The kit is four lines here and there; a package belongs to whoever has the problem.',
    '^src/kit/',
    {
      dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'],
    },
  ),
];

const hygiene = [
  never('tests-stay-out-of-the-product', 'What is built for tests is not shipped.', '^src/', { path: tests }),
  never('source-stays-in-src', 'Only src/ is shipped.', '^src/', { path: '^(test|tools|bench)/' }),
  {
    name: 'no-cycles',
    comment: 'Files that load each other cannot be read, or initialised, in any order. Types may refer to each other.',
    severity: 'error',
    from: { path: '^src/' },
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'everything-resolves',
    comment: 'An import that resolves to nothing is a rule that checks nothing.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/gen/' },
    to: { couldNotResolve: true },
  },
  {
    name: 'only-declared-packages',
    comment: 'A package used at run time is a dependency, not somebody else’s.',
    severity: 'error',
    from: { path: '^src/', pathNot: tests },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
  },
];

export default {
  forbidden: [...downwards, ...edges, ...purity, ...hygiene],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
