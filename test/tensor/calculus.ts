/** What the tests of the table share: samples as functions to differentiate, directions, values on a backend. */
import type { Backend } from '../../src/tensor/backend/backend.js';
import { allocate, isFloat } from '../../src/tensor/dtype.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { bufferNode, type Node, resolve } from '../../src/tensor/graph.js';
import { isMissing } from '../../src/tensor/primitives/kinds.js';
import { entryOf } from '../../src/tensor/primitives/table.js';
import { type Aval, range, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { nodeOf, type Tensor, wrap } from '../../src/tensor/tensor.js';
import { noise, type Sample } from './samples.js';

export type Mode = 'jvp' | 'vjp';
export type Tensors = readonly Tensor[];
export type OfTensors = (...args: Tensors) => Tensors;

/** The floating inputs of a sample as arguments, the others fixed; the floating results. */
export const asFunction = (
  sample: Sample,
  inputs: readonly Node[],
): { readonly f: OfTensors; readonly args: Tensors } => {
  const floats = range(inputs.length).filter(i => isFloat(inputs[i]!.dtype));
  const f: OfTensors = (...args) => {
    const nodes = inputs.map((node, i) => (floats.includes(i) ? nodeOf(args[floats.indexOf(i)]!) : node));
    return sample
      .build(nodes)
      .filter(node => isFloat(node.dtype))
      .map(node => wrap(node) as Tensor);
  };
  return { f, args: floats.map(i => wrap(inputs[i]!) as Tensor) };
};

export const stored = (like: Aval, at: (i: number) => number) => {
  const array = allocate(like.dtype, sizeOf(like.shape));
  for (let i = 0; i < array.length; i++) array[i] = at(i);
  return wrap(bufferNode(like.shape, new HostStorage(like.dtype, array))) as Tensor;
};

/** A direction: tensors of the same shapes with elements between −1 and 1. */
export const drawLike = (like: Tensors, seed: number): Tensors =>
  like.map((x, i) => {
    const u = noise(seed + i);
    return stored(x, j => u(j) * 2 - 1);
  });

/** Why there is no such rule; null where there is one. */
export const lacking = (name: string, sample: Sample, mode: Mode): string | null => {
  const entry = entryOf(name);
  if (sample.lacks === mode) return 'it has a way back only';
  // The transforms take tuples apart without a rule.
  if (entry.kind !== 'structured' || name === 'output') return null;
  const rule = entry[mode];
  return isMissing(rule) ? rule.none : null;
};

/** Whether nothing passes: the results are no floats, so there is no tangent. */
export const hasNoTangent = (name: string): boolean => {
  const entry = entryOf(name);
  return (
    (entry.kind === 'elementwise' && isMissing(entry.partials)) ||
    (entry.kind === 'reduction' && typeof entry.weights === 'object')
  );
};

/** The elements of a tensor, computed by this backend if they are yet to be. */
export const numbersOn = (backend: Backend, x: Tensor): readonly number[] => {
  evaluate([nodeOf(x)], backend);
  return [...((resolve(nodeOf(x)).value as Storage).readSync() as Float64Array)];
};
