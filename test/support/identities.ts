// Who pods are, for tests of mutual TLS and of policy in local mode (`useMesh()` of mesh.ts). Every Deployment of workloads.ts runs as a
// service account of its own, called as the Deployment is, or as `account` says; its principal is
// `cluster.local/ns/default/sa/NAME`. Who calls, and how:
//
//   mesh.given(
//     client('inside'), echo('web', 'v1', ['http:8080', 'h2c:8081', 'tcp:9000', 'tls:9443', 'banner:3306']),
//     client('plain', outside),                      // a pod without Envoy: calls in plain text, finds pods by the Service's name too
//     service('web', ['http:8080', 'grpc:8081', 'tcp:9000', 'tls:9443', ':3306'], { selector: { app: 'web' } }),
//   );
//   await mesh.call('inside', 'http://web:8080/');                                        // mutual TLS where the policy allows it
//   await mesh.call('plain', 'http://web.default:8080/');                                 // plain text: ports must equal target ports
//   const tls = await identityOf(mesh, 'inside');                                         // to speak mutual TLS without Envoy
//   await mesh.call('plain', 'https://web.default:8080/', { tls: { ...tls, serverName: 'any', protocols: ['istio'] } });
//   await mesh.apply('policy', { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', … });   // waits until it is in force
//   expect(identitySeen(await mesh.call('inside', 'http://web:8080/'))).toBe('spiffe://cluster.local/ns/default/sa/inside');
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PodReport } from '../../src/local/mesh/pod-runner.ts';
import type { CallTls, Outcome } from './apps/calls.ts';
import type { TestMesh } from './mesh.ts';

export type PodIdentityPair = Required<Pick<CallTls, 'certificate' | 'key'>> & { readonly roots: string };

/** The chain, key and roots that the Envoy of a Deployment's first pod has now. */
export async function identityOf(mesh: TestMesh, deployment: string): Promise<PodIdentityPair> {
  const [pod] = await mesh.pods(deployment);
  if (pod?.identity === undefined) throw new Error(`${deployment} has no identity`);
  const folder = folderOf(pod);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { certificate: read('cert-chain.pem'), key: read('key.pem'), roots: read('root-cert.pem') };
}

/** The names of the files that the app of a Deployment's first pod sees in `/etc/certs`. */
export async function filesSeenBy(mesh: TestMesh, deployment: string): Promise<readonly string[]> {
  const [pod] = await mesh.pods(deployment);
  const isApp = (pid: string): boolean =>
    readText(`/proc/${pid}/cmdline`).includes(mesh.folders.sockets) &&
    readText(`/proc/${pid}/environ`).split('\0').includes(`POD_NAME=${pod?.name}`);
  return readdirSync(`/proc/${findProcess(isApp)}/root/etc/certs`).filter((name) => !name.startsWith('.'));
}

/** `/etc/certs` of a pod, through its Envoy: the files are in memory of the mesh, and nowhere else. */
function folderOf({ adminSocket = '' }: PodReport): string {
  const isEnvoy = (pid: string): boolean => {
    const command = readText(`/proc/${pid}/cmdline`);
    return command.includes('--config-yaml') && command.includes(adminSocket);
  };
  return `/proc/${findProcess(isEnvoy)}/root/etc/certs`;
}

function findProcess(isWanted: (pid: string) => boolean): string {
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isWanted(name));
  if (found === undefined) throw new Error('there is no such process');
  return found;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Who the app was told had called, by the header that its Envoy adds to what comes by mutual TLS; undefined for plain text. */
export function identitySeen({ echo }: Pick<Outcome, 'echo'>): string | undefined {
  return /(?:^|;)URI=([^;,]+)/.exec(echo?.headers['x-forwarded-client-cert'] ?? '')?.[1];
}
