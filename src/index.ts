/** The core: tensors, operations, derivatives. Layers, optimizers, diffusion are in subpaths (`tenfold/nn`, …). */

export type { Report, StepReport } from './tensor/backend/backend.js';
export {
  type DeviceInfo,
  type DeviceMemory,
  type DeviceMode,
  type DeviceName,
  type DeviceOptions,
  device,
  deviceInfo,
  type RefusedMode,
  toDevice,
} from './tensor/device.js';
export type { DType, FloatDType, TypedArray, TypedArrayOf } from './tensor/dtype.js';
export * from './tensor/errors.js';
export { type MemoryStats, memoryStats, setMemoryLimit } from './tensor/memory.js';
export * from './tensor/ops/index.js';
export {
  setDeterministic,
  setThreads,
  setWinograd,
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
export {
  type CustomOp,
  customOp,
  type ResultOf,
  type TensorSpec,
  type TensorsOf,
} from './tensor/transform/custom-op.js';
export { type Explanation, explain, type TraceNote } from './tensor/transform/explain.js';
export { type FoldChunk, type FoldChunksOptions, foldChunks } from './tensor/transform/fold-chunks.js';
export { grad, jvp, linearize, type ValueAndGrad, valueAndGrad, vjp } from './tensor/transform/grad.js';
export { hessian, hvp, type Jacobian, jacfwd, jacrev } from './tensor/transform/jacobian.js';
export { compile, type JitOptions, jit } from './tensor/transform/jit.js';
export { type FoldOptions, type ForLoopOptions, fold, forLoop, scan, whileLoop } from './tensor/transform/loops.js';
export { type GraphText, makeGraph } from './tensor/transform/make-graph.js';
export { realize } from './tensor/transform/realize.js';
export { type Batched, type VmapOptions, vmap } from './tensor/transform/vmap.js';
