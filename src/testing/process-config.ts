import { type ProcessConfig, parseProcessConfig } from '../app/config.ts';

/** The configuration of a process under test: free ports, and whatever the test says. */
export function processConfig(overrides: Partial<ProcessConfig>): ProcessConfig {
  const parsed = parseProcessConfig({ source: 'memory', xdsPlaintext: '127.0.0.1:0', admin: '127.0.0.1:0' }, {});
  if (!parsed.ok) throw new Error(parsed.error);
  return { ...parsed.value, ...overrides };
}
