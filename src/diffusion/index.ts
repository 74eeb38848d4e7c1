/** Diffusion models: `tenfold/diffusion`. */
export { type BoundOptions, type BpdTerms, calcBpdLoop, priorBpd, type VbTerm, vbTermsBpd } from './bound.js';
export { type Checkpoint, fileCheckpoint } from './checkpoint.js';
export { type ConsistencyTimesOptions, consistencyTimes } from './consistency/discretization.js';
export {
  type ConsistencyDistillationOptions,
  type ConsistencyLossOptions,
  type ConsistencyMetric,
  type ConsistencyTarget,
  consistencyDistillation,
  consistencyTraining,
} from './consistency/losses.js';
export {
  type ConsistencyLevels,
  type ConsistencyStage,
  type ConsistencyStagesOptions,
  consistencyDecay,
  consistencyLevels,
  consistencyStages,
} from './consistency/stages.js';
export {
  type LogLikelihood,
  type LogLikelihoodOptions,
  logLikelihood,
} from './continuous-likelihood.js';
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
  type DiscreteDiffusion,
  type DiscreteDiffusionOptions,
  type DiscreteKind,
  discreteDiffusion,
  type TransitionMatrix,
} from './discrete/discrete-diffusion.js';
export { type ProbabilityOptions, qPosterior, qProbs, qSampleDiscrete } from './discrete/forward.js';
export {
  type DiscreteBpdTerms,
  type DiscreteLosses,
  type DiscreteLossOptions,
  type DiscreteNoiseOptions,
  discreteBpdLoop,
  discreteLosses,
  discretePriorBpd,
  discreteVbTermsBpd,
} from './discrete/losses.js';
export {
  type MaskedDiffusion,
  type MaskedDiffusionOptions,
  type MaskedLosses,
  maskedDiffusion,
  maskedLosses,
  maskStates,
} from './discrete/masked.js';
export { respaceDiscrete } from './discrete/respacing.js';
export { type DiscreteInputs, type DiscreteModel, type DiscretePrediction, pPrevious } from './discrete/reverse.js';
export {
  type DiscreteSampleSteps,
  type DiscreteTrajectoryStep,
  discreteTrajectory,
  type SampleDiscreteOptions,
  sampleDiscrete,
  sampleDiscreteSteps,
} from './discrete/sample.js';
export {
  type AncestralOptions,
  ancestralStates,
  type ConfidentOptions,
  type ConfidentState,
  confidentStates,
  type DiscreteSampler,
  type DiscreteState,
  type DiscreteStep,
  type PredictStates,
} from './discrete/samplers.js';
export { type Batches, type FitOptions, type FitStep, type Fitted, fit, type Patience } from './fit.js';
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
export { imageToImageStart } from './image-to-image.js';
export { addNoise, combine, halfLogSnr, type NoiseLevel, noiseToSignal, type Scaling, scaleOf } from './level.js';
export { type Levels, type LevelsOptions, levelsAt, levelsOf, reverseLevels, truncate } from './levels.js';
export {
  approxStandardNormalCdf,
  discretizedGaussianLogLikelihood,
  type GaussianParameters,
  normalKl,
} from './likelihood.js';
export {
  type DenoisingLosses,
  type DenoisingLossOptions,
  denoisingLoss,
  type Metric,
} from './losses/denoising.js';
export { gaussianLoss, type TrainingLosses, trainingLosses } from './losses/gaussian.js';
export type { DiffusionLoss, LossExample, Losses, TrainingProgress } from './losses/loss.js';
export {
  edmWeighting,
  minSnrWeighting,
  type P2Options,
  p2Weighting,
  sigmoidWeighting,
  type Weighting,
} from './losses/weightings.js';
export { energyDistance } from './metrics/energy.js';
export { frechetDistance, frechetDistanceOf, meanAndCovariance, type SampleMoments } from './metrics/frechet.js';
export { type KernelMmdOptions, kernelMmd } from './metrics/mmd.js';
export { type Prdc, type PrdcOptions, prdc } from './metrics/prdc.js';
export type { Score } from './metrics/samples.js';
export { type SlicedWassersteinOptions, slicedWasserstein } from './metrics/sliced-wasserstein.js';
export { type ConsistencyBoundaryOptions, consistencyBoundary } from './modifiers/boundary.js';
export {
  type ClipOptions,
  clipDenoised,
  type DynamicThresholdOptions,
  dynamicThreshold,
  mapX0,
  type NoiseTreatment,
} from './modifiers/clipping.js';
export { type ExpertsOptions, productOfExperts } from './modifiers/experts.js';
export {
  type ClassifierFreeGuidanceOptions,
  type ClassifierGuidanceOptions,
  classifierFreeGuidance,
  classifierGuidance,
  type GuidanceGradient,
} from './modifiers/guidance.js';
export {
  inpainting,
  type Measurement,
  type ReconstructionOptions,
  reconstructionGuidance,
} from './modifiers/inverse-problems.js';
export type { FromInputs } from './modifiers/parts.js';
export { type LevelRange, restrictTo, withInputs } from './modifiers/restriction.js';
export { type NoiseOptions, timestepNoise } from './noise.js';
export type { AdaptiveOptions } from './ode/tolerances.js';
export { cIn, cNoise, cOut, cSkip, type PreconditioningOptions, preconditioned } from './preconditioning.js';
export { convert, type Parts, type PredictionType } from './prediction.js';
export {
  continuousProcess,
  discreteProcess,
  edmProcess,
  type FlowProcessOptions,
  flowProcess,
  type Process,
  rescaleProcess,
} from './process.js';
export { eulerMaruyama } from './processes/euler-maruyama.js';
export {
  type LatentDiffusion,
  type LatentDiffusionOptions,
  latentDiffusion,
  latentScale,
} from './processes/latent.js';
export {
  type ScoreSde,
  subVpProcess,
  type VeProcessOptions,
  type VpProcessOptions,
  veProcess,
  vpProcess,
} from './processes/score-sdes.js';
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
  sampleState,
  sampleSteps,
  type TrajectoryStep,
  trajectory,
} from './sample.js';
export { type SampleChunksOptions, sampleChunks } from './sample-chunks.js';
export type { Denoise, Sampler, SamplerState, Step } from './sampler.js';
export { dormandPrince } from './samplers/adaptive.js';
export { type DdimOptions, type DdpmOptions, ddim, ddpm } from './samplers/ancestral.js';
export { type ChurnOptions, withChurn } from './samplers/churn.js';
export {
  type Observed,
  type SwitchState,
  switchAt,
  type TapState,
  tap,
} from './samplers/combinators.js';
export {
  lcm,
  type MultistepConsistencyOptions,
  multistepConsistency,
  type TcdOptions,
  tcd,
} from './samplers/consistency.js';
export { type Corrector, withCorrector } from './samplers/corrector.js';
export { type DeisOptions, deis } from './samplers/deis.js';
export {
  type DpmSolverMultistepOptions,
  type DpmSolverOptions,
  type DpmSolverType,
  dpmSolverMultistep,
} from './samplers/dpm-solver.js';
export {
  type DpmSolverSinglestepOptions,
  dpmSolverSinglestep,
  type GroupStart,
  type SinglestepState,
} from './samplers/dpm-solver-singlestep.js';
export { type DpmSolverStagesOptions, dpmSolver } from './samplers/dpm-solver-stages.js';
export { dpm2, dpm2Ancestral } from './samplers/dpm2.js';
export { type EdmStochasticOptions, edmStochastic } from './samplers/edm.js';
export { euler, eulerAncestral } from './samplers/euler.js';
export type { DpmSolverAlgorithm } from './samplers/exponential.js';
export { type FlowHeunOptions, flowHeun } from './samplers/flow.js';
export { heun } from './samplers/heun.js';
export { type LangevinOptions, langevin } from './samplers/langevin.js';
export { type LmsOptions, type LmsState, lms } from './samplers/lms.js';
export type { History, MultistepState } from './samplers/multistep.js';
export { type PndmOptions, type PndmState, plms, pndm } from './samplers/pndm.js';
export { type RestartOptions, repeatSteps, restart } from './samplers/renoising.js';
export { type Rk4Options, rk4 } from './samplers/runge-kutta.js';
export type { StraightPath } from './samplers/straight-path.js';
export { type UniPcOptions, type UniPcState, type UniPcType, uniPc } from './samplers/unipc.js';
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
  type ClosedLogSnr,
  type CosineLogSnrOptions,
  cosineLogSnr,
  type FlowLogSnrOptions,
  flowLogSnr,
  type LaplaceLogSnrOptions,
  type LogSnr,
  type LogSnrRange,
  type LogSnrSchedule,
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
  logitNormalSampler,
  logNormalSampler,
  type NormalTimesOptions,
  type StratifiedOptions,
  stratifiedSampler,
} from './time-samplers.js';
export {
  type LossHistory,
  type LossSecondMomentOptions,
  lossSecondMomentSampler,
  type TimeSample,
  type TimeSampler,
  type TimestepSample,
  type TimestepSampler,
  uniformSampler,
} from './timestep-samplers.js';
export {
  type Trainer,
  type TrainerOptions,
  type TrainMetrics,
  type TrainState,
  trainer,
} from './training.js';
export type { Averages, EmaDecays } from './training-averages.js';
export type { ConditioningDropout, Conditions, ModelConditions, TrainBatch } from './training-batch.js';
export type { StepTimeSampler } from './training-times.js';
