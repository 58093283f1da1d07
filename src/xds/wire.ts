/** The few pieces of the protobuf wire format that the discovery messages need. Lengths stay far below 2^31. */
import { isUtf8 } from 'node:buffer';

const MAX_LENGTH = 0x7fff_ffff;

/** What decoding puts in the place of what is no UTF-8. */
const REPLACEMENT = '\ufffd';

/** Bytes that do not form a message. The peer's mistake: whoever reads a peer's bytes catches this. */
export class WireError extends Error {}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

/** Writes a varint and returns the position after it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > 0x7f) {
    target[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

/** The size of a length-delimited field whose tag is one byte. */
export function fieldSize(contentLength: number): number {
  return 1 + varintSize(contentLength) + contentLength;
}

/** The tag byte of a length-delimited field below 16. */
export function lengthTag(field: number): number {
  return (field << 3) | 2;
}

/** Writes tag and text and returns the position after them; `length` is the text's length in UTF-8. */
export function writeText(
  target: Buffer,
  at: number,
  field: { readonly tag: number; readonly text: string; readonly length: number },
): number {
  target[at] = field.tag;
  const start = writeVarint(target, at + 1, field.length);
  target.write(field.text, start, 'utf8');
  return start + field.length;
}

/** Reads one message's fields in order, without copying: `while (reader.next()) switch (reader.field) …`. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Number of the current field. */
  field = 0;
  /** Value of a varint field, else 0. 64-bit values beyond 2^53 lose precision. */
  number = 0;
  #from = 0;
  #to = 0;
  #isLengthDelimited = false;
  #isDouble = false;

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    if (this.field === 0) throw new WireError('field number 0');
    this.number = 0;
    this.#isLengthDelimited = false;
    this.#isDouble = false;
    switch (tag & 7) {
      case 0:
        this.number = this.#varint();
        return true;
      case 1:
        this.#from = this.#at;
        this.#skip(8);
        this.#isDouble = true;
        return true;
      case 2:
        this.#takeLength(this.#varint());
        return true;
      case 5:
        this.#skip(4);
        return true;
      default:
        throw new WireError(`wire type ${tag & 7}`);
    }
  }

  /** The current field's text. Throws when it is not UTF-8. */
  text(): string {
    const text = this.#bytes.toString('utf8', this.#from, this.#requireLength());
    if (text.includes(REPLACEMENT) && !isUtf8(this.bytes())) throw new WireError('text that is not UTF-8');
    return text;
  }

  double(): number {
    if (!this.#isDouble) throw this.#wrongType();
    return this.#bytes.readDoubleLE(this.#from);
  }

  /** The current field's length in bytes. */
  length(): number {
    return this.#requireLength() - this.#from;
  }

  /** The current field's bytes, a view. */
  bytes(): Buffer {
    return this.#bytes.subarray(this.#from, this.#requireLength());
  }

  /** A reader of the message in the current field. */
  message(): WireReader {
    return new WireReader(this.#bytes, this.#from, this.#requireLength());
  }

  #requireLength(): number {
    if (!this.#isLengthDelimited) throw this.#wrongType();
    return this.#to;
  }

  #wrongType(): WireError {
    return new WireError(`field ${this.field} has the wrong wire type`);
  }

  #takeLength(length: number): void {
    this.#from = this.#at;
    this.#skip(length);
    this.#to = this.#at;
    this.#isLengthDelimited = true;
  }

  #skip(length: number): void {
    if (length > MAX_LENGTH || this.#at + length > this.#end) throw new WireError('a field ends after its message');
    this.#at += length;
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      if (this.#at >= this.#end) throw new WireError('a number ends after its message');
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new WireError('a number longer than ten bytes');
  }
}
