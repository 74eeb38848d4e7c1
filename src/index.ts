/** The core: tensors, operations, derivatives. Layers, optimizers, diffusion are in subpaths (`tenfold/nn`, …). */

export type { Report, StepReport } from './tensor/backend/backend.js';
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
export * from './tensor/ops/joining.js';
export * from './tensor/ops/movement.js';
export * from './tensor/ops/reduction.js';
export * from './tensor/ops/slicing.js';
export type { Shape } from './tensor/shape.js';
export { isTensor, type Tensor } from './tensor/tensor.js';
export { type CheckFiniteOptions, checkFinite } from './tensor/transform/check-finite.js';
export { type Explanation, explain, type TraceNote } from './tensor/transform/explain.js';
export { grad, jvp, type ValueAndGrad, valueAndGrad, vjp } from './tensor/transform/grad.js';
export { compile, type JitOptions, jit } from './tensor/transform/jit.js';
export { cond, type FoldOptions, fold, scan, whileLoop } from './tensor/transform/loops.js';
export { realize } from './tensor/transform/realize.js';
export { type VmapOptions, vmap } from './tensor/transform/vmap.js';
