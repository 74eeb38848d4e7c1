/**
 * Groups of single operations (`ops_*`): each case in float32 and in float64, on every backend, the gradients too.
 */
import { add, type FloatDType, stopGradient, sub, type Tensor, tensor, vjp } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import {
  at,
  exactly,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';

type Json = GoldenCase[string];

/** The inputs of a case by name: tensors, and lists of them. */
export interface Inputs {
  readonly [name: string]: Tensor;
}
interface Lists {
  readonly [name: string]: readonly Tensor[];
}

/** What a case's `args` hold; read them with `numberOf`, `numbersOf`, `stringOf`, … of read.ts. */
export type Args = Readonly<Record<string, Json | undefined>>;

/** How to call an operation: its one result, called y, or several by their names in the group. */
export type Operation = (
  inputs: Inputs,
  args: Args,
  lists: Lists,
  dtype: FloatDType,
) => Tensor | Readonly<Record<string, Tensor>> | readonly Tensor[];

/** Operations by the name that the group has for them. */
export type Operations = Readonly<Record<string, Operation>>;

const backends = [wasmBackend, referenceBackend];

const named = (results: ReturnType<Operation>): Readonly<Record<string, Tensor>> => {
  if (Array.isArray(results)) return Object.fromEntries(results.map((y: Tensor, i) => [`y${i}`, y]));
  return 'dtype' in results ? { y: results as Tensor } : (results as Readonly<Record<string, Tensor>>);
};

/** What float32 makes of a number that is beyond it. */
const overflowing = (value: number): number => (Number.isFinite(Math.fround(value)) ? value : Math.fround(value));

const checkIn = (
  dtype: FloatDType,
  testCase: GoldenCase,
  group: GoldenGroup,
  operation: Operation,
  backend: (typeof backends)[number],
): void => {
  const read = (ref: Json): Tensor => {
    const { data, shape, dtype: stored } = group.tensor(ref);
    return tensor(data, shape, { dtype: stored === 'I32' ? 'int32' : stored === 'U8' ? 'uint8' : dtype }) as Tensor;
  };
  const given = objectOf(at(testCase, 'inputs'));
  const flat = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(given)) {
    if (!Array.isArray(value)) flat.set(name, read(value));
    else for (const [i, item] of (value as readonly Json[]).entries()) flat.set(`${name}/${i}`, read(item));
  }
  const args = objectOf(testCase.args ?? {});
  const apply = (values: ReadonlyMap<string, Tensor>): Readonly<Record<string, Tensor>> => {
    const lists = Object.entries(given).flatMap(([name, value]) =>
      Array.isArray(value)
        ? [[name, value.map((_: Json, i: number) => values.get(`${name}/${i}`)!)] as [string, readonly Tensor[]]]
        : [],
    );
    return named(operation(Object.fromEntries(values), args, Object.fromEntries(lists), dtype));
  };
  const where = (name: string): string => `${testCase.name}, ${name}, ${dtype}, ${backend.name}`;
  const errors = objectOf(testCase.f32_err ?? {});
  const compare = (name: string, got: Tensor, ref: Json): void => {
    const wanted = group.tensor(ref);
    const values = { shape: got.shape, data: got.dataSync() };
    if (wanted.dtype === 'I32' || wanted.dtype === 'U8') exactly(where(name), values, wanted);
    else if (dtype === 'float64') withinF64(where(name), values, wanted);
    else withinF32(where(name), values, { ...wanted, data: Float64Array.from(wanted.data, overflowing) }, errors[name]);
    if (wanted.dtype === 'F64') expect(got.dtype, `the dtype of ${where(name)}`).toBe(dtype);
  };

  const out = objectOf(at(testCase, 'out'));
  const results = apply(flat);
  expect(Object.keys(results).sort(), `results of ${testCase.name}`).toEqual(Object.keys(out).sort());
  const grad = objectOf(testCase.grad ?? {});
  const cotangents = objectOf(testCase.cot ?? {});
  const sought = Object.keys(grad);
  const gradients: Record<string, Tensor> = {};
  if (sought.length > 0) {
    const names = Object.keys(cotangents);
    const f = (...values: readonly Tensor[]): readonly Tensor[] => {
      const results = apply(new Map([...flat, ...sought.map((name, i): [string, Tensor] => [name, values[i]!])]));
      return names.map(name => results[name]!);
    };
    const [, pullback] = vjp(f, ...sought.map(name => flat.get(name)!));
    const all = pullback(names.map(name => read(cotangents[name]!))) as readonly Tensor[];
    sought.forEach((name, i) => {
      gradients[name] = all[i]!;
    });
  }
  evaluate([...Object.values(results), ...Object.values(gradients)].map(nodeOf), backend);
  for (const [name, ref] of Object.entries(out)) compare(name, results[name]!, ref);
  for (const [name, ref] of Object.entries(grad)) compare(`grad.${name}`, gradients[name]!, ref);
};

/** Tests of a group; cases whose names begin with one of `missing` wait for an issue of their own. */
export const operationTests = (name: string, operations: Operations, missing: readonly string[] = []): void => {
  const check = (testCase: GoldenCase, group: GoldenGroup): void => {
    const op = stringOf(at(testCase, 'op'));
    const operation = Object.hasOwn(operations, op) ? operations[op]! : unknownCase('operation', op);
    for (const backend of backends) {
      for (const dtype of ['float32', 'float64'] as const) checkIn(dtype, testCase, group, operation, backend);
    }
  };
  const isMissing = (title: string): boolean =>
    missing.some(op => title === `${name}/${op}` || title.startsWith(`${name}/${op}/`));
  const suite = selected(name) ? describe : describe.skip;
  suite(name, () => {
    for (const { title, run } of goldenTests(name, check)) {
      if (isMissing(title)) it.skip(title);
      else it(title, run);
    }
  });
};

/** The values of one function with the derivative of another: ours with an error that the reference is known to have. */
export const withDerivative = (values: Tensor, derivative: Tensor): Tensor =>
  add(stopGradient(values), sub(derivative, stopGradient(derivative))) as Tensor;
