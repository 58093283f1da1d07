import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '../../kit/result.ts';

/** More than all authorities of the public Internet together. */
const MAX_LENGTH = 512 * 1024;

/** The blocks of a label, whole and in order, without what stands between them; or why they cannot be read. Never quotes any of it. */
export function blocksOf(text: string, label: string): Result<readonly string[], string> {
  if (text.length > MAX_LENGTH) return err(`is larger than ${MAX_LENGTH / 1024} KiB`);
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: string[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const stop = text.indexOf(end, at);
    const next = text.indexOf(begin, at + begin.length);
    if (stop < 0 || (next >= 0 && next < stop)) return err(`has a ${label} that does not end`);
    blocks.push(text.slice(at, stop + end.length));
    at = stop + end.length;
  }
  return blocks.length === 0 ? err(`has no ${label} in PEM`) : ok(blocks);
}

export type ReadCertificates = { readonly pem: string; readonly certificates: readonly X509Certificate[] };

export function readCertificates(text: string): Result<ReadCertificates, string> {
  const blocks = blocksOf(text, 'CERTIFICATE');
  if (!blocks.ok) return blocks;
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.value.entries()) {
    const certificate = parseCertificate(block);
    if (certificate === undefined) return err(`has a certificate that cannot be read (the ${ordinal(index + 1)})`);
    certificates.push(certificate);
  }
  return ok({ pem: joinBlocks(blocks.value), certificates });
}

export function joinBlocks(blocks: readonly string[]): string {
  return `${blocks.join('\n')}\n`;
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function ordinal(number: number): string {
  return ['first', 'second', 'third'][number - 1] ?? `${number}th`;
}
