import { bytesOf, type Der, decodeDer, itemsOf } from './der.ts';
import { identifierOf, oid } from './oid.ts';

const RSA = oid('1.2.840.113549.1.1.1');
const EC = oid('1.2.840.10045.2.1');

/** Bytes of a point that is not compressed. */
const curves: ReadonlyMap<string, number> = new Map([
  [oid('1.2.840.10045.3.1.7'), 65],
  [oid('1.3.132.0.34'), 97],
]);

const LEAST_BITS = 2048;
const MOST_BITS = 8192;
/** 65537 has 17; a longer exponent only makes whoever verifies work. */
const MOST_EXPONENT_BYTES = 4;

/**
 * What is wrong with a public key (a SubjectPublicKeyInfo) that Envoy is to use, judged before any cryptography touches it:
 * curves of one's own, and giant numbers, are work for whoever verifies. Ed25519 and P-521 a stock Envoy loads, but takes from no peer.
 */
export function publicKeyFault(keyInfo: Der): string | undefined {
  const [algorithm, bits] = itemsOf(keyInfo);
  const [type, parameters] = itemsOf(algorithm);
  const content = bytesOf(bits);
  if (content[0] !== 0) return 'the public key is not valid';
  switch (identifierOf(type)) {
    case RSA:
      return rsaFault(content.subarray(1));
    case EC:
      return curveFault(parameters, content.subarray(1));
    default:
      return 'the public key is neither RSA nor of an elliptic curve P-256 or P-384';
  }
}

function curveFault(parameters: Der | undefined, point: Buffer): string | undefined {
  const length = curves.get(identifierOf(parameters));
  if (length === undefined) return 'the public key is of another curve than P-256 and P-384';
  return point.length === length && point[0] === 4 ? undefined : 'the point of the public key is not valid';
}

function rsaFault(bytes: Buffer): string | undefined {
  const numbers = rsaNumbers(bytes);
  if (numbers === undefined) return 'the public key is not valid';
  const bits = bitsOf(numbers.modulus);
  if (bits < LEAST_BITS || bits > MOST_BITS)
    return `the RSA key has ${bits} bits; it must have ${LEAST_BITS} to ${MOST_BITS}`;
  return numbers.exponent.length > MOST_EXPONENT_BYTES ? 'the exponent of the RSA key is too long' : undefined;
}

type RsaNumbers = { readonly modulus: Buffer; readonly exponent: Buffer };

function rsaNumbers(bytes: Buffer): RsaNumbers | undefined {
  try {
    const [modulus, exponent] = itemsOf(decodeDer(bytes)).map(withoutSign);
    return modulus === undefined || exponent === undefined ? undefined : { modulus, exponent };
  } catch {
    return undefined;
  }
}

/** A number that is not negative begins with a zero byte where its first bit is set. */
function withoutSign(number: Der): Buffer {
  const bytes = bytesOf(number);
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function bitsOf(number: Buffer): number {
  const [first = 0] = number;
  return number.length * 8 - Math.clz32(first) + 24;
}
