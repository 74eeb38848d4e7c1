/** The core: tensors, operations, derivatives. Layers, optimizers, diffusion are in subpaths (`tenfold/nn`, …). */

export type { Report, StepReport } from './tensor/backend/backend.js';
export type { DType, FloatDType, TypedArray, TypedArrayOf } from './tensor/dtype.js';
export * from './tensor/errors.js';
export { type MemoryStats, memoryStats, setMemoryLimit } from './tensor/memory.js';
export * from './tensor/ops/activation.js';
export * from './tensor/ops/adaptive-pooling.js';
export * from './tensor/ops/arithmetic.js';
export * from './tensor/ops/at.js';
export * from './tensor/ops/attention.js';
export * from './tensor/ops/bitwise.js';
export * from './tensor/ops/bivariate.js';
export * from './tensor/ops/blending.js';
export * from './tensor/ops/cast.js';
export * from './tensor/ops/closeness.js';
export * from './tensor/ops/comparison.js';
export * from './tensor/ops/contraction.js';
export * from './tensor/ops/convolution.js';
export * from './tensor/ops/creation.js';
export * from './tensor/ops/cumulative.js';
export * from './tensor/ops/diagonals.js';
export * from './tensor/ops/division.js';
export * from './tensor/ops/einsum.js';
export * from './tensor/ops/elementary.js';
export * from './tensor/ops/extremes.js';
export * from './tensor/ops/flattening.js';
export * from './tensor/ops/grids.js';
export * from './tensor/ops/hard-activation.js';
export * from './tensor/ops/hyperbolic.js';
export * from './tensor/ops/indexing.js';
export * from './tensor/ops/joining.js';
export * from './tensor/ops/logic.js';
export * from './tensor/ops/losses/classification.js';
export * from './tensor/ops/losses/likelihood.js';
export * from './tensor/ops/losses/margin.js';
export * from './tensor/ops/losses/regression.js';
export * from './tensor/ops/movement.js';
export * from './tensor/ops/norm.js';
export * from './tensor/ops/padding.js';
export * from './tensor/ops/pixels.js';
export * from './tensor/ops/pooling.js';
export * from './tensor/ops/predicates.js';
export * from './tensor/ops/products.js';
export * from './tensor/ops/rearrange.js';
export * from './tensor/ops/rectifiers.js';
export * from './tensor/ops/reduction.js';
export * from './tensor/ops/repeating.js';
export * from './tensor/ops/resampling.js';
export * from './tensor/ops/rolling.js';
export * from './tensor/ops/scattering.js';
export * from './tensor/ops/searching.js';
export * from './tensor/ops/similarity.js';
export * from './tensor/ops/slicing.js';
export * from './tensor/ops/softmax.js';
export * from './tensor/ops/sorting.js';
export type { Padding, PerAxis } from './tensor/ops/spatial.js';
export * from './tensor/ops/special.js';
export * from './tensor/ops/statistics.js';
export * from './tensor/ops/unfolding.js';
export {
  setDeterministic,
  setThreads,
  type ThreadInfo,
  threadInfo,
} from './tensor/settings.js';
export type { Shape } from './tensor/shape.js';
export { isTensor, type Tensor } from './tensor/tensor.js';
export type { Axes } from './tensor/transform/batch-axes.js';
export { cond, switchOn } from './tensor/transform/branches.js';
export { type CheckFiniteOptions, checkFinite } from './tensor/transform/check-finite.js';
export { checkpoint } from './tensor/transform/checkpoint.js';
export {
  type BatchInfo,
  customBatch,
  customJvp,
  customVjp,
  type Direction,
  type JvpRule,
  type Partly,
  type VjpRule,
} from './tensor/transform/custom.js';
export { type Explanation, explain, type TraceNote } from './tensor/transform/explain.js';
export { type FoldChunk, type FoldChunksOptions, foldChunks } from './tensor/transform/fold-chunks.js';
export { grad, jvp, linearize, type ValueAndGrad, valueAndGrad, vjp } from './tensor/transform/grad.js';
export { hessian, hvp, type Jacobian, jacfwd, jacrev } from './tensor/transform/jacobian.js';
export { compile, type JitOptions, jit } from './tensor/transform/jit.js';
export { type FoldOptions, type ForLoopOptions, fold, forLoop, scan, whileLoop } from './tensor/transform/loops.js';
export { type GraphText, makeGraph } from './tensor/transform/make-graph.js';
export { realize } from './tensor/transform/realize.js';
export { type Batched, type VmapOptions, vmap } from './tensor/transform/vmap.js';
