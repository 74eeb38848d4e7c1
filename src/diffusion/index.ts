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
  type Denoised,
  type Denoiser,
  type DenoiserContext,
  type DenoiserModel,
  type DenoiserModifier,
  type DenoiserOptions,
  denoiser,
  denoiserMonoid,
} from './denoiser.js';
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
export { addNoise, combine, halfLogSnr, type NoiseLevel, noiseToSignal, type Scaling, scaleOf } from './level.js';
export { type Levels, type LevelsOptions, levelsAt, levelsOf, reverseLevels, truncate } from './levels.js';
export {
  approxStandardNormalCdf,
  discretizedGaussianLogLikelihood,
  type GaussianParameters,
  normalKl,
} from './likelihood.js';
export { type TrainingLosses, trainingLosses } from './losses.js';
export {
  type ClipOptions,
  clipDenoised,
  type DynamicThresholdOptions,
  dynamicThreshold,
  mapX0,
  type NoiseTreatment,
} from './modifiers/clipping.js';
export { type NoiseOptions, timestepNoise } from './noise.js';
export { convert, type Parts, type PredictionType } from './prediction.js';
export {
  continuousProcess,
  discreteProcess,
  edmProcess,
  type FlowProcessOptions,
  flowProcess,
  type LogSnrSchedule,
  type Process,
  rescaleProcess,
} from './process.js';
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
export {
  type SampleOptions,
  type SampleSteps,
  sample,
  sampleSteps,
  type TrajectoryStep,
  trajectory,
} from './sample.js';
export type { Denoise, Sampler, SamplerState, Step } from './sampler.js';
export { type DdimOptions, ddim } from './samplers/ancestral.js';
export type { DiffusionSample, LoopOptions, StepOptions, Trajectory } from './sampling-loop.js';
export {
  type AlphaBarOptions,
  betasForAlphaBar,
  cosineAlphaBar,
  cosineBetas,
  type ExponentialBetasOptions,
  exponentialBetas,
  sigmoidAlphaBar,
  sqrtBetas,
} from './schedules/alpha-bar.js';
export { type BetaRange, linearBetas, scaledLinearBetas, sigmoidBetas } from './schedules/betas.js';
export { type DiffusionCoefficients, diffusionCoefficients } from './schedules/coefficients.js';
export {
  flowShift,
  type ResolutionShiftOptions,
  resolutionShift,
  stretchToTerminal,
} from './schedules/flow-shift.js';
export {
  betasForLogSnr,
  type CosineLogSnrOptions,
  cosineLogSnr,
  type FlowLogSnrOptions,
  flowLogSnr,
  type LaplaceLogSnrOptions,
  type LogSnr,
  type LogSnrRange,
  laplaceLogSnr,
  linearLogSnr,
  type VpLogSnrOptions,
  vpLogSnr,
} from './schedules/log-snr.js';
export { namedBetas, type ScheduleName } from './schedules/named.js';
export {
  type BetaSigmasOptions,
  betaSigmas,
  exponentialSigmas,
  karrasSigmas,
  polyexponentialSigmas,
  type RhoOptions,
  type SigmaRange,
} from './schedules/sigmas.js';
export { type InferenceTimestepsOptions, inferenceTimesteps, type TimestepSpacing } from './schedules/spacing.js';
export { rescaleZeroTerminalSnr } from './schedules/zero-terminal-snr.js';
export {
  type LossHistory,
  type LossSecondMomentOptions,
  lossSecondMomentSampler,
  type TimestepSample,
  type TimestepSampler,
  uniformSampler,
} from './timestep-samplers.js';
export { type Training, type TrainMetrics, type TrainOptions, type TrainState, training } from './training.js';
