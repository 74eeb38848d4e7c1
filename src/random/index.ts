/** Keys and draws: `tenfold/random`. */
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
export { foldIn, type Key, key, type Layout, type LayoutOptions, split, splitStack } from './key.js';
export { type Random, state } from './state.js';
