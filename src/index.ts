/** The core: tensors, operations, derivatives. Layers, optimizers, diffusion are in subpaths (`tenfold/nn`, …). */
export type { DType, FloatDType, TypedArray, TypedArrayOf } from './tensor/dtype.js';
export * from './tensor/errors.js';
export * from './tensor/ops/activation.js';
export * from './tensor/ops/arithmetic.js';
export * from './tensor/ops/bitwise.js';
export * from './tensor/ops/cast.js';
export * from './tensor/ops/comparison.js';
export * from './tensor/ops/contraction.js';
export * from './tensor/ops/creation.js';
export * from './tensor/ops/elementary.js';
export * from './tensor/ops/indexing.js';
export * from './tensor/ops/movement.js';
export * from './tensor/ops/reduction.js';
export type { Shape } from './tensor/shape.js';
export { isTensor, type Tensor } from './tensor/tensor.js';
