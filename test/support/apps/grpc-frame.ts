/** A gRPC message on the wire: not compressed, length first. */
export function encodeFrame(message: string): Buffer {
  const body = Buffer.from(message);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** The one message of a unary call; undefined if it is not whole. */
export function decodeFrame(bytes: Buffer): string | undefined {
  if (bytes.length < 5) return undefined;
  const end = 5 + bytes.readUInt32BE(1);
  return bytes.length < end ? undefined : bytes.subarray(5, end).toString('utf8');
}
