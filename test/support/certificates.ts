import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, as PEM. */
export type Certificate = { readonly certificate: string; readonly key: string };

export type Authority = Certificate & {
  /** A certificate for DNS names, IPv4 addresses, or (with a scheme) URIs, signed by this authority. */
  issue(names: readonly [string, ...string[]]): Certificate;
  /** A certificate for a client that is known by its subject, as Kubernetes knows its users. */
  issueToUser(name: string, organizations: readonly string[]): Certificate;
};

const TEN_MINUTES_MS = 600_000;
const ONE_DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const ORGANIZATION = [0x55, 0x04, 0x0a];
const KEY_USAGE = [0x55, 0x1d, 0x0f];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];

/**
 * A certificate authority of a test. Node can sign but not write X.509, and openssl is not on every machine; what TLS needs of
 * RFC 5280 is little.
 */
export function createAuthority(name = 'test authority'): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const root = { name, organizations: [], keys, isAuthority: true, names: [] };
  const issue = (subject: Pick<Party, 'name' | 'organizations' | 'names'>): Certificate =>
    encode({ ...subject, keys: generateKeyPairSync('ec', { namedCurve: 'P-256' }), isAuthority: false }, root);
  return {
    ...encode(root, root),
    issue: (names) => issue({ name: names[0], organizations: [], names }),
    issueToUser: (user, organizations) => issue({ name: user, organizations, names: [] }),
  };
}

type Party = {
  readonly name: string;
  readonly organizations: readonly string[];
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly isAuthority: boolean;
  readonly names: readonly string[];
};

function encode(subject: Party, issuer: Party): Certificate {
  const algorithm = sequence(identifier(ECDSA_WITH_SHA256));
  const now = Date.now();
  const serial = randomBytes(8);
  // Positive, and without a leading zero, which DER does not allow.
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    distinguishedName(issuer),
    sequence(time(now - TEN_MINUTES_MS), time(now + ONE_DAY_MS)),
    distinguishedName(subject),
    subject.keys.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(subject))),
  );
  const signature = sign('sha256', body, issuer.keys.privateKey);
  const whole = sequence(body, algorithm, bitString(signature, 0));
  return {
    certificate: pem('CERTIFICATE', whole),
    key: subject.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions({ isAuthority, names }: Party): readonly Buffer[] {
  // keyCertSign, or digitalSignature.
  const usage = isAuthority ? bitString(Buffer.from([0x04]), 2) : bitString(Buffer.from([0x80]), 7);
  const constraints = isAuthority ? sequence(tagged(0x01, Buffer.from([0xff]))) : sequence();
  const alternatives = names.map(alternativeName);
  return [
    extension(BASIC_CONSTRAINTS, constraints),
    extension(KEY_USAGE, usage),
    ...(alternatives.length === 0 ? [] : [extension(SUBJECT_ALT_NAME, sequence(...alternatives))]),
  ];
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(identifier(id), tagged(0x04, value));
}

function alternativeName(name: string): Buffer {
  if (isIPv4(name)) return tagged(0x87, Buffer.from(name.split('.').map(Number)));
  return tagged(name.includes('://') ? 0x86 : 0x82, Buffer.from(name));
}

function distinguishedName({ name, organizations }: Party): Buffer {
  const part = (id: readonly number[], text: string): Buffer =>
    tagged(0x31, sequence(identifier(id), tagged(0x0c, Buffer.from(text))));
  return sequence(...organizations.map((text) => part(ORGANIZATION, text)), part(COMMON_NAME, name));
}

function time(millis: number): Buffer {
  const text = new Date(millis).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${text}Z`));
}

function bitString(bits: Buffer, unused: number): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([unused]), bits]));
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value);
}

function identifier(bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  if (size < 0x100) return Buffer.from([0x81, size]);
  return Buffer.from([0x82, size >> 8, size & 0xff]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
