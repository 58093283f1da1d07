import { anyOf } from '../../../gen/codec.ts';
import type { Any, HttpFilter, HttpSetFilterStateConfig } from '../../../gen/types.ts';
import { FilterStateValue_SharedWithUpstream } from '../../../gen/types.ts';
import { HTTP_INSIDE } from '../peer/alpn.ts';
import { extension } from '../protobuf.ts';

const NAME = 'envoy.filters.http.set_filter_state';
const TYPE = 'envoy.extensions.filters.http.set_filter_state.v3.Config';

/** Does nothing by itself; routes switch it on. */
export function buildToldProtocol(): HttpFilter {
  return extension(NAME, TYPE, {});
}

/**
 * For a route to a port of unknown protocol: the connection's ALPN says that HTTP is inside, so that the server knows it before it sees
 * it. Connections with and without are told apart by Envoy's pools.
 */
export const toldHttp: { readonly [key: string]: Any } = { [NAME]: anyOf(TYPE, tellHttp()) };

function tellHttp(): HttpSetFilterStateConfig {
  return {
    onRequestHeaders: [
      {
        objectKey: 'envoy.network.application_protocols',
        formatString: { textFormatSource: { inlineString: HTTP_INSIDE } },
        sharedWithUpstream: FilterStateValue_SharedWithUpstream.ONCE,
      },
    ],
  };
}
