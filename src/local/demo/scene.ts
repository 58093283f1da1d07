import type { Stage } from './stage.ts';

/** A step of the tour that looks at something else than pages. */
export type Scene = {
  readonly title: string;
  readonly why: string;
  /** Whether everything was as the YAML says. */
  readonly play: (stage: Stage) => Promise<boolean>;
};
