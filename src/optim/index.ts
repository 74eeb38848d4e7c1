/** Optimizers as pure functions: `tenfold/optim`. */
export { type AdafactorOptions, type AdafactorState, adafactor } from './adafactor.js';
export {
  type AdadeltaOptions,
  type AdagradOptions,
  adadelta,
  adagrad,
  type RmspropOptions,
  type RmspropState,
  rmsprop,
} from './adagrad.js';
export {
  type AdamMemory,
  type AdamOptions,
  type AdamState,
  adam,
  adamw,
  type MomentOptions,
  type ScaleByAdamOptions,
  scaleByAdam,
} from './adam.js';
export { type AdamRelativeOptions, adamax, type NAdamOptions, nadam, radam } from './adam-relatives.js';
export { clipByGlobalNorm, clipByValue, type GlobalNormOptions, globalNorm } from './clipping.js';
export {
  type CyclicOptions,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  type OneCycleLROptions,
  type OneCycleMomentumOptions,
  type OneCycleOptions,
  oneCycleLR,
  oneCycleMomentum,
} from './cycles.js';
export {
  type CountedSchedule,
  constantLR,
  exponentialLR,
  linearLR,
  multiStepLR,
  polynomialLR,
  stepLR,
} from './decays.js';
export { emaPowerWarmup, emaWarmup, powerEma, updateEma } from './ema.js';
export {
  multiTransform,
  type TransformGroup,
  type WeightDecayOptions,
  weightDecay,
} from './groups.js';
export { type LambOptions, type LionOptions, lamb, lion } from './layerwise.js';
export { type MuonOptions, muon } from './muon.js';
export { piecewiseLR, type RatePoint, sequentialLR } from './piecewise.js';
export { type Plateau, type PlateauOptions, type PlateauState, reduceLROnPlateau } from './plateau.js';
export type { CommonOptions, OptimizerState, RuleState } from './rule.js';
export { warmupCosine } from './schedule.js';
export { type SgdOptions, sgd } from './sgd.js';
export {
  applyUpdates,
  type CountState,
  chain,
  type GradientTransform,
  monoid,
  type Schedule,
  scale,
  scaleByLearningRate,
} from './transform.js';
export { type AccumulateState, accumulate, type LookaheadState, lookahead } from './wrapped.js';
