/** Something else's figure for the same work, and how the measured one compares to what was aimed at. */
export type Comparison = {
  /** Such as `Istio 1.29`, `memcpy`, `goal`. */
  readonly to: string;
  readonly value: number;
};

/** One figure of one workload. Smaller is better in all of them. */
export type Figure = {
  readonly workload: string;
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'MiB' | 'MB' | '' | 'KiB' | 's';
  readonly beside?: readonly Comparison[];
  /** At most this. */
  readonly goal?: number;
};

export type RowReport = {
  /** The row of the table in the design, such as 2. */
  readonly row: number;
  readonly title: string;
  /** What every figure depends on: debounce, cache state, variant of the protocol, transport, scope. */
  readonly conditions: string;
  readonly figures: readonly Figure[];
  /** What a reader must know to trust or to doubt the figures. */
  readonly notes: readonly string[];
};

export function renderReport({ row, title, conditions, figures, notes }: RowReport): string {
  const lines = figures.map(({ workload, what, value, unit, beside = [], goal }) => {
    const others = beside.map(
      (other) => `${formatRatio(value / other.value)} × ${other.to} (${format(other.value, unit)})`,
    );
    const aim = goal === undefined ? '' : `${value <= goal ? 'met' : '**missed**'}: ≤ ${format(goal, unit)}`;
    return `| ${workload} | ${what} | ${format(value, unit)} | ${others.join(', ')} | ${aim} |`;
  });
  return [
    `### ${row}. ${title}`,
    '',
    conditions,
    '',
    '| workload | measure | measured | beside | goal |',
    '|---|---|---|---|---|',
    ...lines,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${note}`)]),
    '',
  ].join('\n');
}

function format(value: number, unit: Figure['unit']): string {
  const text = Number.isInteger(value) || Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
  return `${text} ${unit}`.trim();
}

function formatRatio(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(2);
}
