// A name server of a test: `dns.ts ADDRESS FILE` answers A queries from FILE, JSON of names to addresses, read anew for each. A name
// that begins with `*.` stands for all below it; others do not exist.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

const TYPE_A = 1;
const NO_SUCH_NAME = 3;
const [address = '127.0.0.1', file = ''] = process.argv.slice(2);
const socket = createSocket('udp4');

function addressesOf(name: string): readonly string[] | undefined {
  const table = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, readonly string[]>>;
  const wildcard = Object.keys(table).find((key) => key.startsWith('*.') && name.endsWith(key.slice(1)));
  return table[name] ?? (wildcard === undefined ? undefined : table[wildcard]);
}

/** The name in the question and where the question ends. */
function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer): Buffer {
  const { name, type, end } = readQuestion(query);
  const addresses = addressesOf(name);
  const records = type === TYPE_A ? (addresses ?? []) : [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  // An answer, recursion asked for and available.
  head.writeUInt16BE(0x8180 | (addresses === undefined ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const body = records.map((record) => {
    // The name is where the question has it; class IN, one second to live, four bytes.
    const fixed = Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 1, 0, 4]);
    return Buffer.concat([fixed, Buffer.from(record.split('.').map(Number))]);
  });
  return Buffer.concat([head, query.subarray(12, end), ...body]);
}

socket.on('message', (query, { port, address: from }) => socket.send(answer(query), port, from));
socket.bind(53, address, () => console.log('ready'));
