import type { X509Certificate } from 'node:crypto';
import { certificatesIn, endOf } from '../../citadel/authority/pem.ts';
import { httpGet } from '../../http/http-client.ts';
import type { KubeResult } from '../../kube/api.ts';
import { asRecord, textIn } from '../../kube/json.ts';
import { startWatchdog } from '../../kube/watchdog.ts';
import type { Check, CheckInputs, Finding } from './check.ts';
import { render } from './control-plane.ts';
import { failed, ok, unanswered, warning } from './findings.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const secrets = { group: '', version: 'v1', plural: 'secrets' };
const ROOTS = 'istio-ca-root-cert';
/** What every namespace has. */
const OWN_SECRET = 'istio.default';
const DAY_MS = 86_400_000;
/** Enough to put a new root beside the old one, and wait until everybody has both. */
const SOON_DAYS = 30;
const ANSWER_MS = 5_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** That the mesh is told of roots that live, that somebody signs, and that an account has an identity of these roots. */
export const checkIdentities: Check = async (inputs, signal) => {
  const { config, clock } = inputs;
  if (!config.controllers.includes('citadel')) return [ok('not wanted: this xebec issues no identities')];
  const bundle = await readRoots(inputs, signal);
  if (!bundle.ok) return [rootsMissing(inputs, bundle.error)];
  const roots = certificatesIn(bundle.value) ?? [];
  const findings = [judgeRoots(roots, clock.now()), ...(await checkAuthority(inputs, signal))];
  const isServed = config.listenedNamespaces.length === 0 || config.listenedNamespaces.includes(config.namespace);
  return isServed ? [...findings, await checkOwn(inputs, roots, signal)] : findings;
};

/** The bundle that the mesh is told of. */
export async function readRoots({ kube, config }: CheckInputs, signal: AbortSignal): Promise<KubeResult<string>> {
  const map = await kube.get(configMaps, { namespace: config.namespace, name: ROOTS }, signal);
  return map.ok ? { ok: true, value: textIn(asRecord(map.value['data']), 'root-cert.pem') } : map;
}

type Failure = Extract<KubeResult, { ok: false }>['error'];

function rootsMissing({ config }: CheckInputs, error: Failure): Finding {
  const { namespace } = config;
  if (error.reason !== 'not-found') return unanswered(`the ConfigMap ${ROOTS}`, error);
  return failed(
    `there is no ConfigMap ${ROOTS} in ${namespace}: nobody is told whom to trust`,
    `the leader writes it, once it signs: ${logOf(config)}`,
  );
}

function judgeRoots(roots: readonly X509Certificate[], now: number): Finding {
  const living = roots.filter((root) => endOf(root) > now);
  if (living.length === 0)
    return failed(
      `no root of the ConfigMap ${ROOTS} is one that lives`,
      'docs/certificates.md says how to get another one',
    );
  const end = Math.max(...living.map(endOf));
  const until = new Date(end).toISOString().slice(0, 10);
  const count = living.length === 1 ? 'a root' : `${living.length} roots`;
  if (end - now > SOON_DAYS * DAY_MS) return ok(`the mesh is told of ${count}, until ${until}`);
  return warning(
    `the last root of the mesh ends on ${until}`,
    'xebec renews its own; put one of yours into the Secret cacerts beside the old one (docs/certificates.md)',
  );
}

/** What the replica says that answers; nothing where none can be asked. */
async function checkAuthority(inputs: CheckInputs, signal: AbortSignal): Promise<readonly Finding[]> {
  const { monitoring, config, clock } = inputs;
  if (monitoring === undefined) return [];
  const watchdog = startWatchdog(clock, ANSWER_MS, signal);
  // Whether it answers at all is looked at elsewhere.
  const page = await httpGet(`http://${render(monitoring)}/metrics`, MOST_BYTES, watchdog.signal).catch(
    () => undefined,
  );
  watchdog.stop();
  const degraded = /^citadel_server_ca_degraded (\d)/m.exec(page?.body ?? '')?.[1];
  if (degraded === undefined) return [];
  if (degraded === '0') return [ok('the authority signs, and is what its Secret says')];
  return [
    failed(
      'the authority is not what its Secret says, or there is none',
      `what is wrong is said there: ${logOf(config)}; docs/certificates.md`,
    ),
  ];
}

async function checkOwn(
  { kube, config, clock }: CheckInputs,
  roots: readonly X509Certificate[],
  signal: AbortSignal,
): Promise<Finding> {
  const { namespace } = config;
  const secret = await kube.get(secrets, { namespace, name: OWN_SECRET }, signal);
  const look = `kubectl -n ${namespace} describe serviceaccount default; ${logOf(config)}`;
  if (!secret.ok) {
    return secret.error.reason === 'not-found'
      ? failed(`the account default of ${namespace} has no Secret ${OWN_SECRET}`, look)
      : unanswered(`the Secret ${OWN_SECRET}`, secret.error);
  }
  const chain = Buffer.from(textIn(asRecord(secret.value['data']), 'cert-chain.pem'), 'base64').toString('utf8');
  const [leaf, ...above] = certificatesIn(chain) ?? [];
  if (leaf === undefined) return failed(`the Secret ${OWN_SECRET} has no certificate that can be read`, look);
  if (endOf(leaf) <= clock.now())
    return failed(`the certificate of ${OWN_SECRET} ended on ${leaf.validTo}, and was not renewed`, look);
  if (!leadsToOne([leaf, ...above], roots))
    return failed(`the certificate of ${OWN_SECRET} is of no root that the mesh is told of`, look);
  return ok(`the account default of ${namespace} has an identity, of a root that the mesh is told of`);
}

/** Whether each is signed by the next, and the last by a root. */
function leadsToOne(chain: readonly X509Certificate[], roots: readonly X509Certificate[]): boolean {
  const isSignedBy = (one: X509Certificate, by: X509Certificate): boolean =>
    one.checkIssued(by) && one.verify(by.publicKey);
  return chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined ? roots.some((root) => isSignedBy(one, root)) : isSignedBy(one, next);
  });
}

function logOf({ namespace, service }: CheckInputs['config']): string {
  return `kubectl -n ${namespace} logs deployment/${service}`;
}
