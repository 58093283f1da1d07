/** Labels come from closed unions; an object's name is never one. */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount?: number, labels?: Labels): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  /** Seconds, or bytes for sizes. */
  observe(value: number, labels?: Labels): void;
}

export type MetricText = { readonly name: string; readonly help: string; readonly labels?: readonly string[] };

/** Makes instruments. Asking twice for a name gives the same instrument. */
export interface Metrics {
  counter(text: MetricText): Counter;
  gauge(text: MetricText): Gauge;
  histogram(text: MetricText & { readonly buckets: readonly number[] }): Histogram;
}
