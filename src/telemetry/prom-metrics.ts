import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** Prometheus instruments in a registry of their own. */
export class PromMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #made = new Map<string, unknown>();

  /** The text exposition format, version 0.0.4. */
  expose(): Promise<string> {
    return this.#registry.metrics();
  }

  counter: Metrics['counter'] = (text) =>
    this.#once(text.name, () => {
      const counter = new Counter({
        name: text.name,
        help: text.help,
        labelNames: [...(text.labels ?? [])],
        registers: [this.#registry],
      });
      return { add: (amount = 1, labels = {}) => counter.inc(labels, amount) };
    });

  gauge: Metrics['gauge'] = (text) =>
    this.#once(text.name, () => {
      const gauge = new Gauge({
        name: text.name,
        help: text.help,
        labelNames: [...(text.labels ?? [])],
        registers: [this.#registry],
      });
      return { set: (value, labels = {}) => gauge.set(labels, value) };
    });

  histogram: Metrics['histogram'] = (text) =>
    this.#once(text.name, () => {
      const histogram = new Histogram({
        name: text.name,
        help: text.help,
        labelNames: [...(text.labels ?? [])],
        buckets: [...text.buckets],
        registers: [this.#registry],
      });
      return { observe: (value, labels = {}) => histogram.observe(labels, value) };
    });

  #once<T>(name: string, make: () => T): T {
    const known = this.#made.get(name);
    if (known !== undefined) return known as T;
    const made = make();
    this.#made.set(name, made);
    return made;
  }
}
