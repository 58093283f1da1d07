import { err, ok, type Result } from '../kit/result.ts';
import type { KubeError, KubeResult, WatchEvent } from './api.ts';
import { statusError, unreachableError } from './errors.ts';
import { asRecord, isRecord, parseJson, resourceVersionOf } from './json.ts';
import { LineSplitter } from './lines.ts';

/** Several times the largest object that etcd takes. */
const LINE_BYTES = 16 * 1024 * 1024;

/** The events in the chunks of a watch. What cannot be read ends it with an error: the next watch resumes before it. */
export async function* readWatch(
  chunks: AsyncIterable<Result<Buffer, KubeError>>,
): AsyncGenerator<KubeResult<WatchEvent>> {
  const splitter = new LineSplitter(LINE_BYTES);
  for await (const chunk of chunks) {
    if (!chunk.ok) {
      yield chunk;
      return;
    }
    const lines = splitter.push(chunk.value);
    if (lines === undefined) {
      yield err(unreadable(`an event is longer than ${LINE_BYTES} bytes`));
      return;
    }
    for (const line of lines) {
      const event = parseEvent(line);
      yield event;
      if (!event.ok) return;
    }
  }
  if (splitter.pending > 0) yield err(unreachableError('the watch ended within an event'));
}

function parseEvent(line: string): KubeResult<WatchEvent> {
  const value = asRecord(parseJson(line));
  const { type, object } = value;
  if (!isRecord(object)) return err(unreadable('an event of the watch is no JSON object'));
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return ok({ type, object });
    case 'BOOKMARK':
      return ok({ type, resourceVersion: resourceVersionOf(object) });
    case 'ERROR':
      return err(statusError(object));
    default:
      return err(unreadable('the watch has an event of an unknown type'));
  }
}

function unreadable(message: string): KubeError {
  return { reason: 'other', status: undefined, message, retryAfterMs: undefined };
}
