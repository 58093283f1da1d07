// An echo for requests, in the shape of httpbin: what arrived comes back, with the status or the delay that was asked for.
import { type Call, json, portFrom, type Reply, serve } from './service.ts';

const MAX_DELAY_S = 10;
const MAX_BYTES = 10_000_000;

function echo(call: Call): Reply {
  return json(200, {
    args: Object.fromEntries(call.query),
    headers: call.headers,
    method: call.method,
    origin: call.headers['x-forwarded-for'] ?? call.peer,
    url: `http://${call.headers.host}${call.path}`,
    data: call.body,
    hostname: process.env['HOSTNAME'] ?? '',
  });
}

function status(text: string): Reply {
  const code = Number(text);
  return code >= 200 && code <= 599 ? { status: code, body: '' } : json(400, { error: 'invalid status code' });
}

async function delay(call: Call, text: string): Promise<Reply> {
  const seconds = Math.min(MAX_DELAY_S, Math.max(0, Number(text) || 0));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return echo(call);
}

type Answer = (call: Call, argument: string) => Reply | Promise<Reply>;

const answers: Readonly<Partial<Record<string, Answer>>> = {
  '': echo,
  get: echo,
  post: echo,
  put: echo,
  delete: echo,
  anything: echo,
  delay,
  status: (_call, code) => status(code),
  headers: (call) => json(200, { headers: call.headers }),
  hostname: () => json(200, { hostname: process.env['HOSTNAME'] ?? '' }),
  ip: (call) => json(200, { origin: call.headers['x-forwarded-for'] ?? call.peer }),
  'user-agent': (call) => json(200, { 'user-agent': call.headers['user-agent'] ?? '' }),
  bytes: (_call, size) => ({ status: 200, body: Buffer.alloc(Math.min(MAX_BYTES, Number(size) || 0), 'x') }),
};

serve(portFrom(80), (call) => {
  const [, first = '', argument = ''] = call.path.split('/');
  const answer = answers[first];
  return answer === undefined ? json(404, { error: `nothing at ${call.path}` }) : answer(call, argument);
});
