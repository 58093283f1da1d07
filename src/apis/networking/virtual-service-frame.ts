/** The part of a VirtualService that its rules are judged by. */
export type VirtualServiceFrame = {
  readonly hosts: readonly string[];
  /** A VirtualService without hosts, which another one brings to life. */
  readonly delegate: boolean;
  /** No sidecar reads it. */
  readonly boundToGateways: boolean;
};
