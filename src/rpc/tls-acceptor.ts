import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { err, ok, type Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Counter, Metrics } from '../telemetry/metrics.ts';
import { FairSlots } from './fair-slots.ts';
import { sourceOf } from './source-of.ts';

/** What a server of TLS shows, and by whom certificates of clients must be issued; all PEM. */
export type ServerTls = {
  /** The leaf, then its chain without the root. */
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
};

export type TlsLimits = {
  /** A handshake that takes longer is ended. */
  readonly handshakeMs: number;
  /** Handshakes at a time. */
  readonly handshakes: number;
  /** Connections at a time whose caller showed no certificate. */
  readonly anonymous: number;
};

export const defaultTlsLimits: TlsLimits = { handshakeMs: 10_000, handshakes: 1024, anonymous: 1024 };

export type TlsAcceptorDeps = {
  readonly limits: TlsLimits;
  readonly log: Logger;
  readonly metrics: Metrics | undefined;
  /** Told of each connection that may speak; the certificate is verified, or there is none. */
  readonly accepted: (socket: TLSSocket, certificate: X509Certificate | undefined) => void;
};

/** Old sessions would be taken up again with what was trusted when they began. */
const secureOptions = constants.SSL_OP_NO_TICKET;
const minVersion = 'TLSv1.2';

/** Peers whose refusal was logged; more are forgotten again. */
const REMEMBERED = 1000;

/**
 * Makes TLS connections of accepted sockets. A caller may show no certificate, for it may have a token; but one that it shows must
 * be issued by the roots. Serving pair and roots can change at any time; connections that exist live on.
 */
export class TlsAcceptor {
  readonly #deps: TlsAcceptorDeps;
  readonly #server: Server;
  readonly #handshakes: FairSlots;
  readonly #anonymous: FairSlots;
  readonly #ongoing = new Map<string, Handshake>();
  readonly #logged = new Map<string, string>();
  readonly #refusals: Counter | undefined;
  #isUsable = false;

  constructor(deps: TlsAcceptorDeps) {
    this.#deps = deps;
    this.#handshakes = new FairSlots(deps.limits.handshakes);
    this.#anonymous = new FairSlots(deps.limits.anonymous);
    this.#refusals = deps.metrics?.counter({
      name: 'xebec_rpc_tls_refused_total',
      help: 'TLS connections that were refused.',
      labels: ['reason'],
    });
    this.#server = createServer({
      requestCert: true,
      // Who shows none may have a token. Who shows a bad one is refused below.
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: deps.limits.handshakeMs,
      minVersion,
      secureOptions,
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const handshake = this.#ongoing.get(peerOf(socket));
      // Who just went away is no news.
      if (handshake !== undefined) this.#refuse(handshake.socket, reasonOf(error), error.code ?? error.message);
    });
  }

  /** For new handshakes. What cannot be used changes nothing, and the error says why. */
  use({ certificate, key, roots }: ServerTls): Result<void, string> {
    // Without roots, Node would trust the authorities of the public web.
    if (!roots.includes('-----BEGIN CERTIFICATE-----')) return err('there are no roots to judge callers by');
    try {
      this.#server.setSecureContext({ cert: certificate, key, ca: roots, minVersion, secureOptions });
    } catch (cause) {
      return err(cause instanceof Error ? cause.message : String(cause));
    }
    this.#isUsable = true;
    return ok(undefined);
  }

  take(socket: Socket): void {
    if (!this.#isUsable) {
      this.#refuse(socket, 'not ready', 'there is no serving certificate yet');
      return;
    }
    const source = sourceOf(socket.remoteAddress);
    const release = this.#handshakes.take(source, () =>
      this.#refuse(socket, 'crowded', 'too many handshakes at a time'),
    );
    if (release === undefined) {
      this.#refuse(socket, 'crowded', 'too many handshakes at a time');
      return;
    }
    const peer = peerOf(socket);
    this.#ongoing.set(peer, { socket, release });
    socket.once('close', () => this.#shaken(peer));
    this.#server.emit('connection', socket);
  }

  #shaken(peer: string): void {
    this.#ongoing.get(peer)?.release();
    this.#ongoing.delete(peer);
  }

  #onSecure(socket: TLSSocket): void {
    this.#shaken(peerOf(socket));
    const certificate = socket.getPeerX509Certificate();
    if (socket.alpnProtocol !== 'h2') {
      this.#refuse(socket, 'protocol', 'the caller does not speak HTTP/2');
    } else if (certificate !== undefined && !socket.authorized) {
      this.#refuse(socket, 'certificate', String(socket.authorizationError));
    } else if (certificate === undefined && !this.#admitAnonymous(socket)) {
      this.#refuse(socket, 'crowded', 'too many connections without a certificate');
    } else {
      this.#deps.accepted(socket, certificate);
    }
  }

  #admitAnonymous(socket: TLSSocket): boolean {
    const release = this.#anonymous.take(sourceOf(socket.remoteAddress), () => socket.destroy());
    if (release !== undefined) socket.once('close', release);
    return release !== undefined;
  }

  #refuse(socket: Socket, reason: Reason, detail: string): void {
    this.#refusals?.add(1, { reason });
    const source = sourceOf(socket.remoteAddress);
    socket.on('error', () => undefined);
    socket.destroy();
    if (this.#logged.get(source) === detail) return;
    this.#logged.delete(source);
    this.#logged.set(source, detail);
    const [oldest] = this.#logged.keys();
    if (this.#logged.size > REMEMBERED && oldest !== undefined) this.#logged.delete(oldest);
    this.#deps.log.info({ peer: source, reason, detail }, 'TLS connection refused');
  }
}

type Handshake = {
  /** The one below TLS: Node leaves it open when a handshake takes too long. */
  readonly socket: Socket;
  readonly release: () => void;
};

type Reason = 'not ready' | 'crowded' | 'protocol' | 'certificate' | 'slow' | 'handshake';

function reasonOf({ code }: NodeJS.ErrnoException): Reason {
  return code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'slow' : 'handshake';
}

/** As gRPC names peers. */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
