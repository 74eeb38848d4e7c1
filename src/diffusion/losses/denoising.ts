/** Losses for any process: a network's prediction compared with the truth, by a metric, weighted by the noise level. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { zerosLike } from '../../tensor/ops/creation/creation.js';
import { abs, add, div, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { lessEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { reciprocal, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { meanFlat } from '../bound.js';
import { checkAlike, checkFunctions } from '../checks.js';
import { checkedDenoised, type Denoiser, type DenoiserModel, halves, timesFor } from '../denoiser.js';
import { addNoise, combine, type NoiseLevel, type Scaling, scaleOf } from '../level.js';
import { checkPrediction, type PredictionType, partsOf, predictionOf } from '../prediction.js';
import type { Model } from '../reverse-process.js';
import { checkBatched, checkExample, checkLevel, type LossExample, weighed } from './loss.js';
import type { Weighting } from './weightings.js';

/**
 * How two tensors are compared, element by element: `mse` d², `l1` |d|; Huber's d² / 2 up to δ and δ (|d| − δ / 2) beyond;
 * and the smooth δ² (√(1 + (d / δ)²) − 1).
 */
export type Metric = 'mse' | 'l1' | { readonly huber: number } | { readonly pseudoHuber: number };

/** Options of {@link denoisingLoss}. */
export interface DenoisingLossOptions<E = unknown> {
  /** What the network predicts. Default `epsilon`. */
  readonly prediction?: PredictionType;
  /** How the samples are scaled that the network sees. Default `flow` for `velocity`, else `preserving`. */
  readonly scaling?: Scaling;
  /** What is compared. Default: what the network predicts; `x0` with a denoiser. */
  readonly target?: PredictionType;
  /** In the place of `prediction` and `scaling`: what makes a denoiser of the network, such as a preconditioning. */
  readonly denoiser?: (model: DenoiserModel<E>) => Denoiser<E>;
  /** Default `mse`. */
  readonly metric?: Metric;
  /** Default: 1 at every level. */
  readonly weighting?: Weighting;
}

/** Losses by sample, each [N]. */
export interface DenoisingLosses {
  readonly loss: Tensor;
  /** The loss before it is weighted, where there is a weighting. */
  readonly unweighted?: Tensor;
}

type Distance = (difference: Tensor) => Tensor;

const parametric: Readonly<Record<string, (delta: number) => Distance>> = {
  huber: delta => d => {
    const size = abs(d) as Tensor;
    return where(lessEqual(size, delta), mul(square(d), 0.5), mul(sub(size, delta / 2) as Tensor, delta)) as Tensor;
  },
  pseudoHuber: delta => d => mul(sub(sqrt(add(square(div(d, delta) as Tensor), 1) as Tensor), 1) as Tensor, delta ** 2),
};

const distanceOf = (operation: string, metric: Metric): Distance => {
  if (metric === 'mse') return d => square(d);
  if (metric === 'l1') return d => abs(d) as Tensor;
  const [[name, delta] = [], ...others] = typeof metric === 'object' && metric !== null ? Object.entries(metric) : [];
  if (name === undefined || others.length > 0 || !Object.hasOwn(parametric, name)) {
    throw new ArgumentError({
      operation,
      given: `${typeof metric === 'string' ? `'${String(metric)}'` : kindOf(metric)} as the metric`,
      rule: "a metric is 'mse', 'l1', { huber: δ } or { pseudoHuber: δ }",
      hint: "Leave it out for 'mse'.",
    });
  }
  return parametric[name]!(checkNumber(operation, name, delta, 'positive'));
};

/**
 * The loss of a network at given noise levels, one a sample: x = α x₀ + σ ε is made of the data and the noise, and what the
 * network predicts of it is compared with the truth.
 *
 * - `{}`: the simple loss of Ho et al. 2020, arXiv:2006.11239, eq. 14;
 * - `{ prediction: 'v' }`: the v-loss of Salimans & Ho 2022, arXiv:2202.00512, section 4;
 * - `{ prediction: 'velocity' }`: flow matching, Lipman et al. 2022, arXiv:2210.02747, eq. 23, with the flow process;
 * - `{ denoiser: model => preconditioned denoiser, weighting: edmWeighting() }`: the loss of Karras et al. 2022,
 *   arXiv:2206.00364, eq. 2.
 *
 * @param options see {@link DenoisingLossOptions}
 * @returns a loss: a function of a model and of examples, whose `xStart` is float [N, …], `noise` like it and `level`
 *   float64 [N] or []; the mean over a sample's elements, [N] in the dtype of xStart
 * @throws ArgumentError for a prediction, metric, weighting or option that is none, and for a denoiser beside a prediction or
 *   scaling; the loss: ShapeError, DTypeError when xStart, noise or the output of the model differ, and when there is not one weight
 *   for each sample
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { denoisingLoss, flowProcess } from 'tenfold/diffusion';
 * const example = { xStart: tensor([[1, 0]]), noise: tensor([[0, 2]]), level: flowProcess().levelAt(tensor([0.5])) };
 * const loss = denoisingLoss({ prediction: 'velocity' });
 * loss(x => x, { ...example, inputs: null }).loss.toArray(); // => [1.625]
 * ```
 */
export const denoisingLoss = <E = unknown>(
  options: DenoisingLossOptions<E> = {},
): ((model: Model<E>, example: Omit<LossExample<E>, 't'>) => DenoisingLosses) => {
  const operation = 'denoisingLoss';
  checkOptions(operation, ['prediction', 'scaling', 'target', 'denoiser', 'metric', 'weighting'], options);
  const { denoiser, weighting, metric = 'mse', prediction = 'epsilon' } = options;
  const { target = denoiser === undefined ? prediction : 'x0' } = options;
  const { scaling = prediction === 'velocity' ? 'flow' : 'preserving' } = options;
  checkPrediction(operation, 'prediction', prediction);
  checkPrediction(operation, 'target', target);
  checkArgument(
    ['preserving', 'exploding', 'flow'].includes(scaling),
    operation,
    `${kindOf(scaling)} as the scaling`,
    'a scaling is one of preserving, exploding, flow',
    'Leave it out for that which goes with the prediction.',
  );
  checkArgument(
    denoiser === undefined || (options.prediction === undefined && options.scaling === undefined),
    operation,
    'a denoiser beside a prediction or a scaling',
    'the denoiser says what the network predicts and how its samples are scaled',
    'Leave out prediction and scaling; `target` says what is compared.',
  );
  if (denoiser !== undefined) checkFunctions(operation, { denoiser });
  if (weighting !== undefined) checkFunctions(operation, { weighting });
  const distance = distanceOf(operation, metric);

  const predicted = (model: Model<E>, x: Tensor, level: NoiseLevel, inputs: E): Tensor => {
    if (denoiser !== undefined) {
      const network = denoiser((y, time, given) => model(y, time, given));
      checkFunctions(operation, { 'what the denoiser makes of a model': network });
      const denoised = network(x, level, { inputs, previous: zerosLike(x) as Tensor });
      return predictionOf(target, checkedDenoised(operation, denoised, x), level);
    }
    const scaled = combine([reciprocal(scaleOf(level, scaling)), x]);
    const [output] = halves(operation, model(scaled, timesFor(level, x), inputs), x, false);
    return target === prediction ? output! : predictionOf(target, partsOf(prediction, output!, x, level), level);
  };

  return (model, example) => {
    checkExample(operation, model, example);
    const { xStart, level, noise, inputs } = example;
    checkAlike(operation, { xStart, noise });
    checkBatched(operation, xStart);
    checkLevel(operation, level, xStart);
    const x = addNoise(xStart, level, noise);
    const wanted = predictionOf(target, { x0: xStart, eps: noise }, level);
    const unweighted = meanFlat(distance(sub(predicted(model, x, level, inputs), wanted)));
    if (weighting === undefined) return Object.freeze({ loss: unweighted });
    return Object.freeze({ loss: weighed(operation, unweighted, weighting(level, target)), unweighted });
  };
};
