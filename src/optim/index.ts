/** Optimizers as pure functions: `tenfold/optim`. */
export { type AdamOptions, type AdamState, adam, scaleByAdam } from './adam.js';
export { emaWarmup, updateEma } from './ema.js';
export { warmupCosine } from './schedule.js';
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
