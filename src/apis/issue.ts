/** How bad an issue is: an `error` keeps the object out, a `warning` and an `info` do not. */
export type IssueLevel = 'error' | 'warning' | 'info';

/**
 * One problem of one object, before anybody knows where the object came from.
 * `code` is stable (`IST…` where the meaning is Istio's, else `XEB…`); `path` starts at the object (`['spec', 'http', 0]`);
 * `message` says what is wrong and what to do.
 */
export type Issue = {
  readonly code: string;
  readonly level: IssueLevel;
  readonly path: readonly (string | number)[];
  readonly message: string;
};

/** Renders a path the way people write it: `spec.http[0].route[1].weight`. */
export function renderPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
