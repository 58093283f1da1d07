import { z } from 'zod';
import { protoEnum, text, textList, textMap, uint32 } from '../schema/fields.ts';

/** networking.WorkloadSelector: pods by `labels`. */
export const workloadLabelSelectorSchema = z.strictObject({ labels: textMap.optional() });

/** type.WorkloadSelector: the same by `matchLabels`. */
export const workloadSelectorSchema = z.strictObject({ matchLabels: textMap.optional() });

/** A port of a Gateway server, a ServiceEntry or a Sidecar listener. */
export const portSchema = z.strictObject({
  number: uint32.optional(),
  protocol: text.optional(),
  name: text.optional(),
  targetPort: uint32.optional(),
});

export const portSelectorSchema = z.strictObject({ number: uint32.optional() });

export const destinationSchema = z.strictObject({
  host: text,
  subset: text.optional(),
  port: portSelectorSchema.optional(),
});

export const percentSchema = z.strictObject({ value: z.number().optional() });

const tlsProtocol = protoEnum(['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3']);

const tlsCertificateSchema = z.strictObject({
  serverCertificate: text.optional(),
  privateKey: text.optional(),
  caCertificates: text.optional(),
});

export const serverTlsSchema = z.strictObject({
  httpsRedirect: z.boolean().optional(),
  mode: protoEnum([
    'PASSTHROUGH',
    'SIMPLE',
    'MUTUAL',
    'AUTO_PASSTHROUGH',
    'ISTIO_MUTUAL',
    'OPTIONAL_MUTUAL',
  ]).optional(),
  serverCertificate: text.optional(),
  privateKey: text.optional(),
  caCertificates: text.optional(),
  caCrl: text.optional(),
  credentialName: text.optional(),
  credentialNames: textList.optional(),
  caCertCredentialName: text.optional(),
  tlsCertificates: z.array(tlsCertificateSchema).optional(),
  subjectAltNames: textList.optional(),
  verifyCertificateSpki: textList.optional(),
  verifyCertificateHash: textList.optional(),
  minProtocolVersion: tlsProtocol.optional(),
  maxProtocolVersion: tlsProtocol.optional(),
  cipherSuites: textList.optional(),
});
