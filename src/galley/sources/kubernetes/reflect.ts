import type { Runnable } from '../../../kit/run-group.ts';
import type { Reflection } from '../../../kube/reflection.ts';

/** Makes the runnable that keeps a copy of a resource's objects up to date. */
export type Reflect = <T>(reflection: Reflection<T>) => Runnable;
