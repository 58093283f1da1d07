import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { wordsOf } from './errors.ts';

/** What a connection is made with. The same object as long as nothing of it changed. */
export type TlsMaterial = {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
};

/** What one call is made with. */
export type Access = { readonly headers: Readonly<Record<string, string>>; readonly tls: TlsMaterial };

/** Reads credentials from where they are kept; rejects with a reason when it cannot. */
export interface CredentialSource {
  /** `refused`: the API server did not accept what was read last. */
  load(refused: boolean): Promise<Access>;
}

const MAX_AGE_MS = 60_000;

/** Credentials as of now: read again when the copy is a minute old, and at once after it was refused. */
export class Credentials {
  readonly #source: CredentialSource;
  readonly #clock: Clock;
  readonly #log: Logger;
  #copy: { readonly access: Access; readonly at: number } | undefined;
  #refused = false;
  #loading: Promise<Access> | undefined;
  #hasFailed = false;

  constructor(source: CredentialSource, clock: Clock, log: Logger) {
    this.#source = source;
    this.#clock = clock;
    this.#log = log;
  }

  /** Rejects only as long as nothing was ever read. */
  async current(): Promise<Access> {
    const copy = this.#copy;
    if (copy !== undefined && !this.#refused && this.#clock.monotonic() - copy.at < MAX_AGE_MS) return copy.access;
    this.#loading ??= this.#load(this.#refused).finally(() => (this.#loading = undefined));
    return await this.#loading;
  }

  /** The call made with `access` was refused, or the server could not prove who it is. */
  refuse(access: Access): void {
    if (this.#copy?.access === access) this.#refused = true;
  }

  async #load(refused: boolean): Promise<Access> {
    this.#refused = false;
    const at = this.#clock.monotonic();
    try {
      const loaded = await this.#source.load(refused);
      const access = { headers: loaded.headers, tls: this.#sameTls(loaded.tls) };
      this.#copy = { access, at };
      if (this.#hasFailed) this.#log.info({}, 'the credentials of the Kubernetes API can be read again');
      this.#hasFailed = false;
      return access;
    } catch (error) {
      const copy = this.#copy;
      if (copy === undefined) throw error;
      if (!this.#hasFailed)
        this.#log.warn(
          { reason: wordsOf(error) },
          'the credentials of the Kubernetes API cannot be read: using the last copy',
        );
      this.#hasFailed = true;
      this.#copy = { access: copy.access, at };
      return copy.access;
    }
  }

  #sameTls(loaded: TlsMaterial): TlsMaterial {
    const known = this.#copy?.access.tls;
    const isSame =
      known !== undefined &&
      known.ca === loaded.ca &&
      known.cert === loaded.cert &&
      known.key === loaded.key &&
      known.servername === loaded.servername &&
      known.rejectUnauthorized === loaded.rejectUnauthorized;
    return isSame ? known : loaded;
  }
}

/** The service account of a pod: files that the kubelet rotates. */
export class ServiceAccountSource implements CredentialSource {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async load(): Promise<Access> {
    const token = await this.#read('token');
    const ca = await this.#read('ca.crt');
    return {
      headers: { authorization: `Bearer ${token.trim()}` },
      tls: { ca, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true },
    };
  }

  async #read(file: string): Promise<string> {
    const text = await readFile(join(this.#directory, file), 'utf8');
    if (text.trim() === '') throw new Error(`${join(this.#directory, file)} is empty`);
    return text;
  }
}
