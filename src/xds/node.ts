import { WireError, type WireReader } from './wire.ts';

/** The client as its `Node` message describes it, without the list of Envoy's extensions, which is long and not needed. */
export type NodeInfo = {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: NodeLocality;
  readonly userAgentName: string;
  /** As sent (gRPC), or `major.minor.patch` of the build version (Envoy). */
  readonly userAgentVersion: string;
  readonly clientFeatures: readonly string[];
};

export type NodeLocality = { readonly region: string; readonly zone: string; readonly subZone: string };

/** Metadata nested deeper than any program writes it is an attack. */
const MAX_DEPTH = 64;

export function readNode(reader: WireReader): NodeInfo {
  const node = { id: '', cluster: '', userAgentName: '', userAgentVersion: '' };
  let metadata: Readonly<Record<string, unknown>> = {};
  let locality: NodeLocality = { region: '', zone: '', subZone: '' };
  const clientFeatures: string[] = [];
  while (reader.next()) {
    if (reader.field === 1) node.id = reader.text();
    else if (reader.field === 2) node.cluster = reader.text();
    else if (reader.field === 3) metadata = readStruct(reader.message(), 0);
    else if (reader.field === 4) locality = readLocality(reader.message());
    else if (reader.field === 6) node.userAgentName = reader.text();
    else if (reader.field === 7) node.userAgentVersion = reader.text();
    else if (reader.field === 8) node.userAgentVersion = readBuildVersion(reader.message());
    else if (reader.field === 10) clientFeatures.push(reader.text());
  }
  return { ...node, metadata, locality, clientFeatures };
}

/** The id alone, for nodes that are repeated on a stream. */
export function readNodeId(reader: WireReader): string {
  let id = '';
  while (reader.next()) if (reader.field === 1) id = reader.text();
  return id;
}

function readLocality(reader: WireReader): NodeLocality {
  const locality = { region: '', zone: '', subZone: '' };
  while (reader.next()) {
    if (reader.field === 1) locality.region = reader.text();
    else if (reader.field === 2) locality.zone = reader.text();
    else if (reader.field === 3) locality.subZone = reader.text();
  }
  return locality;
}

function readBuildVersion(reader: WireReader): string {
  const parts = [0, 0, 0];
  while (reader.next()) {
    if (reader.field !== 1) continue;
    const version = reader.message();
    while (version.next()) if (version.field <= 3) parts[version.field - 1] = version.number;
  }
  return parts.join('.');
}

function readStruct(reader: WireReader, depth: number): Readonly<Record<string, unknown>> {
  const entries: [string, unknown][] = [];
  while (reader.next()) {
    if (reader.field !== 1) continue;
    let key = '';
    let value: unknown;
    const entry = reader.message();
    while (entry.next()) {
      if (entry.field === 1) key = entry.text();
      else if (entry.field === 2) value = readValue(entry.message(), depth);
    }
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function readValue(reader: WireReader, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new WireError('metadata is nested too deeply');
  let value: unknown;
  while (reader.next()) {
    if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) value = reader.text();
    else if (reader.field === 4) value = reader.number !== 0;
    else if (reader.field === 5) value = readStruct(reader.message(), depth + 1);
    else if (reader.field === 6) value = readList(reader.message(), depth + 1);
  }
  return value;
}

function readList(reader: WireReader, depth: number): readonly unknown[] {
  const values: unknown[] = [];
  while (reader.next()) if (reader.field === 1) values.push(readValue(reader.message(), depth));
  return values;
}
