// Answers each line with a prefix, so that one can see which version a connection reached.
// node tcp-echo.ts 9000,9001 one
import { createServer } from 'node:net';

const [ports = '9000', prefix = 'hello'] = process.argv.slice(2);

for (const port of ports.split(',').map(Number)) {
  const server = createServer((socket) => {
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) socket.write(`${prefix} ${line}\n`);
    });
    socket.on('end', () => socket.end(rest === '' ? '' : `${prefix} ${rest}`));
    socket.on('error', () => socket.destroy());
  });
  server.listen(port, () => console.log(`echoing on port ${port}`));
}
