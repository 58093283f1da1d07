/** A time as Kubernetes' MicroTime wants it: six digits after the second. */
export function microTime(millis: number): string {
  return new Date(millis).toISOString().replace('Z', '000Z');
}
