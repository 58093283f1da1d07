import type { Destination, HttpRoute } from '../../../apis/networking/networking.ts';

export type Mirror = {
  readonly destination: Destination;
  /** Above 0, at most 100. */
  readonly percent: number;
  readonly path: string;
};

/** All copies a rule asks for, the old way and the new, without those that are never made. */
export function mirrorsOf(route: HttpRoute): readonly Mirror[] {
  const many = (route.mirrors ?? []).map(({ destination, percentage }, index) => ({
    destination,
    percent: percentage === undefined ? 100 : (percentage.value ?? 0),
    path: `mirrors[${index}]`,
  }));
  const share = route.mirrorPercentage === undefined ? route.mirrorPercent : (route.mirrorPercentage.value ?? 0);
  const one = route.mirror === undefined ? [] : [{ destination: route.mirror, percent: share ?? 100, path: 'mirror' }];
  return [...one, ...many].filter(({ percent }) => percent > 0);
}
