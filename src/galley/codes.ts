import type { CodeText } from '../apis/codes.ts';

const sources = {
  XEB1001: {
    title: 'cannot be read',
    explanation:
      'A file or folder is there, but it cannot be opened: permissions, a symbolic link to nothing, a pipe. What was last read from it stays in force.',
  },
  XEB1002: {
    title: 'too large',
    explanation: 'A file may have 16 MB. The Kubernetes API takes objects of at most 3 MB.',
  },
  XEB1003: { title: 'not text', explanation: 'YAML and JSON files are UTF-8 text.' },
  XEB1004: {
    title: 'YAML syntax',
    explanation:
      'One document of a file cannot be parsed. The other documents are taken; what was last read from the broken one stays in force.',
  },
  XEB1005: {
    title: 'aliases out of hand',
    explanation:
      'The aliases (*name) of a document expand to more values than anybody wants, or lead back to themselves.',
  },
  XEB1006: {
    title: 'not a Kubernetes object',
    explanation:
      'A document has apiVersion, kind and metadata.name. Values of charts and the like belong into another folder.',
  },
  XEB1007: {
    title: 'kind not read',
    explanation:
      'The object is not of a kind that the mesh reads, often because of a typing mistake in apiVersion or kind.',
  },
  XEB1008: {
    title: 'defined twice in the folder',
    explanation: 'Two documents define the same object. The first by path, then by order in the file, is taken.',
  },
  XEB1009: {
    title: 'defined by two sources',
    explanation: 'Two sources have the same object. The source that is listed first has the say.',
  },
  XEB1010: {
    title: 'YAML 1.1 and 1.2 differ',
    explanation:
      'kubectl reads YAML 1.1, where yes, no, on, off, y and n are booleans and 0777 is octal. xebec reads files as kubectl does; other tools may not.',
  },
  XEB1011: {
    title: 'last good version in force',
    explanation:
      'The object as it is now cannot be used, so the version from before stays in force until it is repaired.',
  },
  XEB1012: { title: 'folder missing', explanation: 'The folder does not exist. It is read as soon as it does.' },
  XEB1013: {
    title: 'too many folders to watch',
    explanation:
      'Linux limits the watches of a user (fs.inotify.max_user_watches). Without them changes are found by looking.',
  },
  XEB1014: { title: 'metadata', explanation: 'Names, labels and annotations have the forms that Kubernetes demands.' },
  XEB1015: {
    title: 'mesh configuration',
    explanation:
      'The mesh configuration cannot be used as it is. The last good one (at first: the defaults) stays in force.',
  },
  XEB1016: {
    title: 'kind not installed',
    explanation:
      'The cluster has no CustomResourceDefinition of the kind. It counts as empty, and is read as soon as it is there.',
  },
  XEB1017: {
    title: 'version not served',
    explanation:
      'The cluster serves the kind, but in none of the versions that are read: its CustomResourceDefinition is of another release.',
  },
  XEB1018: {
    title: 'not allowed to read',
    explanation:
      'The API server refuses to let xebec read a kind: a ClusterRole lacks a verb. What was read before stays in force; a replica that starts is not ready until it may.',
  },
  XEB1019: {
    title: 'API server does not answer',
    explanation:
      'A kind cannot be read now. What was read before stays in force, and it is tried again, less and less often.',
  },
  XEB1020: {
    title: 'definition deleted',
    explanation:
      'The CustomResourceDefinition of a kind was deleted, and all objects with it. What they said stays in force until the definition is back: then what is there counts.',
  },
  XEB1021: {
    title: 'config source does not answer',
    explanation:
      'Nothing can be received from a config source now. What was received before stays in force, and it is tried again, less and less often.',
  },
  XEB1022: {
    title: 'received object cannot be read',
    explanation:
      'A config source sent something that is not the message it should be, or is of another kind. The source is told; what it sent before stays in force.',
  },
} satisfies Record<string, CodeText>;

const analysis = {
  IST0101: {
    title: 'referenced resource not found',
    explanation:
      'The object names another (a Gateway, a host, a port, a subset, a delegate, workloads) that is not there.',
  },
  IST0109: {
    title: 'conflicting hosts on the mesh',
    explanation:
      'VirtualServices of one host decide together, on sidecars as at gateways: the rules of the older are tried first, rules for all requests last, and of these the oldest counts.',
  },
  IST0127: {
    title: 'policy without workloads',
    explanation: 'The selector of a policy selects no workload that is known, so the policy protects nothing.',
  },
  IST0132: {
    title: 'host not in the gateway',
    explanation:
      'A VirtualService is bound to a Gateway whose servers do not have its host, so no request reaches it there.',
  },
  IST0145: {
    title: 'conflicting gateways',
    explanation: 'Two Gateways of the same proxies have the same host on the same port. The older one is used.',
  },
  IST0149: {
    title: 'claims without tokens',
    explanation:
      'A VirtualService routes by JWT claims at a gateway for whose workloads there is no RequestAuthentication, so no claim is ever known.',
  },
  IST0173: {
    title: 'subset without workloads',
    explanation: 'The service has workloads, but none with the labels of the subset: requests to the subset fail.',
  },
  IST0174: {
    title: 'unknown host of a DestinationRule',
    explanation: 'The rule is for a host that is not there, so it does nothing.',
  },
  XEB1101: {
    title: 'delegates in a circle',
    explanation: 'VirtualServices delegate to each other, so none of them says where requests go.',
  },
  XEB1102: { title: 'not a delegate', explanation: 'Only a VirtualService without hosts can be delegated to.' },
  XEB1103: {
    title: 'port with two protocols',
    explanation: 'Gateways of the same proxies want one port for protocols that cannot share it.',
  },
  XEB1104: {
    title: 'address of two ServiceEntries',
    explanation: 'Plain TCP is told apart by address and port only, and two ServiceEntries have the same.',
  },
  XEB1105: {
    title: 'port of a Service in a policy',
    explanation:
      'Policies are about the ports on which workloads listen (targetPort, containerPort). Named by the port of its Service a workload is neither protected nor opened.',
  },
} satisfies Record<string, CodeText>;

/** The codes of sources, admission and analysis, and what they mean. Codes never change their meaning. */
export const galleyCodes = { ...sources, ...analysis };

export type GalleyCode = keyof typeof galleyCodes;
