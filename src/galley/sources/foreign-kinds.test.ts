import { expect, it } from 'vitest';
import { collections } from '../../apis/collections.ts';
import { classifyForeign } from './foreign-kinds.ts';

const known = Object.values(collections);

it.each([
  ['apps/v1', 'StatefulSet'],
  ['v1', 'PersistentVolumeClaim'],
  ['batch/v1', 'Job'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
])('says nothing about %s %s', (apiVersion, kind) => {
  expect(classifyForeign(apiVersion, kind, known)).toEqual({ kind: 'ignored' });
});

it.each([
  ['networking.istio.io/v1', 'Virtualservice', 'error', 'did you mean VirtualService?'],
  ['networking.istio.io/v2', 'Gateway', 'error', 'networking.istio.io/v1 or'],
  ['networking.istio.oi/v1', 'Gateway', 'error', 'did you mean apiVersion networking.istio.io/v1 or'],
  ['apps/v1', 'Deploiment', 'error', 'did you mean Deployment?'],
  ['v1', 'Servce', 'error', 'did you mean Service?'],
  ['security.istio.io/v1', 'Unheard', 'warning', 'does not know it'],
  ['v1', 'VirtualService', 'error', 'did you mean apiVersion networking.istio.io/v1 or'],
  ['networking.istio.io/v1', 'EnvoyFilter', 'error', 'use networking.istio.io/v1alpha3'],
  ['gateway.networking.k8s.io/v1', 'HTTPRoute', 'warning', 'not read yet'],
  ['gateway.networking.k8s.io/v1', 'Gateway', 'warning', 'not read yet'],
  ['gateway.solo.io/v1', 'VirtualService', 'info', 'no meaning to the mesh'],
  ['networking.k8s.io/v1', 'Ingress', 'info', 'is not read'],
  ['example.com/v1', 'Widget', 'info', 'no meaning to the mesh'],
])('says of %s %s, as %s: %s', (apiVersion, kind, level, message) => {
  expect(classifyForeign(apiVersion, kind, known)).toMatchObject({ level, message: expect.stringContaining(message) });
});
