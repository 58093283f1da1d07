import { z } from 'zod';
import { int32, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { httpRouteSchema } from './http-route.ts';
import { destinationSchema } from './shared.ts';

const l4MatchShape = {
  destinationSubnets: textList.optional(),
  port: uint32.optional(),
  sourceSubnet: text.optional(),
  sourceLabels: textMap.optional(),
  sourceNamespace: text.optional(),
  gateways: textList.optional(),
};

export const l4MatchSchema = z.strictObject(l4MatchShape);

export const tlsMatchSchema = z.strictObject({ sniHosts: textList.optional(), ...l4MatchShape });

export const routeDestinationSchema = z.strictObject({
  destination: destinationSchema,
  weight: int32.optional(),
});

export const tlsRouteSchema = z.strictObject({
  match: z.array(tlsMatchSchema).optional(),
  route: z.array(routeDestinationSchema).optional(),
});

export const tcpRouteSchema = z.strictObject({
  match: z.array(l4MatchSchema).optional(),
  route: z.array(routeDestinationSchema).optional(),
});

/** `hosts` is absent in a delegate, which another VirtualService brings to life. */
export const virtualServiceSchema = z.strictObject({
  hosts: textList.optional(),
  gateways: textList.optional(),
  http: z.array(httpRouteSchema).optional(),
  tls: z.array(tlsRouteSchema).optional(),
  tcp: z.array(tcpRouteSchema).optional(),
  exportTo: textList.optional(),
});
