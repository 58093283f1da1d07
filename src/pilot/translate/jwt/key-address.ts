/** What says where an issuer's keys are: `jwks` holds them, else `jwksUri` names their address, else the issuer tells it. */
export type KeySource = {
  readonly issuer?: string | undefined;
  readonly jwks?: string | undefined;
  readonly jwksUri?: string | undefined;
};

/** What stands before an issuer that is to be asked for its keys; no URL of keys begins so. */
export const ISSUER = 'issuer:';

/** Where something must be fetched for the keys, if anywhere: a URL of keys, or an issuer that says where its own are. */
export function keyAddressOf({ issuer = '', jwks = '', jwksUri = '' }: KeySource): string | undefined {
  if (jwks !== '') return undefined;
  if (jwksUri !== '') return jwksUri;
  return /^https?:\/\//i.test(issuer) ? `${ISSUER}${issuer}` : undefined;
}

export function keysFieldOf({ jwks = '', jwksUri = '' }: KeySource): 'jwks' | 'jwksUri' | 'issuer' {
  if (jwks !== '') return 'jwks';
  return jwksUri === '' ? 'issuer' : 'jwksUri';
}
