import type * as Http from 'node:http';
import { createRequire } from 'node:module';

/**
 * Node's HTTP. An `import` of the module reads each of its exports, and so loads what is behind `WebSocket` too, which nobody here
 * uses: a megabyte of heap, and thirty milliseconds of each start. Asked for in this way, it loads what is used.
 */
export const { createServer, request }: Pick<typeof Http, 'createServer' | 'request'> = createRequire(import.meta.url)(
  'node:http',
) as typeof Http;
