import { describe, expect, it } from 'vitest';
import type { Service } from '../../model/service.ts';
import { locateAuthorizers } from './authorizer-places.ts';

function service(namespace: string, hostname: string): Service {
  return { namespace, hostname, ports: [{ port: 9000, protocol: 'GRPC' }] } as unknown as Service;
}

const servicesByHostname = new Map([['opa.example', [service('a', 'opa.example'), service('b', 'opa.example')]]]);

function place(name: string, port = 9000) {
  const settings = { service: name, port };
  return locateAuthorizers([{ name: 'opa', envoyExtAuthzGrpc: settings }], { servicesByHostname }).get('opa');
}

describe('where authorizers listen', () => {
  it.each(['opa.example', 'OPA.example', 'b/opa.example'])('%s is a service of the mesh', (name) => {
    expect(place(name)).toEqual({ kind: 'somewhere', hostname: 'opa.example', port: 9000, protocol: 'GRPC' });
  });

  it('says why there is none', () => {
    expect(place('c/opa.example')).toEqual({ kind: 'nowhere', reason: 'there is no service c/opa.example' });
    expect(place('other.example')).toEqual({ kind: 'nowhere', reason: 'there is no service other.example' });
    expect(place('opa.example', 80)).toEqual({ kind: 'nowhere', reason: 'service opa.example has no port 80' });
  });

  it('knows only providers that authorize, and of two with one name the first', () => {
    const providers = [
      { name: 'log', envoyFileAccessLog: {} },
      { name: 'two', envoyExtAuthzHttp: { service: 'opa.example', port: 9000 } },
      { name: 'two', envoyExtAuthzHttp: { service: 'gone.example', port: 9000 } },
    ];
    const found = locateAuthorizers(providers, { servicesByHostname });
    expect([...found].map(([name, { kind }]) => `${name} ${kind}`)).toEqual(['two somewhere']);
  });
});
