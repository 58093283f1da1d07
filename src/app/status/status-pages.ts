import type { Distribution } from '../../galley/status/distribution.ts';
import type { StatusController } from '../../galley/status/status-controller.ts';
import { type HttpReply, jsonReply } from '../../http/http-server.ts';
import { compact } from './distribution-text.ts';
import type { LocalDistribution } from './local-distribution.ts';

/** What became of each object, in the words of its status. */
export function describeStatuses(status: StatusController): HttpReply {
  const objects = [...status.posted()].map(({ object, status: { conditions, programmed, generation } }) => ({
    kind: object.source.kind,
    namespace: object.source.meta.namespace,
    name: object.source.meta.name,
    ...(generation === undefined ? {} : { generation }),
    ...(programmed === undefined ? {} : { programmed: `${programmed.programmed}/${programmed.known}` }),
    conditions,
  }));
  return jsonReply(200, objects);
}

/** Tells other replicas what this one's proxies have; in a word, if they know already. */
export class DistributionPage {
  readonly #local: LocalDistribution;
  readonly #startedAt: number;
  #count = 0;
  #told: { readonly distribution: Distribution; readonly version: string; readonly text: string } | undefined;

  constructor(local: LocalDistribution, startedAt: number) {
    this.#local = local;
    this.#startedAt = startedAt;
  }

  async reply(have: string | null): Promise<HttpReply> {
    const distribution = await this.#local.read();
    if (this.#told?.distribution !== distribution) {
      this.#count += 1;
      const version = `${this.#startedAt.toString(36)}.${this.#count}`;
      const text = JSON.stringify(compact(distribution, version));
      this.#told = { distribution, version, text };
    }
    const { version, text } = this.#told;
    const body = have === version ? JSON.stringify({ version, isBehind: distribution.isBehind, objects: {} }) : text;
    return { status: 200, contentType: 'application/json', body: `${body}\n` };
  }
}
