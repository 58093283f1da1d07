import { err, ok, type Result } from '../../kit/result.ts';
import type { ClientAuthority } from '../../model/gateway-secret.ts';
import { blocksOf, joinBlocks, readCertificates } from './pem.ts';

/** The texts that say who vouches for clients, with the names by which people know them. */
export type AuthorityTexts = {
  readonly certificates: string;
  readonly revocations: string | undefined;
  readonly names: { readonly certificates: string; readonly revocations: string };
};

/** An authority without its list of revocations would let in whom the list keeps out, so a list that cannot be read spoils both. */
export function judgeAuthority({ certificates, revocations, names }: AuthorityTexts): Result<ClientAuthority, string> {
  const read = readCertificates(certificates);
  if (!read.ok) return err(`${names.certificates} ${read.error}`);
  const usable = read.value.certificates.some(({ ca }) => ca);
  if (!usable) return err(`${names.certificates} has no certificate of an authority`);
  if (revocations === undefined) return ok({ certificates: read.value.pem, revocations: undefined });
  const lists = blocksOf(revocations, 'X509 CRL');
  if (!lists.ok) return err(`${names.revocations} ${lists.error}`);
  if (!lists.value.every(isWhole)) return err(`${names.revocations} has a list that cannot be read`);
  return ok({ certificates: read.value.pem, revocations: joinBlocks(lists.value) });
}

/** Node has no reader of revocation lists: that one is a whole DER sequence is what can be told of it. */
function isWhole(block: string): boolean {
  const base64 = block.split('\n').slice(1, -1).join('').replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false;
  const der = Buffer.from(base64, 'base64');
  const [tag, first = 0] = der;
  if (tag !== 0x30) return false;
  if (first < 0x80) return der.length === 2 + first;
  const size = first & 0x7f;
  if (size === 0 || size > 4 || der.length < 2 + size) return false;
  return der.length === 2 + size + der.readUIntBE(2, size);
}
