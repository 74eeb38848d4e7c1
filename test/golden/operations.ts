/**
 * Groups of single operations (`ops_*`): each case in float32 and in float64, on every backend, the gradients too.
 */
import { add, deviceInfo, type FloatDType, stopGradient, sub, type Tensor, tensor, vjp } from 'tenfold';
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

/** Operations of a group by its name. */
export interface GroupOfOperations {
  readonly name: string;
  readonly operations: Operations;
}

const backends = [wasmBackend, referenceBackend];

const named = (results: ReturnType<Operation>): Readonly<Record<string, Tensor>> => {
  if (Array.isArray(results)) return Object.fromEntries(results.map((y: Tensor, i) => [`y${i}`, y]));
  return 'dtype' in results ? { y: results as Tensor } : (results as Readonly<Record<string, Tensor>>);
};

/** What float32 makes of a number that is beyond it. */
const overflowing = (value: number): number => (Number.isFinite(Math.fround(value)) ? value : Math.fround(value));

/** A result, or a gradient, and what the group has for it. */
interface Compared {
  readonly name: string;
  readonly got: Tensor;
  readonly ref: Json;
}

/** The results of a case and its gradients, not yet computed. */
const comparedOf = (
  dtype: FloatDType,
  testCase: GoldenCase,
  group: GoldenGroup,
  operation: Operation,
): readonly Compared[] => {
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

  const out = objectOf(at(testCase, 'out'));
  const results = apply(flat);
  expect(Object.keys(results).sort(), `results of ${testCase.name}`).toEqual(Object.keys(out).sort());
  const grad = objectOf(testCase.grad ?? {});
  const cotangents = objectOf(testCase.cot ?? {});
  const sought = Object.keys(grad);
  const compared = Object.entries(out).map(([name, ref]): Compared => ({ name, got: results[name]!, ref }));
  if (sought.length === 0) return compared;
  const names = Object.keys(cotangents);
  const f = (...values: readonly Tensor[]): readonly Tensor[] => {
    const results = apply(new Map([...flat, ...sought.map((name, i): [string, Tensor] => [name, values[i]!])]));
    return names.map(name => results[name]!);
  };
  const [, pullback] = vjp(f, ...sought.map(name => flat.get(name)!));
  const gradients = pullback(names.map(name => read(cotangents[name]!))) as readonly Tensor[];
  return [
    ...compared,
    ...sought.map((name, i): Compared => ({ name: `grad.${name}`, got: gradients[i]!, ref: grad[name]! })),
  ];
};

/** Compares a result, of which these are the elements. `place` is where it was computed. */
const compare = (
  place: string,
  dtype: FloatDType,
  testCase: GoldenCase,
  group: GoldenGroup,
  { name, got, ref }: Compared,
  data: ArrayLike<number>,
): void => {
  const where = `${testCase.name}, ${name}, ${dtype}, ${place}`;
  const wanted = group.tensor(ref);
  const values = { shape: got.shape, data };
  if (wanted.dtype === 'I32' || wanted.dtype === 'U8') exactly(where, values, wanted);
  else if (dtype === 'float64') withinF64(where, values, wanted);
  else {
    const error = objectOf(testCase.f32_err ?? {})[name];
    withinF32(where, values, { ...wanted, data: Float64Array.from(wanted.data, overflowing) }, error);
  }
  if (wanted.dtype === 'F64') expect(got.dtype, `the dtype of ${where}`).toBe(dtype);
};

const operationOf = (testCase: GoldenCase, operations: Operations): Operation => {
  const op = stringOf(at(testCase, 'op'));
  return Object.hasOwn(operations, op) ? operations[op]! : unknownCase('operation', op);
};

const checkIn = (
  dtype: FloatDType,
  testCase: GoldenCase,
  group: GoldenGroup,
  operation: Operation,
  backend: (typeof backends)[number],
): void => {
  const all = comparedOf(dtype, testCase, group, operation);
  evaluate(
    all.map(({ got }) => nodeOf(got)),
    backend,
  );
  for (const each of all) compare(backend.name, dtype, testCase, group, each, each.got.dataSync());
};

/** A case in float32 on the device in use, whose values are read asynchronously. */
const checkOnDevice = async (testCase: GoldenCase, group: GoldenGroup, operation: Operation): Promise<void> => {
  const all = comparedOf('float32', testCase, group, operation);
  evaluate(all.map(({ got }) => nodeOf(got)));
  const { mode } = deviceInfo();
  for (const each of all) compare(mode, 'float32', testCase, group, each, await each.got.data());
};

/** Tests of a group. */
const groupTests = (
  { name, operations }: GroupOfOperations,
  check: (testCase: GoldenCase, group: GoldenGroup, operation: Operation) => void | Promise<void>,
  isTaken: (index: number) => boolean = () => true,
): void => {
  const suite = selected(name) ? describe : describe.skip;
  suite(name, () => {
    const tests = goldenTests(name, (testCase, group) => check(testCase, group, operationOf(testCase, operations)));
    for (const { title, run } of tests.filter((_, index) => isTaken(index))) it(title, run);
  });
};

/** Tests of a group in float32 and in float64, on the CPU and on the reference backend. */
export const operationTests = (group: GroupOfOperations): void =>
  groupTests(group, (testCase, read, operation) => {
    for (const backend of backends) {
      for (const dtype of ['float32', 'float64'] as const) checkIn(dtype, testCase, read, operation, backend);
    }
  });

/**
 * Tests of a group in float32, on the device that is in use when they run.
 *
 * @param options `every`: the first of so many cases in their order, and not the others
 */
export const deviceOperationTests = (group: GroupOfOperations, { every = 1 }: { readonly every?: number } = {}): void =>
  groupTests(group, checkOnDevice, index => index % every === 0);

/** The values of one function with the derivative of another: ours with an error that the reference is known to have. */
export const withDerivative = (values: Tensor, derivative: Tensor): Tensor =>
  add(stopGradient(values), sub(derivative, stopGradient(derivative))) as Tensor;
