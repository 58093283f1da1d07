import type { X509Certificate } from 'node:crypto';
import { nameOf } from './chain.ts';
import { isEmpty } from './files.ts';
import { type Material, readMaterial } from './material.ts';
import { isIn } from './pem.ts';
import { ACCEPT_ANNOTATION } from './secret-store.ts';
import type { Reading, Stored, Trouble } from './store.ts';

/** Whether somebody else keeps it, or we do. */
export type Keeper = 'plugged' | 'own';

export type Candidate = { readonly keeper: Keeper; readonly name: string; readonly reading: Reading };

/** What signs, and where it was read. */
export type Held = { readonly keeper: Keeper; readonly name: string; readonly material: Material };

export type ChoiceInputs = {
  /** The first that can be taken is. */
  readonly candidates: readonly Candidate[];
  /** What the mesh trusts already, by our own word: an authority without any of it would cut everybody off. Empty for a mesh without. */
  readonly trusted: readonly X509Certificate[];
  /** Of what signs now: when that is damaged where it is kept, it signs on, and no other takes its place. */
  readonly heldBy: Keeper | undefined;
  readonly now: number;
};

export type Taken = Held & { readonly stored: Stored };

/** Why an authority was not taken. */
export type Refusal = Trouble & { readonly keeper: Keeper; readonly kind: 'unreadable' | 'damaged' | 'foreign' };

export type Choice = { readonly taken: Taken | undefined; readonly refusals: readonly Refusal[] };

/** Which authority is taken. One that is broken, or that would cut off who trusts another, is not, and it is said why. */
export function chooseAuthority(inputs: ChoiceInputs): Choice {
  const refusals: Refusal[] = [];
  for (const candidate of inputs.candidates) {
    const judged = judge(candidate, inputs);
    if (judged === undefined) continue;
    const { keeper, name } = candidate;
    if (judged.kind === 'good') return { taken: { ...judged, keeper, name }, refusals };
    refusals.push({ ...judged, keeper });
    // What cannot be read may be what is meant.
    if (judged.kind === 'unreadable' || keeper === inputs.heldBy) break;
  }
  return { taken: undefined, refusals };
}

type Judged = { readonly kind: 'good'; readonly material: Material; readonly stored: Stored } | Omit<Refusal, 'keeper'>;

function judge({ keeper, name, reading }: Candidate, { trusted, now }: ChoiceInputs): Judged | undefined {
  if (reading.kind === 'unreadable') return reading;
  if (reading.kind === 'absent' || isEmpty(reading.stored.files)) return undefined;
  const { stored } = reading;
  const read = readMaterial(stored.files, now);
  if (!read.ok) return { kind: 'damaged', reason: `${name}: ${read.error}`, remedy: damageRemedy(keeper) };
  const material = read.value;
  if (trusted.length === 0 || trusted.some((root) => isIn(root, material.roots)))
    return { kind: 'good', material, stored };
  if (stored.requests.accept) return { kind: 'good', material: keptTrusted(material, trusted, keeper), stored };
  const roots = trusted.map(nameOf).join(' and ');
  return {
    kind: 'foreign',
    reason: `${name}: its roots are not what the mesh trusts, which is ${roots}; traffic would fail until everybody is told`,
    remedy: foreignRemedy(keeper, name),
  };
}

/** What is ours to write keeps trusting what lives of the roots from before; of what is not, its owner has the say. */
function keptTrusted(material: Material, trusted: readonly X509Certificate[], keeper: Keeper): Material {
  return keeper === 'own' ? { ...material, roots: [...material.roots, ...trusted], since: undefined } : material;
}

function damageRemedy(keeper: Keeper): string {
  return keeper === 'plugged'
    ? 'put a whole set of ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem there'
    : 'restore it from your copy (docs/certificates.md)';
}

function foreignRemedy(keeper: Keeper, name: string): string {
  const add = 'add the present root to its root-cert.pem for as long as certificates of it live';
  const accept = `if a break is meant, annotate it with ${ACCEPT_ANNOTATION}: "true"`;
  const restore = keeper === 'own' ? 'restore the one from before, or ' : '';
  return `${restore}${add}${name.startsWith('Secret') ? `; ${accept}` : ''}`;
}
