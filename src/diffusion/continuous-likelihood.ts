/** The likelihood of data under a denoiser, by the change of density along the probability-flow ODE. */
import { bernoulli, normal } from '../random/draw.js';
import { foldIn, type Key, keyNode } from '../random/key.js';
import type { FloatDType } from '../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { arange, zeros, zerosLike } from '../tensor/ops/creation/creation.js';
import { add, div, maximum, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { log, reciprocal, sin } from '../tensor/ops/elementwise/elementary.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { eye } from '../tensor/ops/movement/diagonals.js';
import { broadcastTo, reshape } from '../tensor/ops/movement/movement.js';
import { mean, sum } from '../tensor/ops/reduction/reduction.js';
import { checkArgument, checkInteger, range, showAval, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { linearize } from '../tensor/transform/grad.js';
import { vmap } from '../tensor/transform/vmap.js';
import { checkAlike, checkFunctions, checkOneOf } from './checks.js';
import type { Denoised, Denoiser } from './denoiser.js';
import { combine, type NoiseLevel, scaleOf } from './level.js';
import { checkLevels, type Levels, stepsOf } from './levels.js';
import { integrate } from './ode/dormand-prince.js';
import { angleOf, angleSlope, levelAtAngle } from './ode/flow.js';
import { type OdeState, rungeKutta4 } from './ode/runge-kutta.js';
import { type AdaptiveOptions, tolerancesOf } from './ode/tolerances.js';

/** Options of {@link logLikelihood}. */
export interface LogLikelihoodOptions<E = unknown> extends AdaptiveOptions {
  /**
   * How the trace of the Jacobian is had: `exact` from all its columns, at the cost of as many directions as a sample has
   * elements; `hutchinson` estimates it from random directions, without bias. Default `exact`.
   */
  readonly divergence?: 'exact' | 'hutchinson' | undefined;
  /** What the random directions are drawn from; those of sample i from `foldIn(key, i)`. */
  readonly key?: Key | undefined;
  /** How many random directions a sample has. Default 1. */
  readonly probes?: number | undefined;
  /** What random directions are made of: signs, which have the smaller variance, or normal numbers. Default `rademacher`. */
  readonly directions?: 'rademacher' | 'normal' | undefined;
  /** The number of the first sample of this batch. Default 0. */
  readonly firstSample?: number | undefined;
  /** In place of tolerances: that many steps of the classical method of Runge and Kutta, which has all derivatives. */
  readonly steps?: number | undefined;
  /** What conditions the samples: a tree of tensors [N, …], given to the denoiser. Default null. */
  readonly inputs?: E | undefined;
}

/** What {@link logLikelihood} gives. */
export interface LogLikelihood {
  /** log p(x) in nats, float64 [N]. */
  readonly logLikelihood: Tensor;
  /**
   * −log₂ p(x) per element of a sample, float64 [N], as a density. For 8-bit values scaled to [−1, 1] and dequantised with
   * uniform noise, add 7.
   */
  readonly bitsPerDimension: Tensor;
  /** Where the ODE leads from x to at the noisiest level, in shape and dtype of x. */
  readonly latent: Tensor;
}

const names = [
  ...['divergence', 'key', 'probes', 'directions', 'firstSample', 'steps', 'inputs'],
  ...['rtol', 'atol', 'maxSteps'],
];

const operation = 'logLikelihood';

const checkAll = <E>(x: Tensor, options: LogLikelihoodOptions<E>): void => {
  checkAlike(operation, { x });
  if (x.shape.length === 0) {
    throw new ShapeError({
      operation,
      given: `x ${showAval(x)}`,
      rule: 'samples have the shape [N, …]',
      hint: 'Use expandDims(x, 0) for a batch of one.',
    });
  }
  checkOptions(operation, names, options);
  const { divergence = 'exact', directions = 'rademacher', probes = 1, firstSample = 0, steps, key } = options;
  checkOneOf(operation, 'divergence', ['exact', 'hutchinson'], divergence);
  checkOneOf(operation, 'directions', ['rademacher', 'normal'], directions);
  checkInteger(operation, 'probes', probes, 1, 2 ** 31 - 1);
  checkInteger(operation, 'firstSample', firstSample, 0, 2 ** 31 - 1 - x.shape[0]!);
  if (key !== undefined) keyNode(operation, key);
  checkArgument(
    divergence === 'exact' || key !== undefined,
    operation,
    "divergence: 'hutchinson' and no key",
    'its random directions are drawn from a key',
    "Pass { key: key(seed) }, or divergence: 'exact'.",
  );
  if (steps === undefined) return;
  checkInteger(operation, 'steps', steps, 1, 2 ** 31 - 1);
  const tolerance = (['rtol', 'atol', 'maxSteps'] as const).find(name => options[name] !== undefined);
  if (tolerance === undefined) return;
  throw new ArgumentError({
    operation,
    given: `both steps and ${tolerance}`,
    rule: 'it takes a number of steps, or chooses its own by tolerances',
    hint: 'Leave one of them out.',
  });
};

/** The directions in which the trace is taken, [directions, N, …], and what to make of the results. */
interface Probes {
  readonly directions: Tensor;
  readonly total: (results: Tensor) => Tensor;
}

const probesFor = (x: Tensor, options: LogLikelihoodOptions): Probes => {
  const [count = 0, ...shape] = x.shape;
  const { divergence = 'exact', directions = 'rademacher', probes = 1, firstSample = 0, key } = options;
  const dtype = x.dtype as FloatDType;
  if (divergence === 'exact') {
    const size = sizeOf(shape);
    const basis = reshape(eye(size, { dtype }) as Tensor, [size, 1, ...shape]) as Tensor;
    return {
      directions: broadcastTo(basis, [size, count, ...shape]) as Tensor,
      total: results => sum(results, { axis: 0 }) as Tensor,
    };
  }
  const draw = (drawKey: Key): Tensor =>
    directions === 'normal'
      ? (normal(drawKey, shape, { dtype }) as Tensor)
      : (sub(mul(cast(bernoulli(drawKey, 0.5, shape) as Tensor, dtype) as Tensor, 2), 1) as Tensor);
  const of = (from: number, length: number): Tensor =>
    add(arange(length, { dtype: 'int32' }), from as unknown as Tensor) as Tensor;
  const one = (probe: Tensor): Tensor =>
    vmap((i: Tensor) => draw(foldIn(foldIn(key!, i), probe)))(of(firstSample, count)) as Tensor;
  return {
    directions: vmap(one)(of(0, probes)) as Tensor,
    total: results => mean(results, { axis: 0 }) as Tensor,
  };
};

/** Sums over each sample's own elements, in float64. */
const sumOwn = (x: Tensor): Tensor => sum(cast(x, 'float64'), { axis: range(x.shape.length).slice(1) }) as Tensor;

/**
 * The logarithm of the density that a denoiser gives to data: that of a normal distribution where the probability-flow ODE
 * leads to at the noisiest level, and the integral of the divergence on the way there.
 *
 * The last level is what x is taken to be a sample of; where that is without noise the ODE starts at σ / α = `atol`. Samples
 * do not depend on each other, and neither do their results on the batch, whatever the step sizes. Between the levels the
 * denoiser is called with levels [N], one for each sample.
 *
 * Sources: Song et al. 2020, arXiv:2011.13456, section 4.3 and appendix D.2; Chen et al. 2018, arXiv:1806.07366, theorem 1;
 * Grathwohl et al. 2018, arXiv:1810.01367, for Hutchinson's estimator with directions that stay the same on the way.
 *
 * @param denoiser see `denoiser`; one that is differentiable
 * @param levels of which the first is where x̃ ~ N(0, σ²) is a good description, and the last that of x
 * @param x data, float [N, …]
 * @param options see {@link LogLikelihoodOptions}
 * @returns see {@link LogLikelihood}; a sample whose integration failed is NaN. With tolerances there are forward derivatives
 *   alone, with `steps` all
 * @throws ArgumentError for what is no denoiser, levels or option, a missing key, and for both steps and tolerances
 * @throws ShapeError, DTypeError when x is no float [N, …] or the denoiser's results are not like it, IndexError for counts
 *   that are none
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, logLikelihood } from 'tenfold/diffusion';
 * // The denoiser of standard normal data.
 * const gaussian = denoiser(x => mul(x, 0), { prediction: 'v' });
 * const found = logLikelihood(gaussian, levelsAt(flowProcess(), [1]), tensor([[0], [2]]));
 * found.logLikelihood.toArray().map(nats => nats.toFixed(3)); // => ['-0.919', '-2.919']
 * ```
 */
export const logLikelihood = <E = unknown>(
  denoiser: Denoiser<E>,
  levels: Levels,
  x: Tensor,
  options: LogLikelihoodOptions<E> = {},
): LogLikelihood => {
  checkFunctions(operation, { denoiser });
  checkLevels(operation, levels);
  checkAll(x, options);
  const { inputs = null as E, steps } = options;
  const tolerances = tolerancesOf(operation, options);
  const count = x.shape[0]!;
  const context = { inputs, previous: zerosLike(x) as Tensor };
  const levelAtEnd = (index: number): NoiseLevel => {
    const of = (vector: Tensor): Tensor => take(vector, index) as Tensor;
    return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
  };
  const [noise, data] = [levelAtEnd(0), levelAtEnd(stepsOf(levels))];
  const [from, to] = [data, noise].map(level =>
    broadcastTo(maximum(angleOf(level), tolerances.atol) as Tensor, [count]),
  ) as unknown as [Tensor, Tensor];

  const denoise = (sample: Tensor, level: NoiseLevel): Denoised => {
    const denoised = denoiser(sample, level, context);
    checkAlike(operation, { x: sample, 'the x0 of the denoiser': denoised?.x0, 'its eps': denoised?.eps });
    return denoised;
  };
  const slopeAt = angleSlope(denoise, levelAtAngle([data, noise], levels.process.levelOf));
  const { directions, total } = probesFor(x, options as LogLikelihoodOptions);
  const slope = (angle: Tensor, [z]: OdeState): OdeState => {
    const [value, pushforward] = linearize((at: Tensor) => slopeAt(angle, at))(z!);
    const along = (direction: Tensor): Tensor => sumOwn(mul(direction, pushforward(direction)) as Tensor);
    return [value, total(vmap(along)(directions) as Tensor)];
  };
  const scale = scaleOf(data, 'preserving');
  const y = [combine([reciprocal(scale) as Tensor, x]), zeros([count], { dtype: 'float64' }) as Tensor];
  const end =
    steps === undefined
      ? integrate(slope, { y, slope: slope(from, y), from, to }, tolerances).y
      : rungeKutta4(slope, { y, from, to }, steps);
  const [z, change] = end as readonly [Tensor, Tensor];

  const size = sizeOf(x.shape.slice(1));
  const width = sin(to) as Tensor;
  const apart = div(sumOwn(square(z) as Tensor), square(width)) as Tensor;
  const volume = mul(add(log(width), Math.log(2 * Math.PI) / 2), size) as Tensor;
  const prior = neg(add(div(apart, 2), volume)) as Tensor;
  const nats = sub(add(prior, change), mul(log(scale), size)) as Tensor;
  return Object.freeze({
    logLikelihood: nats,
    bitsPerDimension: div(neg(nats), size * Math.LN2) as Tensor,
    latent: combine([scaleOf(noise, 'preserving'), z]),
  });
};
