import { expect, test } from 'vitest';
import { parseConfigSource } from './config-source.ts';

test.each([
  ['xds://galley.istio-system.svc:15010', { kind: 'xds', host: 'galley.istio-system.svc', port: 15_010 }],
  ['mcp://10.0.0.1:9901', { kind: 'mcp', host: '10.0.0.1', port: 9901 }],
  ['istio-galley.istio-system.svc:9901', { kind: 'mcp', host: 'istio-galley.istio-system.svc', port: 9901 }],
  ['xds://[fd00::1]:15010', { kind: 'xds', host: 'fd00::1', port: 15_010 }],
  ['fs:///etc/config', { kind: 'folder', path: '/etc/config' }],
  ['k8s://', { kind: 'cluster' }],
])('%s is read', (text, address) => {
  expect(parseConfigSource(text)).toEqual({ ok: true, value: address });
});

test.each(['', 'xds://', 'xds://host', 'http://host:80', 'host:0', 'host:70000', 'fs://relative', 'a b:80'])(
  '%j is refused with what may be written',
  (text) => {
    const read = parseConfigSource(text);
    expect(read.ok ? '' : read.error).toBe(
      `${JSON.stringify(text)} is no config source: write xds://host:port, mcp://host:port, host:port (MCP), fs:///folder or k8s://`,
    );
  },
);
