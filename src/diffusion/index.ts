/** Diffusion models: `tenfold/diffusion`. */
export { type BoundOptions, type BpdTerms, calcBpdLoop, priorBpd, type VbTerm, vbTermsBpd } from './bound.js';
export {
  ddimReverseSample,
  ddimReverseSampleLoop,
  ddimSample,
  ddimSampleLoop,
  ddimSampleTrajectory,
  type EtaOptions,
} from './ddim.js';
export { pSample, pSampleLoop, pSampleTrajectory } from './ddpm.js';
export {
  type GaussianMoments,
  predictEpsFromXStart,
  predictXStartFromEps,
  predictXStartFromXPrev,
  qMeanVariance,
  qPosteriorMeanVariance,
  qSample,
} from './forward-process.js';
export {
  extract,
  type GaussianDiffusion,
  type GaussianDiffusionOptions,
  gaussianDiffusion,
  type LossType,
  type MeanType,
  modelTimesteps,
  respace,
  type VarianceType,
} from './gaussian-diffusion.js';
export {
  approxStandardNormalCdf,
  discretizedGaussianLogLikelihood,
  type GaussianParameters,
  normalKl,
} from './likelihood.js';
export { type TrainingLosses, trainingLosses } from './losses.js';
export { type NoiseOptions, timestepNoise } from './noise.js';
export { type RespacedBetas, respaceBetas, spaceTimesteps } from './respacing.js';
export {
  conditionMean,
  conditionScore,
  type DenoiseOptions,
  type Model,
  type ModelInputs,
  type PMeanVariance,
  pMeanVariance,
} from './reverse-process.js';
export type { DiffusionSample, LoopOptions, StepOptions, Trajectory } from './sampling-loop.js';
export {
  betasForAlphaBar,
  cosineBetas,
  type DiffusionCoefficients,
  diffusionCoefficients,
  linearBetas,
  namedBetas,
  type ScheduleName,
} from './schedules.js';
export {
  type LossHistory,
  type LossSecondMomentOptions,
  lossSecondMomentSampler,
  type TimestepSample,
  type TimestepSampler,
  uniformSampler,
} from './timestep-samplers.js';
export { type Training, type TrainMetrics, type TrainOptions, type TrainState, training } from './training.js';
