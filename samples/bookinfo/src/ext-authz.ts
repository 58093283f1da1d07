// An authorizer, asked by Envoys over HTTP before they let a request in: it wants the header `x-ext-authz: allow`.
import { portFrom, serve } from './service.ts';

const RESULT = 'x-ext-authz-check-result';

serve(portFrom(8000), ({ headers }) =>
  headers['x-ext-authz'] === 'allow'
    ? { status: 200, headers: { [RESULT]: 'allowed' }, body: '' }
    : { status: 403, headers: { [RESULT]: 'denied' }, body: 'denied by ext-authz: it wants x-ext-authz: allow\n' },
);
