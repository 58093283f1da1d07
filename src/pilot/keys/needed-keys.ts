import type { ClassicJwt, JwtRule } from '../../apis/security/security.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { ConfigSnapshot, ObjectsByKind } from '../../model/config-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import { keyAddressOf } from '../translate/jwt/key-address.ts';
import { millisOf } from '../translate/protobuf.ts';

/** Something that must be fetched before tokens can be verified. */
export type NeededKeys = {
  /** A URL of keys, or an issuer to ask for them: as the book of keys has it. */
  readonly address: string;
  /** How long one who needs it lets it take. */
  readonly timeoutMs: number | undefined;
};

const kinds = ['RequestAuthentication', 'Policy', 'MeshPolicy'] as const;
export type TokenKind = (typeof kinds)[number];

/** All that objects need, each address once. */
export function neededKeys({ objects }: ConfigSnapshot): ReadonlyMap<string, NeededKeys> {
  const needed = new Map<string, NeededKeys>();
  for (const one of kinds.flatMap((kind) => neededByAll(objects[kind]))) {
    const known = needed.get(one.address);
    if (known === undefined || (one.timeoutMs ?? 0) > (known.timeoutMs ?? 0)) needed.set(one.address, one);
  }
  return needed;
}

const neededByAll = memoByIdentity((objects: ObjectsByKind[TokenKind]): readonly NeededKeys[] =>
  objects.flatMap((object) => neededBy(object)),
);

/** What one object needs. */
export const neededBy = memoByIdentity((object: ConfigObject<TokenKind>): readonly NeededKeys[] =>
  jwtsOf(object).flatMap((jwt) => {
    const address = keyAddressOf(jwt);
    if (address === undefined) return [];
    return [{ address, timeoutMs: 'timeout' in jwt ? millisOf(jwt.timeout) : undefined }];
  }),
);

function jwtsOf({ spec }: ConfigObject<TokenKind>): readonly (JwtRule | ClassicJwt)[] {
  if ('jwtRules' in spec) return spec.jwtRules ?? [];
  const { peers = [], origins = [] } = spec as ConfigObject<'Policy'>['spec'];
  return [...peers, ...origins].flatMap(({ jwt }) => jwt ?? []);
}
