import { type Manifest, virtualService } from '../../feature/pilot/support/manifests.ts';
import { bankClient, REVIEWS, shopClient } from '../../feature/pilot/support/shop.ts';
import type { ApiServer } from '../api-server.ts';
import type { FlakyProxy } from '../flaky-proxy.ts';
import { Client } from './client.ts';
import { InProcess, type InProcessInputs } from './in-process.ts';

export type Mesh = { readonly xebec: InProcess; readonly proxy: FlakyProxy; readonly clients: readonly Client[] };

/** The one rule of the mesh, with a text that is found again in what proxies get. */
export function marked(text: string, name = 'shop/reviews'): Manifest {
  const route = [{ destination: { host: REVIEWS } }];
  return virtualService(name, { hosts: [REVIEWS], http: [{ match: [{ uri: { prefix: `/${text}/` } }], route }] });
}

/** A xebec behind a proxy that fails, and an Envoy of each variant that has everything. */
export async function startMesh(
  server: ApiServer,
  token: string,
  more: Omit<InProcessInputs, 'kubeconfig'> = {},
): Promise<Mesh> {
  const proxy = await server.flakyProxy();
  const xebec = await InProcess.start({ kubeconfig: server.tokenKubeconfig(token, proxy.url), ...more });
  await xebec.ready();
  const clients = [
    Client.connect(xebec.xdsPort, shopClient, 'delta'),
    Client.connect(xebec.xdsPort, bankClient, 'sotw'),
  ];
  await haveAll(clients, 'before');
  return { xebec, proxy, clients };
}

/** Waits until each has the rule with this text. */
export async function haveAll(clients: readonly Client[], text: string): Promise<void> {
  for (const client of clients) await client.has(`/${text}/`);
}

export function responsesOf(clients: readonly Client[]): readonly number[] {
  return clients.map(({ responses }) => responses);
}
