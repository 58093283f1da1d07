import type { Proxy } from '../../../model/proxy.ts';
import type { ServiceAtPort } from '../plan.ts';
import type { Client } from './applies.ts';
import type { RouteDefaults } from './defaults.ts';

/** What the translation of a rule reads beside the rule. */
export type RuleContext = {
  readonly client: Client;
  readonly kind: Proxy['kind'];
  /** Whether the client uses mutual TLS, and so tells servers what is inside. */
  readonly tellsProtocol: boolean;
  readonly destinations: readonly ServiceAtPort[];
  readonly defaults: RouteDefaults;
  /** The virtual service's name, which stands for several destinations in traces. */
  readonly name: string;
};
