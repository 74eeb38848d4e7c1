/** Layers as pairs of pure functions, and models made of them: `tenfold/nn`. */

export {
  type Compose,
  category,
  compose,
  type FreeParams,
  type Identity,
  identity,
  type LayerKind,
  type MapParams,
  type Morphism,
  mapParams,
  type Row,
  type SomeParams,
  type WithParams,
  withParams,
} from './algebra.js';
export type { AttentionMasks } from './attention-masks.js';
export {
  type AutoencoderKl,
  type AutoencoderKlOptions,
  type AutoencoderKlParams,
  autoencoderKl,
  type Posterior,
} from './autoencoder/autoencoder-kl.js';
export type {
  AutoencoderAttentionParams,
  AutoencoderBlockParams,
  AutoencoderEndParams,
  AutoencoderMidParams,
  AutoencoderResnetParams,
} from './autoencoder/parts.js';
export { type BatchNorm, type BatchNormParams, batchNorm } from './batch-norm.js';
export { type BilinearOptions, type BilinearParams, bilinear } from './bilinear.js';
export { type ConvLayer, type ConvLayerOptions, type ConvParams, conv1d, conv2d, conv3d } from './conv.js';
export {
  type ConvTransposeLayer,
  type ConvTransposeLayerOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from './conv-transpose.js';
export type { DitBlockParams, DitFinalParams } from './dit/blocks.js';
export { type Dit, type DitContext, type DitParams, dit } from './dit/dit.js';
export type { DitName, DitOptions } from './dit/options.js';
export { dropout } from './dropout.js';
export { type EmbeddingOptions, type EmbeddingParams, embedding } from './embedding.js';
export { type FourierOptions, type FourierParams, fourierEmbedding, fourierFeatures } from './fourier-embedding.js';
export { groupNorm } from './group-norm.js';
export {
  type GainOptions,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
  type TruncNormalOptions,
  truncNormal,
  xavierNormal,
  xavierUniform,
} from './initializers.js';
export { type InstanceNorm, instanceNorm } from './instance-norm.js';
export type { Applied, Context, Layer, ShapedLayer, ShapeMap } from './layer.js';
export { type LayerNormOptions, type LayerNormParams, layerNorm } from './layer-norm.js';
export { type LinearOptions, type LinearParams, linear } from './linear.js';
export { type MlpOptions, type MlpParams, mlp } from './mlp.js';
export {
  type AttentionInputs,
  type MultiHeadAttention,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadAttention,
} from './multi-head-attention.js';
export type { AffineParams, MaybeAffine, NormOptions } from './normalisation.js';
export {
  type AdaptivePoolLayer,
  type AvgPoolLayer,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type MaxPoolLayer,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type Pools,
  type PoolsTo,
} from './pooling.js';
export { type PreluParams, prelu } from './prelu.js';
export {
  gru,
  type LstmContext,
  type LstmOptions,
  type LstmRecurrence,
  lstm,
  type Recurrence,
  type RecurrentContext,
  type RecurrentOptions,
  type RecurrentParams,
  type RnnOptions,
  rnn,
} from './recurrent.js';
export {
  type CellOptions,
  type CellParams,
  gruCell,
  type LstmState,
  lstmCell,
  type Nonlinearity,
  type RnnCellOptions,
  rnnCell,
} from './recurrent-cells.js';
export { type RepeatLayer, type RepeatOptions, repeat } from './repeat.js';
export {
  pixelShuffle,
  pixelUnshuffle,
  type Resamples,
  type ShufflesPixels,
  type UnshufflesPixels,
  upsample,
} from './resampling.js';
export {
  type ResidualBlockParams,
  type ResidualMlpOptions,
  type ResidualMlpParams,
  residualMlp,
} from './residual-mlp.js';
export { type RmsNormParams, rmsNorm } from './rms-norm.js';
export type { RunningStatistics, StatisticsNorm, StatisticsOptions, StatisticsParams } from './running-statistics.js';
export { activation, type Composed, type SequentialParams, sequential } from './sequential.js';
export { type ConcatSkip, concatSkip, parallel, type Residual, residual } from './skips.js';
export { loadStateDict, type NamedModel, StateDictError, type StateDictMisfits, stateDict } from './state-dict.js';
export { type Summary, type SummaryLayer, summary } from './summary.js';
export { type TimestepEmbeddingOptions, timestepEmbedding } from './timestep-embedding.js';
export {
  type TransformerDecoderInputs,
  type TransformerDecoderLayerParams,
  type TransformerEncoderLayerParams,
  type TransformerInputs,
  type TransformerLayerOptions,
  transformerDecoderLayer,
  transformerEncoderLayer,
} from './transformer.js';
export type {
  AttentionBlockParams,
  AttentionPoolParams,
} from './unet/attention-block.js';
export type { DownsampleParams, ResBlockParams, UnetBlockParams, UpsampleParams } from './unet/blocks.js';
export {
  type UnetEncoder,
  type UnetEncoderContext,
  type UnetEncoderOptions,
  type UnetEncoderParams,
  type UnetHeadParams,
  type UnetPool,
  unetEncoder,
} from './unet/encoder.js';
export type { UnetBaseOptions } from './unet/options.js';
export type { StageParams, TimeParams, TrunkParams } from './unet/trunk.js';
export { type Unet, type UnetContext, type UnetOptions, type UnetParams, unet } from './unet/unet.js';
