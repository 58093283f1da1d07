/** What says where an issuer's keys are: `jwks` holds them, else `jwksUri` names their address, else the issuer tells it. */
export type KeySource = {
  readonly issuer?: string | undefined;
  readonly jwks?: string | undefined;
  readonly jwksUri?: string | undefined;
};

const DISCOVERY = '/.well-known/openid-configuration';

/** Where something must be fetched for the keys, if anywhere: the keys themselves, or what the issuer says of itself. */
export function keyAddressOf({ issuer = '', jwks = '', jwksUri = '' }: KeySource): string | undefined {
  if (jwks !== '') return undefined;
  if (jwksUri !== '') return jwksUri;
  return /^https?:\/\//i.test(issuer) ? `${issuer.replace(/\/+$/, '')}${DISCOVERY}` : undefined;
}

export function keysFieldOf({ jwks = '', jwksUri = '' }: KeySource): 'jwks' | 'jwksUri' | 'issuer' {
  if (jwks !== '') return 'jwks';
  return jwksUri === '' ? 'issuer' : 'jwksUri';
}
