/** Who may do what with a workload. */
export type AccessPlan = { readonly policies: readonly never[] };
