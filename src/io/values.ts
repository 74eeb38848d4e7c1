/** Between tensors and the arrays of their elements. */
import type { DType, TypedArray } from '../tensor/dtype.js';
import { evaluate, storageOf } from '../tensor/evaluate.js';
import { bufferNode, type Node } from '../tensor/graph.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import { HostStorage } from '../tensor/storage.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';

/** A tensor of elements that nobody else writes to. */
export const tensorOf = (shape: Shape, dtype: DType, array: TypedArray): Tensor =>
  wrap(bufferNode(shape, new HostStorage(dtype, array)));

/** The elements of nodes, on whatever device. They are not to be written to. */
export const arraysOf = (nodes: readonly Node[]): Promise<readonly TypedArray[]> => {
  evaluate(nodes);
  return Promise.all(nodes.map(node => storageOf(node).read()));
};

/** @throws ArgumentError for what is no tensor */
export const nodeFrom = (operation: string, tensor: Tensor): Node => {
  checkArgument(isTensor(tensor), operation, kindOf(tensor), 'it takes a tensor', 'Make one with tensor(…).');
  return nodeOf(tensor);
};
