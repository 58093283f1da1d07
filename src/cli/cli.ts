import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type ResourceType, resourceTypes } from '../app/config-dump.ts';
import type { DataFormat } from '../app/render-data.ts';
import type { LocalIo } from '../local/local-io.ts';
import { runCheck } from './check.ts';
import { runConfigDump } from './config-dump.ts';
import { help, renderExamples, renderExitCodes } from './help.ts';
import { EXIT } from './io.ts';
import { runLocalCommand } from './local.ts';
import { runServe } from './serve.ts';
import { runValidate, validateDefaults } from './validate.ts';
import { VERSION } from './version.ts';
import { addXdsOptions } from './xds-options.ts';

/** Parses the command line and runs what it asks for; resolves to the exit code. */
export async function runCli(args: readonly string[], io: LocalIo): Promise<number> {
  if (args[0] === 'local') return runLocalCommand(args.slice(1), io);
  if (args[0] === 'help' && args[1] === 'local') return runLocalCommand(['help', ...args.slice(2)], io);
  let exitCode: number = EXIT.fine;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = makeProgram(io, finish);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  }
  return exitCode;
}

function makeProgram(io: LocalIo, finish: (code: number) => void): Command {
  const program = new Command('xebec')
    .description('The classic Istio control plane for stock Envoy.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(xebec --help lists the commands)')
    .addHelpText('before', renderExamples(help.xebec))
    .addHelpText('after', renderExitCodes(help.xebec));
  addServe(program, io, finish);
  addCheck(program, io, finish);
  addConfigDump(program, io, finish);
  addValidate(program, io, finish);
  program.command('local').description('a mesh on this machine, without Kubernetes').helpOption(false);
  return program;
}

/** A command whose help begins with examples and ends with exit codes, and whose errors lead there. */
function addCommand(program: Command, name: Exclude<keyof typeof help, 'xebec'>): Command {
  return program
    .command(name)
    .showHelpAfterError(`(xebec ${name} --help explains)`)
    .addHelpText('before', renderExamples(help[name]))
    .addHelpText('after', renderExitCodes(help[name]));
}

function addServe(program: Command, io: LocalIo, finish: (code: number) => void): void {
  const serve = addXdsOptions(addCommand(program, 'serve'))
    .description(
      'serve a folder of YAML, or a cluster, to Envoys over xDS; each flag is also a variable, such as XEBEC_SOURCE',
    )
    .option('--source <dir>', 'a folder of YAML, watched')
    .option('--kubernetes', 'read the mesh from the Kubernetes API of this cluster, or of the kubeconfig')
    .option('--kubeconfig <file>', 'the kubeconfig (default: KUBECONFIG or ~/.kube/config, outside of a cluster)')
    .option('--context <name>', 'the context of the kubeconfig (default: its current one)')
    .option(
      '--config-source <list>',
      'take Istio’s configuration from xds://host:port, mcp://host:port or fs:///folder',
    )
    .option('--namespace <name>', 'the root namespace, where xebec runs (default: istio-system)')
    .option(
      '--secret-namespaces <list>',
      'where Secrets with the certificates of gateways are read, or * (default: the root namespace)',
    )
    .option('--replica <name>', 'the name of this replica, for leader election (default: the pod’s name)')
    .option('--service <name>', 'the Service whose endpoints are the replicas (default: xebec)')
    .option('--mesh-config <file>', 'a MeshConfig file, watched; has the say over the ConfigMap istio')
    .option('--controllers <list>', 'which controllers run (default: all)')
    .option('--admin <address>', 'where health, metrics and debug pages are (default: 127.0.0.1:8080)')
    .option(
      '--monitoring <address>',
      'where health and metrics alone are, for probes and Prometheus (default: nowhere)',
    )
    .option('--webhook <address>', 'where admission reviews are answered over HTTPS (default: nowhere)')
    .option('--webhook-cert-file <file>', 'certificate of the webhook, watched (default: xebec makes one)')
    .option('--webhook-key-file <file>', 'its key')
    .option('--mcp <address>', 'where verified configuration is served over MCP (default: nowhere)')
    .option('--jwks-ca <file>', 'authorities to trust beside the system’s where keys of tokens are fetched')
    .option(
      '--jwks-allowed-cidrs <list>',
      'where keys of tokens may be fetched beside the internet, such as 10.96.0.0/12 (default: nowhere)',
    );
  addIdentityOptions(serve)
    .option('--domain <suffix>', 'DNS suffix of the Kubernetes cluster (default: cluster.local)')
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .option('--debounce-after <duration>', 'a storm of changes is over after this much quiet (default: 100ms)')
    .option('--debounce-max <duration>', 'the longest a storm may hold a push (default: 10s)')
    .action(async (options: Readonly<Record<string, string>> & { readonly kubernetes?: true }) => {
      const { kubernetes, ...texts } = options;
      const named = Object.entries(texts).map(([option, text]) => [settingOf[option] ?? option, text] as const);
      const flags = { ...Object.fromEntries(named), ...(kubernetes === undefined ? {} : { kubernetes: 'true' }) };
      finish(await runServe(flags, io));
    });
}

/** Of Citadel: who signs, for whom, and for how long. */
function addIdentityOptions(serve: Command): Command {
  return serve
    .option('--ca-certs-folder <dir>', 'the signing certificate of the mesh in files, watched (default: from Secrets)')
    .option('--root-cert-file <file>', 'roots of other meshes to trust too, watched')
    .option('--workload-cert-ttl <lifetime>', 'how long a workload certificate lives (default: 24h)')
    .option('--max-workload-cert-ttl <lifetime>', 'the longest life that a workload may ask for (default: 90d)')
    .option('--ca-cert-ttl <lifetime>', 'how long a root lives that xebec makes (default: 3650d)')
    .option('--root-announce <duration>', 'how long everybody is told of a new root before it signs (default: 24h)')
    .option(
      '--workload-cert-grace-period-ratio <share>',
      'which share of its life a workload certificate has left when it is renewed (default: 0.5)',
    )
    .option('--workload-cert-min-grace-period <lifetime>', 'how long that is at least (default: 10m)')
    .option(
      '--citadel-enable-namespaces-by-default <bool>',
      'whether accounts get identities where the labels of their namespace do not say (default: true)',
    )
    .option('--listened-namespaces <list>', 'the only namespaces whose accounts get identities (default: all)');
}

/** Settings that are not called as their flags are. */
const settingOf: Readonly<Record<string, string>> = {
  configSource: 'configSources',
  debounceAfter: 'debounceAfterMs',
  debounceMax: 'debounceMaxMs',
  workloadCertTtl: 'workloadCertTtlMs',
  maxWorkloadCertTtl: 'maxWorkloadCertTtlMs',
  caCertTtl: 'caCertTtlMs',
  rootAnnounce: 'rootAnnounceMs',
  workloadCertMinGracePeriod: 'workloadCertMinGraceMs',
  caTrustedNodeAccounts: 'trustedNodeAccounts',
};

function addCheck(program: Command, io: LocalIo, finish: (code: number) => void): void {
  addCommand(program, 'check')
    .description('check a control plane in a cluster, and say what to do where something is wrong')
    .option('--kubeconfig <file>', 'the kubeconfig (default: KUBECONFIG or ~/.kube/config, outside of a cluster)')
    .option('--context <name>', 'the context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', 'where xebec runs (default: istio-system)')
    .option('--service <name>', 'its Service, which its account is called after too (default: xebec)')
    .option('--domain <suffix>', 'DNS suffix of the Kubernetes cluster (default: cluster.local)')
    .option('--controllers <list>', 'which controllers it runs (default: all)')
    .option('--config-source <list>', 'where its configuration comes from, if not from this cluster')
    .option('--secret-namespaces <list>', 'where it reads Secrets of gateways, or * (default: its own namespace)')
    .option('--listened-namespaces <list>', 'the only namespaces whose accounts it gives identities (default: all)')
    .option('--monitoring <address>', 'where its port 15014 is, seen from here (default: the Service, in a cluster)')
    .option('--xds <address>', 'where its port 15012 is, seen from here (default: the Service, in a cluster)')
    .option(
      '--token-file <file>',
      'in a pod, a token of its account for xDS, for the audience istio-ca (default: none)',
    )
    .option('--no-webhook', 'it has no webhook')
    .option('--no-xds', 'it serves no xDS over TLS')
    .option('--wait <duration>', 'how long what fails may take to come right, such as 60s', parseSeconds, 0)
    .option('-o, --output <format>', 'table, yaml or json', parseFormat, 'table')
    .option('--fail-on <level>', 'the least level that is a failure: error or warning', parseLevel, 'error')
    .option('--no-color', 'no colour even on a terminal')
    .action(async (options: CheckOptions) => {
      const { webhook, xds, wait, output, failOn, color, configSource, tokenFile, ...rest } = options;
      const flags = {
        ...rest,
        ...(configSource === undefined ? {} : { configSources: configSource }),
        ...(typeof xds === 'string' ? { xds } : {}),
      };
      const expected = { hasWebhook: webhook, hasXds: xds !== false, tokenFile };
      const args = { flags, output, failOn, noColor: !color, ...expected, waitMs: wait };
      finish(await runCheck(args, io, io.clock));
    });
}

type CheckOptions = {
  readonly webhook: boolean;
  readonly xds?: string | false;
  readonly tokenFile?: string;
  readonly wait: number;
  readonly output: 'table' | DataFormat;
  readonly failOn: 'error' | 'warning';
  readonly color: boolean;
  readonly configSource?: string;
} & Readonly<Partial<Record<PlainCheckOption, string>>>;

type PlainCheckOption = 'kubeconfig' | 'context' | 'namespace' | 'service' | 'domain' | 'controllers' | 'monitoring';

function parseSeconds(text: string): number {
  const match = /^(\d+)(s|m)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('write 60s or 2m.');
  return Number(match[1]) * (match[2] === 'm' ? 60_000 : 1_000);
}

function addConfigDump(program: Command, io: LocalIo, finish: (code: number) => void): void {
  addCommand(program, 'config-dump')
    .description('print what a proxy would get, without any server')
    .requiredOption('--source <path>', 'a folder of YAML, or one file (required)')
    .requiredOption('--proxy <node id>', 'type~ip~name.namespace~domain (required)')
    .option('--mesh-config <file>', 'a MeshConfig file')
    .option('--domain <suffix>', 'DNS suffix of the Kubernetes cluster', 'cluster.local')
    .option('--type <types>', `some of ${Object.keys(resourceTypes).join(',')}`, parseTypes)
    .option('--name <text>', 'only resources whose name contains the text')
    .option(
      '--metadata <key=value>',
      'node metadata, such as DNS_CAPTURE=true, LABELS={"app":"web"}, or IDENTITY_FOLDER=/etc/certs for a proxy with certificates; may be repeated',
      collectMetadata,
      {},
    )
    .option('-o, --output <format>', 'table, yaml or json', parseFormat, 'table')
    .action(async (options: Parameters<typeof runConfigDump>[0]) => {
      finish(await runConfigDump(options, io));
    });
}

function addValidate(program: Command, io: LocalIo, finish: (code: number) => void): void {
  addCommand(program, 'validate')
    .description('check YAML without any server')
    .requiredOption('-f, --file <paths...>', 'files and folders; - is standard input (required)')
    .option('-o, --output <format>', 'table, yaml or json', parseFormat, validateDefaults.output)
    .option(
      '--fail-on <level>',
      'the least level that is a finding: error or warning',
      parseLevel,
      validateDefaults.failOn,
    )
    .option('--mesh-config <file>', 'a MeshConfig file')
    .option('--domain <suffix>', 'DNS suffix of the Kubernetes cluster', validateDefaults.domain)
    .option('--no-color', 'no colour even on a terminal')
    .action(async (options: ValidateOptions) => {
      const { file, meshConfig, color, ...rest } = options;
      const args = { ...validateDefaults, ...rest, files: file, meshConfigFile: meshConfig, noColor: !color };
      finish(await runValidate(args, io, io.clock));
    });
}

type ValidateOptions = {
  readonly file: readonly string[];
  readonly output: 'table' | DataFormat;
  readonly failOn: 'error' | 'warning';
  readonly meshConfig?: string;
  readonly domain: string;
  readonly color: boolean;
};

function parseLevel(text: string): 'error' | 'warning' {
  if (text !== 'error' && text !== 'warning') throw new InvalidArgumentError('it is error or warning.');
  return text;
}

function parseTypes(text: string): readonly ResourceType[] {
  const types = text.split(',');
  const unknown = types.filter((type) => !Object.hasOwn(resourceTypes, type));
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `unknown type ${unknown.join(', ')}; take some of ${Object.keys(resourceTypes).join(',')}.`,
    );
  return types as readonly ResourceType[];
}

function parseFormat(text: string): 'table' | DataFormat {
  if (text !== 'table' && text !== 'yaml' && text !== 'json')
    throw new InvalidArgumentError('it is table, yaml or json.');
  return text;
}

function collectMetadata(text: string, before: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write key=value.');
  return { ...before, [text.slice(0, at)]: parseValue(text.slice(at + 1)) };
}

/** Metadata are texts but for a few records, of labels for one. */
function parseValue(text: string): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('what begins with { must be JSON.');
  }
}
