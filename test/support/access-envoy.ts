import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityFiles } from '../../src/citadel/identity-files.ts';
import { type IssuedIdentity, type Issuer, issueIdentity } from '../../src/citadel/issuer.ts';
import { createAuthority } from '../../src/citadel/x509/authority.ts';
import { encodeMessage } from '../../src/gen/codec.ts';
import { messageToJson } from '../../src/gen/json.ts';
import type { FilterChain, HttpFilter, Listener, RouteConfiguration, TransportSocket } from '../../src/gen/types.ts';
import type { JsonObject } from '../../src/injector/json.ts';
import { socketGet } from '../../src/local/socket-get.ts';
import type { Identity } from '../../src/model/identity.ts';
import { buildHttpAccess } from '../../src/pilot/translate/access/http.ts';
import type { AccessPlan } from '../../src/pilot/translate/access/plan.ts';
import { buildTcpAccess } from '../../src/pilot/translate/access/tcp.ts';
import { buildHttpManager } from '../../src/pilot/translate/filters/http-connection-manager.ts';
import { buildTlsInspector } from '../../src/pilot/translate/filters/listener-filters.ts';
import { readListenerSettings } from '../../src/pilot/translate/filters/settings.ts';
import { addressOf, bool, extension, uint32 } from '../../src/pilot/translate/protobuf.ts';
import type { SecuritySite } from '../../src/pilot/translate/security.ts';
import { meshConfig } from '../../src/testing/config.ts';
import { envoyBinary } from '../../tools/paths.mjs';

type Normalization = NonNullable<NonNullable<Parameters<typeof meshConfig>[0]>['pathNormalization']>['normalization'];

/** What stands behind one address of the Envoy. */
export type Guarded = {
  readonly plan: AccessPlan;
  readonly normalization?: Normalization;
};

export type AccessEnvoyInputs = {
  readonly folder: string;
  readonly guarded: readonly Guarded[];
  readonly ports: Ports;
  /** Clusters of the bootstrap: authorizers. */
  readonly clusters?: readonly JsonObject[];
  /** Who issues tokens, and with which key. */
  readonly tokens?: Tokens;
};

export type Ports = { readonly http: number; readonly tcp: number };

/** Ports that nobody has, on any address of this machine. */
export async function freePorts(): Promise<Ports> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '0.0.0.0');
      await once(server, 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { http: ports[0] ?? 0, tcp: ports[1] ?? 0 };
}

/** Where the guarded one of this number listens. */
export function addressOfGuarded(index: number): string {
  return `127.1.${Math.trunc(index / 200)}.${(index % 200) + 1}`;
}

/** Identities of a mesh of the test's own. */
export class TestIdentities {
  readonly #issuer: Issuer;
  readonly #known = new Map<string, IssuedIdentity>();

  constructor() {
    const now = Date.now();
    const validity = { notBefore: now - 600_000, notAfter: now + 86_400_000 };
    const signer = createAuthority({ subject: { organization: 'access test' }, validity });
    this.#issuer = { signer, intermediates: '', roots: signer.certificate, trustDomain: 'cluster.local' };
  }

  of(identity: Identity): IssuedIdentity {
    const { trustDomain, namespace, serviceAccount } = identity;
    const key = `${trustDomain}/${namespace}/${serviceAccount}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const request = { identity, now: Date.now(), lifetimeMs: 3_600_000 };
    const issued = issueIdentity({ ...this.#issuer, trustDomain }, request);
    this.#known.set(key, issued);
    return issued;
  }
}

/** Tokens of some issuers, all signed with one key. */
export type Tokens = { readonly issuers: readonly string[]; readonly jwks: string };

export function signToken(privateKey: string, claims: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'ES256', typ: 'JWT', kid: 'test' })}.${encode({ exp: 4_000_000_000, ...claims })}`;
  const key = createPrivateKey(privateKey);
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/**
 * A real Envoy with the filters of access plans, one plan for each address of 127.1.0.0/16: over HTTP, where a request that gets
 * through is answered with its path, and over TCP, where what gets through comes back. Both with and without mutual TLS.
 */
export class AccessEnvoy {
  readonly #inputs: AccessEnvoyInputs;
  readonly #identities: TestIdentities;
  #child: ChildProcess | undefined;

  constructor(inputs: AccessEnvoyInputs, identities: TestIdentities) {
    this.#inputs = inputs;
    this.#identities = identities;
  }

  get accessLog(): readonly string[] {
    return readFileSync(this.#accessLogFile, 'utf8').trim().split('\n');
  }

  get #accessLogFile(): string {
    return join(this.#inputs.folder, 'access.log');
  }

  async start(): Promise<void> {
    const { folder } = this.#inputs;
    const certs = join(folder, 'certs');
    mkdirSync(certs, { recursive: true });
    const issued = this.#identities.of({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'server' });
    for (const [name, content] of Object.entries(identityFiles(issued, certs)))
      writeFileSync(join(certs, name), content);
    const config = join(folder, 'envoy.json');
    writeFileSync(config, JSON.stringify(await this.#bootstrap(certs)));
    const logFile = join(folder, 'envoy.log');
    const log = openSync(logFile, 'a');
    const flags = [
      '--disable-hot-restart',
      '--concurrency',
      '1',
      '--log-level',
      'warning',
      '--file-flush-interval-msec',
      '20',
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', envoyBinary(), ...flags, '-c', config], {
      stdio: ['ignore', log, log],
    });
    this.#child = child;
    await this.#untilReady(child, logFile);
  }

  /** The counters whose names hold a text, and what they are. */
  async stats(part: string): Promise<readonly string[]> {
    const reply = await socketGet({ path: join(this.#inputs.folder, 'admin.sock') }, '/stats');
    return (reply?.body ?? '').split('\n').filter((line) => line.includes(part));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async #untilReady(child: ChildProcess, logFile: string): Promise<void> {
    const admin = join(this.#inputs.folder, 'admin.sock');
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      const ready = await socketGet({ path: admin }, '/ready');
      if (ready?.status === 200) return;
      await sleep(20);
    }
    throw new Error(`Envoy is not ready:\n${readFileSync(logFile, 'utf8').slice(0, 5000)}`);
  }

  async #bootstrap(certs: string): Promise<JsonObject> {
    const { guarded, ports, folder, clusters = [] } = this.#inputs;
    const tls = tlsSocket(certs);
    const http = guarded.map((one, index) => this.#chains(one, index, 'http', tls));
    const tcp = guarded.map((one, index) => this.#chains(one, index, 'tcp', tls));
    const listeners = [listenerOf('http', ports.http, http.flat()), listenerOf('tcp', ports.tcp, tcp.flat())];
    const json = await Promise.all(
      listeners.map((listener) =>
        messageToJson(
          'envoy.config.listener.v3.Listener',
          encodeMessage('envoy.config.listener.v3.Listener', listener),
          { protoFieldNames: true },
        ),
      ),
    );
    return {
      admin: { address: { pipe: { path: join(folder, 'admin.sock') } } },
      static_resources: { listeners: json as JsonObject[], clusters: [...clusters] },
      layered_runtime: { layers: [{ name: 'xebec', static_layer: { 're2.max_program_size.error_level': 32_768 } }] },
    };
  }

  #chains(one: Guarded, index: number, serves: 'http' | 'tcp', tls: TransportSocket): readonly FilterChain[] {
    return [true, false].map((isMutualTls) => {
      const site: SecuritySite = {
        direction: 'inbound',
        port: this.#inputs.ports[serves],
        member: undefined,
        isMutualTls,
      };
      const filterChainMatch = {
        prefixRanges: [{ addressPrefix: addressOfGuarded(index), prefixLen: uint32(32) }],
        transportProtocol: isMutualTls ? 'tls' : 'raw_buffer',
      };
      const filters =
        serves === 'http'
          ? [this.#manager(one, site)]
          : [
              ...buildTcpAccess(one.plan, site).filters,
              extension('envoy.filters.network.echo', 'envoy.extensions.filters.network.echo.v3.Echo', {}),
            ];
      return { filterChainMatch, filters, transportSocket: isMutualTls ? tls : undefined };
    });
  }

  #manager({ plan, normalization }: Guarded, site: SecuritySite): ReturnType<typeof buildHttpManager> {
    const { custom, rules } = buildHttpAccess(plan, site);
    const { tokens } = this.#inputs;
    const settings = readListenerSettings(
      meshConfig({
        ...(normalization === undefined ? {} : { pathNormalization: { normalization } }),
        accessLogFile: this.#accessLogFile,
        accessLogFormat: '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n',
      }),
    );
    return buildHttpManager({
      direction: 'inbound',
      statPrefix: 'access',
      routes: { kind: 'inline', configuration: answerAll },
      settings,
      http10: false,
      grpcWeb: false,
      tellsProtocol: false,
      security: [...custom.filters, ...(tokens === undefined ? [] : [tokenFilter(tokens)]), ...rules.filters],
    });
  }
}

const answerAll: RouteConfiguration = {
  virtualHosts: [
    {
      name: 'all',
      domains: ['*'],
      routes: [
        {
          match: { prefix: '' },
          directResponse: { status: 200, body: { inlineString: 'through' } },
          responseHeadersToAdd: [{ header: { key: 'x-path', value: '%REQ(:PATH)%' } }],
        },
      ],
    },
  ],
};

function listenerOf(name: string, port: number, filterChains: readonly FilterChain[]): Listener {
  return { name, address: addressOf('0.0.0.0', port), listenerFilters: [buildTlsInspector()], filterChains };
}

function tlsSocket(certs: string): TransportSocket {
  const file = (name: string): { readonly filename: string } => ({ filename: join(certs, name) });
  return extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    requireClientCertificate: bool(true),
    commonTlsContext: {
      tlsCertificates: [{ certificateChain: file('cert-chain.pem'), privateKey: file('key.pem') }],
      validationContext: { trustedCa: file('root-cert.pem') },
    },
  });
}

/** As the filters of RequestAuthentication leave the claims: under `payload`. */
function tokenFilter({ issuers, jwks }: Tokens): HttpFilter {
  const providers = Object.fromEntries(
    issuers.map((issuer, index) => [
      `provider-${index}`,
      { issuer, localJwks: { inlineString: jwks }, payloadInMetadata: 'payload', forward: true },
    ]),
  );
  const requirements = issuers.map((_, index) => ({ providerName: `provider-${index}` }));
  return extension('envoy.filters.http.jwt_authn', 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
    providers,
    rules: [
      {
        match: { prefix: '/' },
        requires: { requiresAny: { requirements: [...requirements, { allowMissing: {} }] } },
      },
    ],
  });
}
