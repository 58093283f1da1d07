import { err, ok, type Result } from '../kit/result.ts';
import type { Limits } from './limits.ts';
import { type Status, StatusCode } from './status.ts';
import { WireError, WireReader } from './wire.ts';

type CommonRequest = {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Why the client rejects the response that the nonce names. */
  readonly error: string | undefined;
  /** The `Node` message, unread. */
  readonly node: WireReader | undefined;
};

export type DeltaRequest = CommonRequest & {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
};

export type SotwRequest = CommonRequest & { readonly names: readonly string[] };

/** Where the two request messages keep what they have in common, and what else to read. */
type Shape = {
  readonly fields: { readonly node: number; readonly typeUrl: number; readonly nonce: number; readonly error: number };
  readonly readOther: (reader: WireReader) => void;
};

const MAX_ERROR_LENGTH = 8192;

const DELTA_FIELDS = { node: 1, typeUrl: 2, nonce: 6, error: 7 };
const SOTW_FIELDS = { node: 2, typeUrl: 4, nonce: 5, error: 6 };

export function decodeDeltaRequest(bytes: Buffer, limits: Limits): Result<DeltaRequest, Status> {
  return catching(() => {
    const subscribe: string[] = [];
    const unsubscribe: string[] = [];
    const initialVersions = new Map<string, string>();
    const readOther = (reader: WireReader): void => {
      if (reader.field === 3) subscribe.push(readName(reader, limits));
      else if (reader.field === 4) unsubscribe.push(readName(reader, limits));
      else if (reader.field === 5) readVersion(reader.message(), limits, initialVersions);
      requireFewer(subscribe.length + unsubscribe.length + initialVersions.size, limits);
    };
    const common = readCommon(bytes, limits, { fields: DELTA_FIELDS, readOther });
    return { ...common, subscribe, unsubscribe, initialVersions };
  });
}

export function decodeSotwRequest(bytes: Buffer, limits: Limits): Result<SotwRequest, Status> {
  return catching(() => {
    const names: string[] = [];
    const readOther = (reader: WireReader): void => {
      if (reader.field !== 3) return;
      names.push(readName(reader, limits));
      requireFewer(names.length, limits);
    };
    const common = readCommon(bytes, limits, { fields: SOTW_FIELDS, readOther });
    return { ...common, names };
  });
}

function readCommon(bytes: Buffer, limits: Limits, { fields, readOther }: Shape): CommonRequest {
  if (bytes.length > limits.requestBytes)
    throw new LimitError(`a request may have ${limits.requestBytes} bytes, this one has ${bytes.length}`);
  const text = { typeUrl: '', nonce: '' };
  let error: string | undefined;
  let node: WireReader | undefined;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === fields.typeUrl) text.typeUrl = readName(reader, limits);
    else if (reader.field === fields.nonce) text.nonce = readName(reader, limits);
    else if (reader.field === fields.error) error = readError(reader.message());
    else if (reader.field === fields.node) node = readNodeField(reader, limits);
    else readOther(reader);
  }
  if (text.typeUrl === '') throw new WireError('the request has no type_url, which an aggregated stream needs');
  return { ...text, error, node };
}

function readNodeField(reader: WireReader, limits: Limits): WireReader {
  if (reader.length() > limits.nodeBytes)
    throw new LimitError(`a node may have ${limits.nodeBytes} bytes, this one has ${reader.length()}`);
  return reader.message();
}

function readName(reader: WireReader, limits: Limits): string {
  if (reader.length() > limits.nameLength)
    throw new LimitError(`a name may have ${limits.nameLength} bytes, one has ${reader.length()}`);
  return reader.text();
}

function readVersion(entry: WireReader, limits: Limits, versions: Map<string, string>): void {
  let name = '';
  let version = '';
  while (entry.next()) {
    if (entry.field === 1) name = readName(entry, limits);
    else if (entry.field === 2) version = readName(entry, limits);
  }
  versions.set(name, version);
}

/** A `google.rpc.Status` without message still is an error. */
function readError(reader: WireReader): string {
  let message = '';
  while (reader.next()) {
    if (reader.field === 2) message = reader.bytes().toString('utf8', 0, MAX_ERROR_LENGTH);
  }
  return message;
}

function requireFewer(count: number, limits: Limits): void {
  if (count > limits.namesPerRequest) throw new LimitError(`a request may have ${limits.namesPerRequest} names`);
}

class LimitError extends Error {}

function catching<T>(read: () => T): Result<T, Status> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof LimitError) return err({ code: StatusCode.RESOURCE_EXHAUSTED, message: error.message });
    if (error instanceof WireError)
      return err({ code: StatusCode.INVALID_ARGUMENT, message: `not a discovery request: ${error.message}` });
    throw error;
  }
}
