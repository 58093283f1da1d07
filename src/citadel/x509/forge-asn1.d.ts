/** The one part of node-forge that is used; loading the whole package takes six times as long. */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';

  const codec: Omit<typeof asn1, 'fromDer'> & {
    fromDer(bytes: string, options: { readonly decodeBitStrings: boolean }): asn1.Asn1;
  };
  export = codec;
}
