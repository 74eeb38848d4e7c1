/**
 * Elementary functions over vectors of lanes, at most two units in the last place from the truth, those of `angles.ts`,
 * `areas.ts` and the inverse and the complement of erf at most four, without branches. sin, cos and tan have limits: see `needsExactReduction`.
 */
export { acos, asin, atan, atan2 } from './angles.js';
export { acosh, asinh, atanh, hypot, logaddexp } from './areas.js';
export { cosh, exp, expm1, sigmoid, sinh, tanh } from './exponential.js';
export { digamma, lgamma } from './gamma.js';
export type { Lanes } from './lanes.js';
export { log, log1p } from './logarithm.js';
export { pow } from './power.js';
export { needsLongDivision, rem } from './remainder.js';
export { erf, erfc, erfinv } from './special.js';
export { cos, exactReductionLimit, needsExactReduction, sin, tan } from './trigonometric.js';
