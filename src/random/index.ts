/** Keys and draws: `tenfold/random`. */
export { binomial, type CountDType, type CountOptions, poisson } from './counts.js';
export {
  bernoulli,
  bits,
  categorical,
  type FloatOptions,
  normal,
  type Permutation,
  permutation,
  randint,
  uniform,
} from './draw.js';
export { beta, dirichlet, gamma, studentT } from './gamma.js';
export { exponential, gumbel, laplace } from './inverse.js';
export { foldIn, type Key, key, type Layout, type LayoutOptions, split, splitStack } from './key.js';
export type { DrawOptions, Parameter } from './parameters.js';
export { type Random, state } from './state.js';
export { truncatedNormal } from './truncated.js';
export { vonMises } from './von-mises.js';
