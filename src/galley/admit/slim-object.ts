import { collectionFor } from '../../apis/collections.ts';
import type { SourceObject } from '../sources/source.ts';

const nothing: SourceObject['body'] = Object.freeze({});

/** An object without its body, once that has been parsed; except for the status, which is not part of any spec. */
export function slimObject(object: SourceObject): SourceObject {
  const { status } = object.body;
  const isOurs = collectionFor(object.apiVersion, object.kind)?.source === 'istio';
  return { ...object, body: isOurs && status !== undefined ? { status } : nothing };
}
