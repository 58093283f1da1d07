/** One question of a name server's client, RFC 1035 section 4. */
export type DnsQuestion = { readonly name: string; readonly isForAddress: boolean };

const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
const NO_SUCH_NAME = 3;
/** An answer by who has the say, with recursion, if it was asked for, on offer. */
const ANSWER_FLAGS = 0x8480;
const RECURSION_DESIRED = 0x0100;
const TTL_SECONDS = 5;

/** The first question; undefined of what is no query with exactly one. */
export function readQuestion(query: Buffer): DnsQuestion | undefined {
  const end = findQuestionEnd(query);
  if (end === undefined || (query.readUInt16BE(2) & 0xf800) !== 0 || query.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  for (let at = HEADER_BYTES; query.readUInt8(at) > 0; at += 1 + query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query.readUInt8(at)));
  }
  const isForAddress = query.readUInt16BE(end - 4) === TYPE_A && query.readUInt16BE(end - 2) === CLASS_IN;
  return { name: labels.join('.').toLowerCase(), isForAddress };
}

/** What to say to a query that `readQuestion` took: IPv4 addresses, or that there is no such name. */
export function buildAnswer(query: Buffer, addresses: readonly string[] | undefined): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  query.copy(head, 0, 0, 2);
  const echoed = query.readUInt16BE(2) & RECURSION_DESIRED;
  head.writeUInt16BE(ANSWER_FLAGS | echoed | (addresses === undefined ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses?.length ?? 0, 6);
  const records = (addresses ?? []).map((address) => {
    // The name is where the question has it.
    const record = [0xc0, HEADER_BYTES, 0, TYPE_A, 0, CLASS_IN, 0, 0, 0, TTL_SECONDS, 0, 4];
    return Buffer.from([...record, ...address.split('.').map(Number)]);
  });
  return Buffer.concat([head, query.subarray(HEADER_BYTES, findQuestionEnd(query)), ...records]);
}

/** Where the first question ends: after its name, type and class. */
function findQuestionEnd(query: Buffer): number | undefined {
  let at = HEADER_BYTES;
  while (at < query.length) {
    const length = query.readUInt8(at);
    // Two high bits are a pointer, which a question has no use for.
    if (length > 63) return undefined;
    at += 1 + length;
    if (length === 0) return at + 4 <= query.length ? at + 4 : undefined;
  }
  return undefined;
}
