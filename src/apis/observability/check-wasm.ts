import type { Field } from '../finding.ts';
import { checkPort, checkUnique } from '../rules/scalars.ts';
import type { TrafficSelector, WasmConfig } from './observability.ts';

const schemes: readonly string[] = ['http', 'https', 'oci', 'file'];
const most = { name: 256, secret: 253, value: 2048, variables: 256 };

export function checkWasm(field: Field, wasm: WasmConfig): void {
  checkUrl(field.at('url'), wasm.url);
  checkDigest(field.at('sha256'), wasm.sha256);
  checkLength(field.at('pluginName'), wasm.pluginName, most.name);
  checkLength(field.at('imagePullSecret'), wasm.imagePullSecret, most.secret);
  checkVariables(field.at('vmConfig', 'env'), wasm.vmConfig?.env ?? []);
  if (wasm.verificationKey) {
    field
      .at('verificationKey')
      .warn('XEB0118', { problem: 'has no effect: Istio does not verify either', fix: 'use sha256' });
  }
}

/** Without a scheme it is an image, as in `registry/name:tag`. */
function checkUrl(field: Field, url: string | undefined): void {
  if (!url) {
    field.error('XEB0484', { problem: 'is required and missing', fix: 'say where the module is' });
    return;
  }
  const scheme = /^([A-Za-z][\w+.-]*):\/\//.exec(url)?.[1];
  const isUrl = !/\s/.test(url) && (scheme === undefined || schemes.includes(scheme));
  if (isUrl && url.replace(/^[a-z]+:\/\//, '') !== '') return;
  const allowed = 'http://, https://, oci://, file://, or an image without a scheme';
  field.error('XEB0484', { problem: 'is not a place of a module', got: url, allowed });
}

function checkDigest(field: Field, digest: string | undefined): void {
  if (!digest || /^[a-f0-9]{64}$/.test(digest)) return;
  field.error('XEB0484', { problem: 'is not a SHA-256', got: digest, allowed: '64 digits of 0-9 and a-f' });
}

function checkLength(field: Field, text: string | undefined, longest: number): void {
  if (text === undefined || text.length <= longest) return;
  field.error('XEB0484', { problem: `is too long (${text.length} characters)`, allowed: `at most ${longest}` });
}

type Variable = NonNullable<NonNullable<WasmConfig['vmConfig']>['env']>[number];

function checkVariables(field: Field, variables: readonly Variable[]): void {
  if (variables.length > most.variables) {
    field.error('XEB0485', { problem: `has ${variables.length} entries`, allowed: `at most ${most.variables}` });
  }
  field.each(variables, checkVariable);
  checkUnique(
    variables,
    ({ name }) => name || undefined,
    (index, name) =>
      field.at(index, 'name').error('XEB0115', { problem: 'is given twice', got: name, fix: 'remove one' }),
  );
}

function checkVariable(field: Field, { name, valueFrom = 'INLINE', value }: Variable): void {
  if (!name) field.at('name').error('XEB0485', { problem: 'is required and missing', fix: 'name the variable' });
  else if (name.length > most.name) {
    const problem = `is too long (${name.length} characters)`;
    field.at('name').error('XEB0485', { problem, allowed: `at most ${most.name}` });
  }
  const at = field.at('value');
  if (value !== undefined && valueFrom === 'HOST') {
    at.error('XEB0485', { problem: 'cannot be set with valueFrom HOST', got: value, fix: 'remove it, or use INLINE' });
  } else if (value !== undefined && value.length > most.value) {
    at.error('XEB0485', { problem: `is too long (${value.length} characters)`, allowed: `at most ${most.value}` });
  }
}

export function checkTraffic(field: Field, traffic: readonly TrafficSelector[] | undefined): void {
  field.each(traffic, (at, { ports }) => {
    at.at('ports').each(ports, (place, { number }) => checkPort(place.at('number'), number));
  });
}
