// What the compiler cannot hold: promises nobody waits for, unfinished switches, the clock, the process, and the limits of size.
// Layout is biome's. A ban says what to do instead; an exception says why, after `--`.
import tseslint from 'typescript-eslint';

/** Everything that reads the time or waits for it. */
const clock =
  'Take a Clock: tests own time, and every wait ends with its signal. Only src/kit/system-clock.ts meets the real one.';
const clockGlobals = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'];
const clockProperties = [
  { object: 'Date', property: 'now', message: clock },
  { object: 'AbortSignal', property: 'timeout', message: clock },
];
const clockSyntax = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clock },
  { selector: 'CallExpression[callee.name="Date"]', message: clock },
];

const processGlobal = {
  name: 'process',
  message: 'Only src/main.ts knows its process: take what you need as a parameter.',
};
const consoleGlobal = {
  name: 'console',
  message: 'Take a Logger (fields, levels), or a writer if the output is the result.',
};

const sourceSyntax = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only: a thing has one name everywhere.' },
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that has it.' },
];

const translateSyntax = [
  { selector: ':function[async=true]', message: 'Translation is pure: it waits for nothing.' },
  { selector: 'AwaitExpression', message: 'Translation is pure: it waits for nothing.' },
];

/** @type {import('eslint').Linter.RulesRecord} */
const limits = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 60 }],
  complexity: ['error', { max: 12 }],
  'max-params': ['error', { max: 4 }],
  'max-depth': ['error', { max: 3 }],
};

/** @type {import('eslint').Linter.RulesRecord} */
const typed = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
  ],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-unsafe-argument': 'error',
  '@typescript-eslint/no-unsafe-assignment': 'error',
  '@typescript-eslint/no-unsafe-call': 'error',
  '@typescript-eslint/no-unsafe-member-access': 'error',
  '@typescript-eslint/no-unsafe-return': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/prefer-promise-reject-errors': 'error',
  '@typescript-eslint/no-non-null-assertion': 'error',
  '@typescript-eslint/no-base-to-string': 'error',
  '@typescript-eslint/restrict-plus-operands': 'error',
  '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: true }],
  '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
};

/** @type {import('eslint').Linter.RulesRecord} */
const plain = {
  eqeqeq: 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'no-empty': 'error',
  'no-param-reassign': 'error',
  'no-unsafe-finally': 'error',
  'no-constant-condition': 'error',
  'no-dupe-else-if': 'error',
  'no-self-compare': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-useless-catch': 'error',
  'no-control-regex': 'error',
  'no-restricted-syntax': 'off',
};

/** A silenced rule without a reason is a rule somebody will silence again. */
const reasoned = {
  create(/** @type {import('eslint').Rule.RuleContext} */ context) {
    const check = () => {
      for (const comment of context.sourceCode.getAllComments()) {
        const isBare = comment.value.trim().startsWith('eslint-disable') && !/ -- \S/.test(comment.value);
        if (isBare && comment.loc) context.report({ loc: comment.loc, message: 'Say why, after ` -- `.' });
      }
    };
    return { Program: check };
  },
};

const tests = ['**/*.test.ts', '**/testing/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'];
const programs = ['tools/**/*', '*.{ts,mjs,cjs}', 'bin/*'];

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'build', 'src/gen', '.cache', 'coverage', 'tools/import-law/fixture'] },
  {
    files: ['**/*.{ts,mjs,cjs}'],
    plugins: { '@typescript-eslint': tseslint.plugin, local: { rules: { reasoned } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: { ...plain, ...typed, ...limits, 'local/reasoned': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        processGlobal,
        consoleGlobal,
        ...clockGlobals.map((name) => ({ name, message: clock })),
      ],
      'no-restricted-properties': ['error', ...clockProperties],
      'no-restricted-syntax': ['error', ...clockSyntax, ...sourceSyntax],
    },
  },
  {
    files: ['src/pilot/translate/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-properties': [
        'error',
        ...clockProperties,
        { object: 'Math', property: 'random', message: 'Translation is pure: the same input gives the same bytes.' },
      ],
      'no-restricted-syntax': ['error', ...clockSyntax, ...sourceSyntax, ...translateSyntax],
    },
  },
  { files: ['src/main.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    files: ['src/kit/system-clock.ts'],
    rules: { 'no-restricted-globals': ['error', processGlobal, consoleGlobal], 'no-restricted-properties': 'off' },
  },
  {
    // A test reads from top to bottom, and `describe` is one function around all of it; vitest's matchers are typed `any`.
    files: tests,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    // The rules of `any` do not see casts in comments, and plain JavaScript has no others. checkJs still applies.
    files: ['**/*.{mjs,cjs}'],
    rules: Object.fromEntries(
      Object.keys(typed).flatMap((name) => (name.includes('no-unsafe') ? [[name, 'off']] : [])),
    ),
  },
  { files: programs, rules: { 'no-restricted-globals': 'off' } },
);
