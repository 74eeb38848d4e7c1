/** Layers as pairs of pure functions, and models made of them: `tenfold/nn`. */
export type { Layer } from './layer.js';
export { type LayerNormParams, layerNorm } from './layer-norm.js';
export { type LinearOptions, type LinearParams, linear } from './linear.js';
export {
  type ResidualBlockParams,
  type ResidualMlpOptions,
  type ResidualMlpParams,
  residualMlp,
} from './residual-mlp.js';
export { timestepEmbedding } from './timestep-embedding.js';
