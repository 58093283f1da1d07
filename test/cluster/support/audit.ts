import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { asRecord, numberIn, textIn } from '../../../src/kube/json.ts';

/** One answered call, as the API server saw it. */
export type AuditEntry = {
  readonly user: string;
  /** Of the token that was used: replicas have one account, and a token each. */
  readonly credential: string;
  readonly verb: string;
  /** `group/plural/subresource`, without what is empty. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  /** Milliseconds, when the call was answered, or ended. */
  readonly at: number;
  /** Of a write to a Lease: who holds it then. */
  readonly holder: string;
};

/** Leases with what was written, the rest without. Read-only calls of the administrator are of no interest. */
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    {
      level: 'Request',
      userGroups: ['system:serviceaccounts'],
      verbs: ['create', 'update'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    { level: 'Metadata', userGroups: ['system:serviceaccounts'] },
    { level: 'None' },
  ],
};

/** The audit log of the API server of a file: `flags` make it write one. */
export class AuditLog {
  readonly flags: readonly string[];
  readonly #path: string;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'xebec-audit-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    this.#path = join(folder, 'audit.log');
    const policyFile = join(folder, 'policy.json');
    writeFileSync(policyFile, JSON.stringify(policy));
    this.flags = [`--audit-policy-file=${policyFile}`, `--audit-log-path=${this.#path}`];
  }

  /** What service accounts have asked for so far, in order. */
  read(): readonly AuditEntry[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => readEntry(asRecord(JSON.parse(line)))).toSorted((a, b) => a.at - b.at);
  }
}

function readEntry(event: Readonly<Record<string, unknown>>): AuditEntry {
  const user = asRecord(event['user']);
  const ref = asRecord(event['objectRef']);
  const credential = asRecord(user['extra'])['authentication.kubernetes.io/credential-id'];
  const { apiGroup = '', resource = '', subresource = '' } = ref;
  return {
    user: textIn(user, 'username'),
    credential: Array.isArray(credential) ? String(credential[0]) : '',
    verb: textIn(event, 'verb'),
    resource: [apiGroup, resource, subresource].filter((part) => part !== '').join('/'),
    namespace: textIn(ref, 'namespace'),
    name: textIn(ref, 'name'),
    code: numberIn(asRecord(event['responseStatus']), 'code') ?? 0,
    at: Date.parse(textIn(event, 'stageTimestamp')),
    holder: textIn(asRecord(asRecord(event['requestObject'])['spec']), 'holderIdentity'),
  };
}
