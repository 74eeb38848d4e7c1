/** Layers as PyTorch's modules: outputs, new statistics, and gradients of parameters and inputs. */
import { type FloatDType, type Tensor, tensor, vjp } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import type { Inputs } from './operations.js';
import {
  at,
  booleanOf,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  type JsonObject,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';
import { type Applied, modules } from './tables/modules.js';

/** A result by its name in the group, such as `grad.params.weight`, and the reference. */
interface Compared {
  readonly name: string;
  readonly got: Tensor;
  readonly ref: JsonObject[string];
}

/** What a case computes in a dtype, not yet computed. */
const comparedOf = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): readonly Compared[] => {
  const read = (ref: JsonObject[string] | undefined): Tensor => {
    const { data, shape, dtype: stored } = group.tensor(ref);
    return tensor(data, shape, { dtype: stored === 'I32' ? 'int32' : dtype }) as Tensor;
  };
  const all = (refs: JsonObject[string] | undefined): Inputs =>
    Object.fromEntries(Object.entries(objectOf(refs ?? {})).map(([name, ref]) => [name, read(ref)]));
  const name = stringOf(at(testCase, 'module'));
  const module = Object.hasOwn(modules, name) ? modules[name]! : unknownCase('module', name);
  const [params, inputs, buffers] = [all(testCase.params), all(testCase.inputs), all(testCase.buffers)];
  const train = booleanOf(at(testCase, 'train'));
  const apply = (p: Inputs, x: Inputs): Applied =>
    module({ params: p, inputs: x, buffers, train }, objectOf(at(testCase, 'args')));

  const { out, buffers: after = {} } = apply(params, inputs);
  const references = { out: objectOf(at(testCase, 'out')), new_buffers: objectOf(testCase.new_buffers ?? {}) };
  const results = { out, new_buffers: after };
  const values = (['out', 'new_buffers'] as const).flatMap(kind => {
    expect(Object.keys(results[kind]).sort(), `${kind} of ${testCase.name}`).toEqual(
      Object.keys(references[kind]).sort(),
    );
    return Object.entries(references[kind]).map(([each, ref]) => ({
      name: `${kind}.${each}`,
      got: results[kind][each]!,
      ref,
    }));
  });

  const sought = {
    params: objectOf(at(testCase, 'grad', 'params')),
    inputs: objectOf(at(testCase, 'grad', 'inputs')),
  };
  expect(Object.keys(sought.params).sort(), `gradients of ${testCase.name}`).toEqual(Object.keys(params).sort());
  const wanted = Object.keys(sought.inputs);
  const cotangents = all(at(testCase, 'cot'));
  const f = (p: Inputs, x: Inputs): readonly Tensor[] => {
    const y = apply(p, { ...inputs, ...x }).out;
    return Object.keys(cotangents).map(each => y[each]!);
  };
  const some = Object.fromEntries(wanted.map(each => [each, inputs[each]!]));
  const [, pullback] = vjp(f, params, some);
  const [forParams, forInputs] = pullback(Object.values(cotangents)) as unknown as readonly [Inputs, Inputs];
  const gradients = { params: forParams, inputs: forInputs };
  return [
    ...values,
    ...(['params', 'inputs'] as const).flatMap(kind =>
      Object.entries(sought[kind]).map(([each, ref]) => ({
        name: `grad.${kind}.${each}`,
        got: gradients[kind][each]!,
        ref,
      })),
    ),
  ];
};

const check = (testCase: GoldenCase, group: GoldenGroup): void => {
  const errors = objectOf(at(testCase, 'f32_err'));
  for (const backend of [wasmBackend, referenceBackend]) {
    for (const dtype of ['float32', 'float64'] as const) {
      const all = comparedOf(testCase, group, dtype);
      evaluate(
        all.map(({ got }) => nodeOf(got)),
        backend,
      );
      for (const { name, got, ref } of all) {
        const where = `${testCase.name}, ${name}, ${dtype}, ${backend.name}`;
        const values = { shape: got.shape, data: got.dataSync() };
        if (dtype === 'float64') withinF64(where, values, group.tensor(ref));
        else withinF32(where, values, group.tensor(ref), errors[name]);
        expect(got.dtype, `the dtype of ${where}`).toBe(dtype);
      }
    }
  }
};

const suite = selected('modules') ? describe : describe.skip;
suite('modules', () => {
  for (const { title, run } of goldenTests('modules', check)) it(title, run);
});
