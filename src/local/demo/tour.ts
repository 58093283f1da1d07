import type { Effect } from './effect.ts';
import type { Sight } from './observe.ts';

/** What visitors of one kind are expected to see. Sights that are not named must not appear. */
export type Expectation = {
  readonly user: string | undefined;
  readonly requests: number;
  readonly concurrency: number;
  readonly shares: Readonly<Partial<Record<Sight, number>>>;
  /** The page in the middle takes at least and at most so long. */
  readonly ms: { readonly from: number; readonly to: number };
};

export type Step = {
  readonly title: string;
  readonly why: string;
  /** Files of the sample's `networking/`, applied in this order. */
  readonly files: readonly string[];
  /** Where the last of them takes effect. */
  readonly effect: Effect | undefined;
  readonly expect: readonly Expectation[];
};

/** Pages wait for nothing but this machine, which may be busy. */
const QUICK = { from: 0, to: 2_000 };

const anybody = (requests: number, shares: Expectation['shares'], ms: Expectation['ms'] = QUICK): Expectation => ({
  user: undefined,
  requests,
  concurrency: 4,
  shares,
  ms,
});
const jason = (requests: number, shares: Expectation['shares'], ms: Expectation['ms'] = QUICK): Expectation => ({
  ...anybody(requests, shares, ms),
  user: 'jason',
});

const reviewsRoute = (says: string): Effect => ({
  deployment: 'productpage-v1',
  resource: 'routes',
  name: '9080',
  says,
});
const ratingsRoute = (says: string): Effect => ({ ...reviewsRoute(says), deployment: 'reviews-v2' });

export const TOUR: readonly Step[] = [
  {
    title: 'all versions',
    why: 'Nothing says where reviews goes: its three versions take turns.',
    files: [],
    effect: undefined,
    // One after the other: the load balancer prefers idle endpoints, and v1 is idle sooner.
    expect: [{ ...anybody(150, { 'no stars': 1 / 3, 'black stars': 1 / 3, 'red stars': 1 / 3 }), concurrency: 1 }],
  },
  {
    title: 'all v1',
    why: 'Subsets name the versions, and every route names v1.',
    files: ['destination-rule-all.yaml', 'virtual-service-all-v1.yaml'],
    effect: reviewsRoute('outbound|9080|v1|reviews.default.svc.cluster.local'),
    expect: [anybody(100, { 'no stars': 1 })],
  },
  {
    title: 'v2 for jason',
    why: 'A header that productpage adds for who is signed in chooses the version.',
    files: ['virtual-service-reviews-test-v2.yaml'],
    effect: reviewsRoute('outbound|9080|v2|reviews.default.svc.cluster.local'),
    expect: [anybody(60, { 'no stars': 1 }), jason(60, { 'black stars': 1 })],
  },
  {
    title: 'a canary: 80/20',
    why: 'One in five sees v2.',
    files: ['virtual-service-reviews-80-20.yaml'],
    effect: reviewsRoute('"weight":20'),
    expect: [anybody(400, { 'no stars': 0.8, 'black stars': 0.2 })],
  },
  {
    title: 'half and half',
    why: 'The canary grows, with another version.',
    files: ['virtual-service-reviews-50-v3.yaml'],
    effect: reviewsRoute('"weight":50'),
    expect: [anybody(300, { 'no stars': 0.5, 'red stars': 0.5 })],
  },
  {
    title: 'a delay for jason',
    why: 'Ratings takes 7 s; reviews would wait 10, but productpage gives up after twice 3. Only jason is hurt.',
    files: ['virtual-service-reviews-test-v2.yaml', 'virtual-service-ratings-test-delay.yaml'],
    effect: ratingsRoute('"fixed_delay":"7s"'),
    expect: [anybody(40, { 'no stars': 1 }), { ...jason(4, { 'reviews unavailable': 1 }, { from: 5_800, to: 8_500 }) }],
  },
  {
    title: 'an error for jason',
    why: 'Ratings answers 500; reviews copes, and says so at once.',
    files: ['virtual-service-ratings-test-abort.yaml'],
    effect: ratingsRoute('"http_status":500'),
    expect: [anybody(40, { 'no stars': 1 }), jason(40, { 'ratings unavailable': 1 })],
  },
  {
    title: 'a slow service',
    why: 'Ratings takes 2 s for everybody, and so does the page.',
    files: ['virtual-service-reviews-v2.yaml', 'virtual-service-ratings-delay-2s.yaml'],
    effect: ratingsRoute('"fixed_delay":"2s"'),
    expect: [anybody(8, { 'black stars': 1 }, { from: 1_900, to: 4_000 })],
  },
  {
    title: 'a timeout',
    why: 'Whoever calls reviews waits half a second at most; productpage tries twice.',
    files: ['virtual-service-reviews-timeout.yaml'],
    effect: reviewsRoute('"timeout":"0.500s"'),
    expect: [anybody(8, { 'reviews unavailable': 1 }, { from: 950, to: 3_000 })],
  },
];
