// A thread that signs, so that proxies do not wait for certificates of others.
import { parentPort } from 'node:worker_threads';
import type { Issuer } from '../issuer.ts';
import { signRequest } from './signing-work.ts';
import type { FromWorker, ToWorker } from './worker-signer.ts';

let issuer: Issuer | undefined;

function answer(message: ToWorker): FromWorker | undefined {
  if (message.kind === 'issuer') {
    issuer = message.issuer;
    return undefined;
  }
  const { id, job } = message;
  try {
    if (issuer === undefined) throw new Error('there is no issuer');
    return { id, kind: 'done', result: signRequest(issuer, job) };
  } catch (error) {
    return { id, kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (message: ToWorker) => {
  const reply = answer(message);
  if (reply !== undefined) parentPort?.postMessage(reply);
});
