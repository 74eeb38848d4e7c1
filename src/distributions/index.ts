/** Probability distributions: `tenfold/distributions`. */
export { categorical, multinomial, type Scores } from './categories.js';
export { bernoulli, binomial, geometric, type Odds, poisson } from './discrete.js';
export type { Distribution, Families, Family, Members, Parameter } from './distribution.js';
export { type KlDivergence, klDivergence } from './divergence.js';
export {
  chi2,
  exponential,
  gamma,
  halfCauchy,
  halfNormal,
  logNormal,
  pareto,
  type Scale,
  weibull,
} from './half-line.js';
export { cauchy, gumbel, type LocationScale, laplace, normal, studentT, uniform } from './line.js';
export { type Mixture, mixture } from './mixture.js';
export { multivariateNormal, type Spread } from './multivariate-normal.js';
export {
  cdf,
  entropy,
  icdf,
  logProb,
  mean,
  type OfValues,
  type Sample,
  type SampleOptions,
  sample,
  variance,
} from './operations.js';
export { beta, dirichlet } from './simplex.js';
export { truncatedNormal } from './truncated-normal.js';
export { vonMises } from './von-mises.js';
