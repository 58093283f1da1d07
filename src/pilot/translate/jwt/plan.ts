/** Which tokens a workload takes. */
export type RequestPlan = { readonly rules: readonly never[] };
