export const referenceReasons = [
  'RefNotFound',
  'HostNotFound',
  'HostNotInGateway',
  'PortNotOnWorkload',
  'NoWorkloads',
  'DelegateNotUsable',
  'CertificateNotFound',
  'KeysNotFound',
] as const;

export const conflictReasons = [
  'HostConflict',
  'PortConflict',
  'AddressConflict',
  'PolicyConflict',
  'DefinedTwice',
] as const;

type ConditionOfCode =
  | { readonly type: 'ResolvedRefs'; readonly reason: (typeof referenceReasons)[number] }
  | { readonly type: 'Conflicted'; readonly reason: (typeof conflictReasons)[number] };

const refs = (reason: (typeof referenceReasons)[number]): ConditionOfCode => ({ type: 'ResolvedRefs', reason });
const conflict = (reason: (typeof conflictReasons)[number]): ConditionOfCode => ({ type: 'Conflicted', reason });

/**
 * The diagnostics that are more than a remark: codes of analysis and of the mesh, and the condition each of them decides. All
 * others are found among the validation messages only.
 */
export const conditionOfCode: Readonly<Record<string, ConditionOfCode>> = {
  IST0101: refs('RefNotFound'),
  IST0104: refs('PortNotOnWorkload'),
  IST0132: refs('HostNotInGateway'),
  IST0173: refs('NoWorkloads'),
  IST0174: refs('HostNotFound'),
  XEB1101: refs('DelegateNotUsable'),
  XEB1102: refs('DelegateNotUsable'),
  XEB2001: refs('DelegateNotUsable'),
  XEB2102: refs('CertificateNotFound'),
  XEB2405: refs('CertificateNotFound'),
  XEB2601: refs('KeysNotFound'),
  IST0109: conflict('HostConflict'),
  IST0145: conflict('HostConflict'),
  XEB1009: conflict('DefinedTwice'),
  XEB1103: conflict('PortConflict'),
  XEB1104: conflict('AddressConflict'),
  XEB2003: conflict('PolicyConflict'),
  XEB2008: conflict('PolicyConflict'),
  XEB2004: conflict('HostConflict'),
  XEB2005: conflict('HostConflict'),
  XEB2201: conflict('HostConflict'),
  XEB2301: conflict('PortConflict'),
  XEB2302: conflict('AddressConflict'),
  XEB2401: conflict('PortConflict'),
  XEB2402: conflict('HostConflict'),
};
