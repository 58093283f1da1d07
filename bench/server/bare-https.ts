// An HTTPS server that knows nothing: it reads a body and answers with an allowed review of the same length as ours. What a review
// costs before anybody looks at it. Run by bare-https-process.ts.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [certificate = '', key = ''] = process.argv.slice(2);
const response = { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: true };
const answer = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, reply) => {
  request.resume();
  request.once('end', () => {
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
    reply.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('disconnect', () => process.exit());
