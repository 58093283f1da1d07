import { z } from 'zod';
import { err, ok, type Result } from '../kit/result.ts';
import type { LogLevel } from '../telemetry/pino-logger.ts';

/** The controllers that one process can run. Those of later issues join this list. */
export const CONTROLLERS = ['galley', 'pilot'] as const;
export type Controller = (typeof CONTROLLERS)[number];

export type Address = { readonly host: string; readonly port: number };

/** What a process needs to know, merged once from flags, environment and defaults. */
export type ProcessConfig = {
  /** The folder of YAML. */
  readonly source: string;
  /** A MeshConfig file that overrides the folder's own. */
  readonly meshConfig: string | undefined;
  readonly controllers: readonly Controller[];
  readonly xdsPlaintext: Address;
  readonly admin: Address;
  readonly logLevel: LogLevel;
  /** The DNS suffix of the Kubernetes cluster. */
  readonly domain: string;
  readonly debounceAfterMs: number;
  readonly debounceMaxMs: number;
};

export type Flags = Readonly<Partial<Record<keyof ProcessConfig, string>>>;
type Environment = Readonly<Record<string, string | undefined>>;

const address = z.string().transform((text, context) => {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65535) {
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text)} is no address; write host:port, such as 127.0.0.1:15010`,
    });
    return z.NEVER;
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
});

const milliseconds = z.string().transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text);
  if (match === null) {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no duration; write 100ms or 10s` });
    return z.NEVER;
  }
  return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
});

const controllers = z.string().transform((text, context) => {
  const names = text.split(',').map((name) => name.trim());
  const known: readonly string[] = CONTROLLERS;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    context.addIssue({
      code: 'custom',
      message: `unknown controller ${unknown.map((name) => JSON.stringify(name)).join(', ')}; there are ${CONTROLLERS.join(', ')}`,
    });
    return z.NEVER;
  }
  return CONTROLLERS.filter((name) => names.includes(name));
});

const noSource = 'is missing; give the folder of YAML to serve';

const schema = z.object({
  source: z.string({ error: noSource }).min(1, { error: noSource }),
  meshConfig: z.string().min(1, { error: 'names no file' }).optional(),
  controllers: controllers.prefault(CONTROLLERS.join(',')),
  xdsPlaintext: address.prefault('127.0.0.1:15010'),
  admin: address.prefault('127.0.0.1:8080'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' })
    .prefault('info'),
  domain: z.string().min(1, { error: 'names no domain' }).prefault('cluster.local'),
  debounceAfterMs: milliseconds.prefault('100ms'),
  debounceMaxMs: milliseconds.prefault('10s'),
});

type Setting = { readonly flag: string; readonly variables: readonly string[] };

/** How a person says each setting. */
const settings: Readonly<Record<keyof ProcessConfig, Setting>> = {
  source: { flag: '--source', variables: ['XEBEC_SOURCE'] },
  meshConfig: { flag: '--mesh-config', variables: ['XEBEC_MESH_CONFIG'] },
  controllers: { flag: '--controllers', variables: ['XEBEC_CONTROLLERS'] },
  xdsPlaintext: { flag: '--xds-plaintext', variables: ['XEBEC_XDS_PLAINTEXT'] },
  admin: { flag: '--admin', variables: ['XEBEC_ADMIN'] },
  logLevel: { flag: '--log-level', variables: ['XEBEC_LOG_LEVEL'] },
  domain: { flag: '--domain', variables: ['XEBEC_DOMAIN'] },
  debounceAfterMs: { flag: '--debounce-after', variables: ['XEBEC_DEBOUNCE_AFTER', 'PILOT_DEBOUNCE_AFTER'] },
  debounceMaxMs: { flag: '--debounce-max', variables: ['XEBEC_DEBOUNCE_MAX', 'PILOT_DEBOUNCE_MAX'] },
};

/** Merges flags over environment over defaults. The error has one line per bad setting, in the words of whoever set it. */
export function parseProcessConfig(flags: Flags, environment: Environment): Result<ProcessConfig, string> {
  const given: Record<string, string> = {};
  const origin: Record<string, string> = {};
  for (const [key, { flag, variables }] of Object.entries(settings)) {
    const variable = variables.find((name) => environment[name] !== undefined && environment[name] !== '');
    const value = flags[key as keyof ProcessConfig] ?? (variable === undefined ? undefined : environment[variable]);
    origin[key] = flags[key as keyof ProcessConfig] === undefined && variable !== undefined ? variable : flag;
    if (value !== undefined) given[key] = value;
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    return err(parsed.error.issues.map((issue) => `${origin[String(issue.path[0])]}: ${issue.message}`).join('\n'));
  }
  return ok({ ...parsed.data, meshConfig: parsed.data.meshConfig });
}
