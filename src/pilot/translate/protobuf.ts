import { isUnixAddress } from '../../apis/address.ts';
import { parseDuration } from '../../apis/duration.ts';
import type { StringMatch } from '../../apis/networking/networking.ts';
import { anyOf } from '../../gen/codec.ts';
import type {
  Address,
  Any,
  BoolValue,
  ConfigSource,
  Duration,
  FractionalPercent,
  Messages,
  Metadata,
  Percent,
  RegexMatcher,
  RuntimeFractionalPercent,
  StringMatcher,
  Struct,
  UInt32Value,
  UInt64Value,
  Value,
} from '../../gen/types.ts';
import { ApiVersion, FractionalPercent_DenominatorType } from '../../gen/types.ts';
import { sortedEntries } from '../../kit/order.ts';
import type { ObjectRef } from '../../model/object.ts';

export const MAX_UINT32 = 4_294_967_295;

/** Milliseconds, with a fraction where there is one. */
export function duration(millis: number): Duration {
  const nanos = Math.round(millis * 1e6);
  const seconds = Math.trunc(nanos / 1e9);
  return { seconds, nanos: nanos - seconds * 1e9 };
}

/** The milliseconds of a duration as admitted specs write it. */
export function millisOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.value : undefined;
}

export function durationOf(text: string | undefined): Duration | undefined {
  const millis = millisOf(text);
  return millis === undefined ? undefined : duration(millis);
}

/** Whole seconds, at least 1: what keepalive fields take. */
export function secondsOf(text: string | undefined): UInt32Value | undefined {
  const millis = millisOf(text);
  return millis === undefined ? undefined : uint32(Math.max(1, Math.round(millis / 1000)));
}

/** A number that does not fit is brought to the nearest one that does: encoding would wrap it around, silently. */
export function uint32(value: number): UInt32Value {
  return { value: Math.min(MAX_UINT32, Math.max(0, Math.round(value))) };
}

export function uint64(value: number): UInt64Value {
  return { value: Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value))) };
}

export function bool(value: boolean): BoolValue {
  return { value };
}

/** 0 to 100. */
export function percent(value: number): Percent {
  return { value: Math.min(100, Math.max(0, value)) };
}

/** 0 to 100, down to a ten-thousandth. */
export function fractionalPercent(value: number): FractionalPercent {
  const { value: inRange } = percent(value);
  return { numerator: Math.round((inRange ?? 0) * 10_000), denominator: FractionalPercent_DenominatorType.MILLION };
}

export function runtimePercent(value: number): RuntimeFractionalPercent {
  return { defaultValue: fractionalPercent(value) };
}

/** RE2, and the whole text must match. */
export function regexMatcher(regex: string): RegexMatcher {
  return { regex };
}

/** Undefined for `{}`, which asks for presence alone. */
export function stringMatcher(match: StringMatch): StringMatcher | undefined {
  if (match.exact !== undefined) return { exact: match.exact };
  if (match.prefix !== undefined) return { prefix: match.prefix };
  return match.regex === undefined ? undefined : { safeRegex: regexMatcher(match.regex) };
}

export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json };

/** Members that are undefined are left out. */
export function struct(record: { readonly [key: string]: Json }): Struct {
  const fields: Record<string, Value> = {};
  for (const [key, value] of sortedEntries(record)) if (value !== undefined) fields[key] = valueOf(value);
  return { fields };
}

function valueOf(json: Exclude<Json, undefined>): Value {
  switch (typeof json) {
    case 'string':
      return { stringValue: json };
    case 'number':
      return { numberValue: json };
    case 'boolean':
      return { boolValue: json };
    default:
      return json === null ? { nullValue: 0 } : objectValue(json);
  }
}

function objectValue(json: readonly Json[] | { readonly [key: string]: Json }): Value {
  if (!isList(json)) return { structValue: struct(json) };
  const values = json.flatMap((item) => (item === undefined ? [] : [valueOf(item)]));
  return { listValue: { values } };
}

function isList(json: object): json is readonly Json[] {
  return Array.isArray(json);
}

/** `filter_metadata.istio`. */
export function istioMetadata(record: { readonly [key: string]: Json }): Metadata {
  return { filterMetadata: { istio: struct(record) } };
}

/** The object a resource came from as Istio's tools read it: `/apis/networking.istio.io/v1alpha3/namespaces/a/virtual-service/b`. */
export function configPath({ kind, namespace, name }: ObjectRef): string {
  const kebab = kind.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
  return `/apis/networking.istio.io/v1alpha3/namespaces/${namespace}/${kebab}/${name}`;
}

/** An IP and port, or a unix socket (`unix:///path`, `unix://@abstract`). */
export function addressOf(address: string, port: number): Address {
  if (isUnixAddress(address)) return { pipe: { path: address.slice('unix://'.length) } };
  return { socketAddress: { address, portValue: port } };
}

/** Resources that come over the same stream. Without a timeout of its own, so that a slow start never means an empty resource. */
export const adsSource: ConfigSource = { ads: {}, initialFetchTimeout: duration(0), resourceApiVersion: ApiVersion.V3 };

/** A named extension: also the shape of filters, transport sockets and retry predicates. */
export function extension<K extends keyof Messages & string>(
  name: string,
  type: K,
  message: Messages[K],
): { readonly name: string; readonly typedConfig: Any } {
  return { name, typedConfig: anyOf(type, message) };
}
