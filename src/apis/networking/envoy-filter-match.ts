import { z } from 'zod';
import { protoEnum, text, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';

const filterMatchSchema = z.strictObject({
  name: text.optional(),
  subFilter: z.strictObject({ name: text.optional() }).optional(),
});

export const listenerMatchSchema = z.strictObject({
  portNumber: uint32.optional(),
  portName: text.optional(),
  name: text.optional(),
  listenerFilter: text.optional(),
  filterChain: z
    .strictObject({
      name: text.optional(),
      sni: text.optional(),
      transportProtocol: text.optional(),
      applicationProtocols: text.optional(),
      destinationPort: uint32.optional(),
      filter: filterMatchSchema.optional(),
    })
    .optional(),
});

export const routeConfigurationMatchSchema = z.strictObject({
  portNumber: uint32.optional(),
  portName: text.optional(),
  gateway: text.optional(),
  name: text.optional(),
  vhost: z
    .strictObject({
      name: text.optional(),
      domainName: text.optional(),
      route: z
        .strictObject({
          name: text.optional(),
          action: protoEnum(['ANY', 'ROUTE', 'REDIRECT', 'DIRECT_RESPONSE']).optional(),
        })
        .optional(),
    })
    .optional(),
});

export const clusterMatchSchema = z.strictObject({
  portNumber: uint32.optional(),
  service: text.optional(),
  subset: text.optional(),
  name: text.optional(),
});

const waypointMatchSchema = z.strictObject({
  portNumber: uint32.optional(),
  filter: filterMatchSchema.optional(),
  route: z.strictObject({ name: text.optional() }).optional(),
});

export const envoyConfigMatchSchema = atMostOne(
  z.strictObject({
    context: protoEnum(['ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY', 'WAYPOINT']).optional(),
    proxy: z.strictObject({ proxyVersion: text.optional(), metadata: textMap.optional() }).optional(),
    listener: listenerMatchSchema.optional(),
    routeConfiguration: routeConfigurationMatchSchema.optional(),
    cluster: clusterMatchSchema.optional(),
    waypoint: waypointMatchSchema.optional(),
  }),
  ['listener', 'routeConfiguration', 'cluster', 'waypoint'],
);
