import type { Content, Kind } from '../../pilot/support/contents.ts';
import type { Manifest } from '../../pilot/support/manifests.ts';
import { plantedElsewhere } from './planted-elsewhere.ts';
import { plantedInRoutes } from './planted-routes.ts';

/** An object that is valid and that some Envoy refuses all the same: in which resource, with which words, because of which field. */
export type Planted = {
  readonly title: string;
  readonly object: Manifest;
  readonly resource: Kind;
  /** What is in the refused resource only. */
  readonly mark: string;
  readonly words: (content: Content) => string;
  readonly field: string;
  readonly at?: 'gateway';
};

export const allPlanted: readonly Planted[] = [...plantedInRoutes, ...plantedElsewhere];
