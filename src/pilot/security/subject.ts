import type { Proxy } from '../../model/proxy.ts';
import type { ServiceTarget } from '../../model/service.ts';

/** The workload that is protected. */
export type Subject = {
  readonly kind: Proxy['kind'];
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it serves: classic policies name services. */
  readonly targets: readonly ServiceTarget[];
};
