/**
 * Elementary functions over vectors of lanes, at most two units in the last place from the truth, without branches.
 * sin, cos and tan have limits: see `needsExactReduction`.
 */
export { exp, expm1, sigmoid, tanh } from './exponential.js';
export type { Lanes } from './lanes.js';
export { log, log1p } from './logarithm.js';
export { pow } from './power.js';
export { erf } from './special.js';
export { cos, exactReductionLimit, needsExactReduction, sin, tan } from './trigonometric.js';
