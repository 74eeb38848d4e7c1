/** Layers as pairs of pure functions, and models made of them: `tenfold/nn`. */
export { type BatchNorm, type BatchNormOptions, type BatchNormParams, batchNorm } from './batch-norm.js';
export { type EmbeddingOptions, type EmbeddingParams, embedding } from './embedding.js';
export { groupNorm } from './group-norm.js';
export { instanceNorm } from './instance-norm.js';
export type { Applied, Layer, ShapedLayer, ShapeMap } from './layer.js';
export { type LayerNormParams, layerNorm } from './layer-norm.js';
export { type LinearOptions, type LinearParams, linear } from './linear.js';
export type { AffineParams, MaybeAffine, NormOptions } from './normalisation.js';
export {
  type ResidualBlockParams,
  type ResidualMlpOptions,
  type ResidualMlpParams,
  residualMlp,
} from './residual-mlp.js';
export { type RmsNormParams, rmsNorm } from './rms-norm.js';
export { activation, type Composed, type SequentialParams, sequential } from './sequential.js';
export { timestepEmbedding } from './timestep-embedding.js';
