import { onTestFinished } from 'vitest';
import { type Issuer, issueIdentity } from '../../../../src/citadel/issuer.ts';
import { decodeMessage, encodeMessage } from '../../../../src/gen/codec.ts';
import { type ClientStream, type ClientTls, RpcClient } from '../../../../src/rpc/rpc-client.ts';
import type { RpcStatus } from '../../../../src/rpc/status.ts';
import { adsMethods } from '../../../../src/xds/xds.ts';
import type { Manifest } from '../../pilot/support/manifests.ts';
import { type ProcessOptions, TestProcess } from '../../pilot/support/process.ts';

export const CLUSTERS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

export type Node = { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> };

/** What one stream came to: names of the resources that were given, or how it was refused. */
export type Outcome =
  | { readonly kind: 'served'; readonly names: readonly string[] }
  | { readonly kind: 'refused'; readonly status: RpcStatus };

type AskOptions = {
  readonly typeUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called while the stream is open. */
  readonly onAnswer?: () => void;
};

/** A control plane with the port over TLS, and its authority. */
export class SecureMesh {
  readonly process: TestProcess;
  readonly issuer: Issuer;

  private constructor(process: TestProcess, issuer: Issuer) {
    this.process = process;
    this.issuer = issuer;
  }

  static async start(objects: readonly Manifest[], { config, ...options }: ProcessOptions = {}): Promise<SecureMesh> {
    const process = await TestProcess.start(objects, {
      ...options,
      controllers: ['galley', 'pilot', 'citadel'],
      config: { xds: { host: '127.0.0.1', port: 0 }, ...config },
    });
    const issuer = process.xebec.citadel?.issuer.current();
    if (issuer === undefined) throw new Error('nobody signs');
    return new SecureMesh(process, issuer);
  }

  /** A certificate of an account, `shop/default`, and of another authority or trust domain where one is given. */
  pair(account: string, issuer: Partial<Issuer> = {}): { readonly certificate: string; readonly key: string } {
    const [namespace = '', serviceAccount = ''] = account.split('/');
    const { chain, key = '' } = issueIdentity(
      { ...this.issuer, ...issuer },
      { identity: { namespace, serviceAccount }, now: Date.now(), lifetimeMs: 3_600_000 },
    );
    return { certificate: chain, key };
  }

  client(pair?: ClientTls['pair']): RpcClient {
    const tls = {
      roots: this.issuer.roots,
      serverName: 'istiod.istio-system.svc',
      ...(pair === undefined ? {} : { pair }),
    };
    const client = new RpcClient(`127.0.0.1:${this.process.xdsPort}`, { tls });
    onTestFinished(() => client.close());
    return client;
  }

  /** A stream on which a proxy has asked for one type. */
  async open(
    client: RpcClient,
    node: Node,
    { typeUrl = CLUSTERS, headers = {} }: Omit<AskOptions, 'onAnswer'> = {},
  ): Promise<ClientStream> {
    const stream = client.open(adsMethods.find(({ protocol }) => protocol === 'delta')?.path ?? '', headers);
    const request = { node: { id: node.id, metadata: structOf(node.metadata) }, typeUrl };
    await stream.send(Buffer.from(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', request)));
    return stream;
  }

  /** Asks for clusters as a proxy would, and leaves after the first answer. */
  async ask(
    client: RpcClient,
    node: Node,
    { typeUrl = CLUSTERS, headers = {}, onAnswer = () => undefined }: AskOptions = {},
  ): Promise<Outcome> {
    const stream = await this.open(client, node, { typeUrl, headers });
    for await (const message of stream.messages) {
      onAnswer();
      const { resources = [] } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', message);
      stream.cancel();
      await stream.status;
      return { kind: 'served', names: resources.map(({ name = '' }) => name) };
    }
    return { kind: 'refused', status: await stream.status };
  }

  /** The sum of a counter over all its labels. */
  async total(name: string): Promise<number> {
    const { text } = await this.process.page('/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
}

type Struct = { readonly fields: Readonly<Record<string, object>> };

function structOf(record: Readonly<Record<string, unknown>>): Struct {
  return { fields: Object.fromEntries(Object.entries(record).map(([key, value]) => [key, valueOf(value)])) };
}

function valueOf(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  return { structValue: structOf(value as Readonly<Record<string, unknown>>) };
}
