/** Who a workload is: a service account of a namespace, in a trust domain. SPIFFE's name of it is `spiffe://<domain>/ns/<namespace>/sa/<account>`. */
export type Identity = {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
};

export function spiffeId({ trustDomain, namespace, serviceAccount }: Identity): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
/** Kubernetes limits the whole of an account's name, not its parts. */
const part = '[a-z0-9](?:[-a-z0-9]{0,251}[a-z0-9])?';
const SPIFFE_ID = new RegExp(
  `^spiffe://(?<trustDomain>[a-z0-9._-]{1,255})/ns/(?<namespace>${label})/sa/(?<account>${part}(?:\\.${part})*)$`,
);

/** Only the form that xebec issues: lower case, no escapes, no query. Anything else is nobody. */
export function parseSpiffeId(text: string): Identity | undefined {
  const { trustDomain, namespace, account } = SPIFFE_ID.exec(text)?.groups ?? {};
  if (trustDomain === undefined || namespace === undefined || account === undefined) return undefined;
  return account.length > 253 ? undefined : { trustDomain, namespace, serviceAccount: account };
}
