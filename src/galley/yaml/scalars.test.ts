import { expect, it } from 'vitest';
import { readAsKubectl, readAsYaml12 } from './scalars.ts';

it.each([
  ['', null],
  ['~', null],
  ['NULL', null],
  ['nULL', 'nULL'],
  ['y', true],
  ['Yes', true],
  ['yEs', 'yEs'],
  ['ON', true],
  ['n', false],
  ['Off', false],
  ['TRUE', true],
  ['12', 12],
  ['+12', 12],
  ['-0', 0],
  ['0777', 511],
  ['0o777', 511],
  ['0x1F', 31],
  ['-0b11', -3],
  ['08', 8],
  ['1_000', 1000],
  ['_1', '_1'],
  ['1e3', 1000],
  ['.5', 0.5],
  ['1.', 1],
  ['.', '.'],
  ['-', '-'],
  ['1.2.3', '1.2.3'],
  ['12:30', '12:30'],
  ['2026-01-01', '2026-01-01'],
  ['.inf', Number.POSITIVE_INFINITY],
  ['-.INF', Number.NEGATIVE_INFINITY],
  ['.NaN', Number.NaN],
  ['10.0.0.1', '10.0.0.1'],
  ['v1', 'v1'],
])('reads %j as kubectl does', (text, value) => {
  expect(readAsKubectl(text)).toBe(value);
});

it.each(['on', 'no', 'Y', '0777', '1_000', '0b1'])('knows that YAML 1.2 reads %s otherwise', (text) => {
  expect(Object.is(readAsYaml12(text), readAsKubectl(text))).toBe(false);
});

it.each(['true', 'null', '0o17', '08', '12', '1e3', 'text', '.inf', '-'])('knows that all read %s alike', (text) => {
  expect(readAsYaml12(text)).toEqual(readAsKubectl(text));
});
