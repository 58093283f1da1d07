import { asRecord, textIn } from '../../kube/json.ts';
import type { Check, CheckInputs, Finding } from './check.ts';
import { ok, warning } from './findings.ts';

const selves = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews' };
const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** Certificates begin two minutes before they are made: so far may clocks be apart. */
const TOLERANCE_MS = 120_000;

/** That the clocks here, of the API server and of the leader agree: certificates have a beginning and an end. */
export const checkClocks: Check = async (inputs, signal) => {
  const apiServer = await timeOfApiServer(inputs, signal);
  // Before Kubernetes 1.28, and for who may not ask who he is.
  if (apiServer === undefined) return [];
  const leader = await timeOfLeader(inputs, signal);
  const here = judge('this machine', inputs.clock.now() - apiServer);
  // The Lease is as old as its last renewal: a leader whose clock is behind cannot be told from one that is gone.
  const ahead = leader === undefined ? undefined : leader - apiServer;
  const all = [here, ahead !== undefined && ahead > TOLERANCE_MS ? judge('the leader', ahead) : undefined];
  const wrong = all.filter((finding) => finding !== undefined && finding.state !== 'ok');
  return wrong.length > 0 ? wrong.flatMap((finding) => finding ?? []) : [here];
};

async function timeOfApiServer({ kube }: CheckInputs, signal: AbortSignal): Promise<number | undefined> {
  const question = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await kube.create(selves, question, signal);
  if (!answer.ok) return undefined;
  return timeIn(textIn(asRecord(answer.value['metadata']), 'creationTimestamp'));
}

async function timeOfLeader({ kube, config }: CheckInputs, signal: AbortSignal): Promise<number | undefined> {
  const { namespace, service } = config;
  const lease = await kube.get(leases, { namespace, name: `${service}-leader` }, signal);
  return lease.ok ? timeIn(textIn(asRecord(lease.value['spec']), 'renewTime')) : undefined;
}

function timeIn(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function judge(whose: string, differenceMs: number): Finding {
  const seconds = Math.round(Math.abs(differenceMs) / 1_000);
  if (Math.abs(differenceMs) <= TOLERANCE_MS) return ok('the clocks here and of the API server agree');
  const direction = differenceMs > 0 ? 'ahead of' : 'behind';
  return warning(
    `the clock of ${whose} is ${seconds} s ${direction} that of the API server: certificates seem not to be valid yet, or no more`,
    'have all of them set by one time server',
  );
}
