// The status that every kind has: conditions and counts as xebec writes them, messages as Istio's tools read them.
import type { JsonObject } from './spec-schema.ts';

const text = { type: 'string' };
const number = { type: 'integer', format: 'int64' };
const keepUnknown = { 'x-kubernetes-preserve-unknown-fields': true };

/** What others write stays: `addresses` of a ServiceEntry, `lastProbeTime` of a condition. */
export const statusSchema: JsonObject = {
  type: 'object',
  description: 'What xebec has made of the object. Written by xebec.',
  properties: {
    observedGeneration: { ...number, description: 'The generation of the spec that the status is about.' },
    conditions: {
      type: 'array',
      description: 'Accepted, ResolvedRefs, Conflicted and Programmed.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type'],
        properties: {
          type: text,
          status: text,
          reason: text,
          message: text,
          observedGeneration: number,
          lastTransitionTime: { type: 'string', format: 'date-time' },
        },
        ...keepUnknown,
      },
    },
    validationMessages: {
      type: 'array',
      description: 'Problems of the object, in the form that Istio’s tools read.',
      items: {
        type: 'object',
        properties: {
          type: { type: 'object', properties: { code: text, name: text }, ...keepUnknown },
          level: { type: 'string', enum: ['UNKNOWN', 'ERROR', 'WARNING', 'INFO'] },
          documentationUrl: text,
          message: text,
        },
        ...keepUnknown,
      },
    },
    programmed: { type: 'string', description: 'Proxies that took the object, of those that are meant to: 12/12.' },
    programmedProxies: { ...number, description: 'How many proxies took it.' },
    knownProxies: { ...number, description: 'How many proxies are meant to take it.' },
  },
  ...keepUnknown,
};
