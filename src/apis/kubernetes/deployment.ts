import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { podSpecSchema } from './pod.ts';
import { listOf, optionalNumber, textMapOrEmpty, textOrEmpty } from './schema.ts';

const selectorSchema = z.object({
  matchLabels: textMapOrEmpty,
  matchExpressions: listOf(z.object({ key: textOrEmpty, operator: textOrEmpty, values: listOf(z.string()) })),
});

const templateSchema = z
  .object({
    metadata: z.object({ labels: textMapOrEmpty, annotations: textMapOrEmpty }).nullish(),
    spec: podSpecSchema,
  })
  .transform(({ metadata, spec }) => ({
    labels: metadata?.labels ?? {},
    annotations: metadata?.annotations ?? {},
    spec,
  }));

export const deploymentSchema = z
  .object({
    spec: z.object({ replicas: optionalNumber, selector: selectorSchema, template: templateSchema }),
  })
  .transform(({ spec }) => ({
    replicas: spec.replicas ?? 1,
    selector: spec.selector,
    template: spec.template,
  }));

export type DeploymentSpec = Spec<typeof deploymentSchema>;
