import { afterAll, afterEach, beforeAll } from 'vitest';
import { type ApiServer, type ApiServerOptions, startApiServer } from './api-server.ts';

/** One API server for all tests of a file, or of the `describe` that calls this. Its logs stay when one of them fails. */
export function apiServerOfFile(options: ApiServerOptions = {}): () => ApiServer {
  let server: ApiServer | undefined;
  let hasFailed = false;
  beforeAll(async () => {
    server = await startApiServer(options);
  });
  afterEach(({ task }) => {
    hasFailed ||= task.result?.state === 'fail';
  });
  afterAll(() => server?.stop({ keepLogs: hasFailed }));
  return () => {
    if (server === undefined) throw new Error('the API server starts before the first test');
    return server;
  };
}
