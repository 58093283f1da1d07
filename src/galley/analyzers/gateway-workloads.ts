import { type Analyzer, about } from './analyzer.ts';

/** A Gateway's selector selects nothing that is known, so no proxy serves it. */
export const gatewayWorkloads: Analyzer = {
  name: 'gateway-workloads',
  run: ({ snapshot: { objects }, workloads }) => {
    if (workloads.isEmpty) return [];
    return objects.Gateway.flatMap((object) => {
      const selector = object.spec.selector ?? {};
      if (workloads.select(selector).length > 0) return [];
      const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
      const message = `no known workload has the labels ${labels.join(', ')}: start a gateway, or correct the selector`;
      return [about(object, { code: 'IST0101', level: 'info', path: ['spec', 'selector'], message })];
    });
  },
};
