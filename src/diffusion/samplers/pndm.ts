/** Pseudo linear multistep methods: they extrapolate what a network predicts from the steps before. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { tensor, zerosLike } from '../../tensor/ops/creation/creation.js';
import { add, minimum, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, less } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { combine, type NoiseLevel } from '../level.js';
import { agreeing, checkPrediction, type Parts, type PredictionType, predictionOf } from '../prediction.js';
import type { Sampler, SamplerState, Step } from '../sampler.js';
import { eulerTo } from './straight-path.js';

/** Options of {@link pndm} and {@link plms}. */
export interface PndmOptions {
  /**
   * As which prediction the steps before are remembered and extrapolated. Default `epsilon`, as in the paper: of second
   * order. On the even steps of a flow it is `velocity` that is of fourth order, as what is solved is a plain integral then.
   * With `v` it is of first order. A `score` has no value at a level without noise, as where levels rise from the data.
   */
  readonly prediction?: PredictionType;
}

/** What {@link pndm} and {@link plms} remember. */
export interface PndmState extends SamplerState {
  /** The last three predictions, the newest first. */
  readonly past: readonly Tensor[];
  /** Steps done, an int32 scalar. */
  readonly known: Tensor;
}

/** Weights of the prediction and of those before it, by how many of these there are: Adams-Bashforth. */
const weights = [
  [1, 0, 0, 0],
  [3 / 2, -1 / 2, 0, 0],
  [23 / 12, -16 / 12, 5 / 12, 0],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

const extrapolate = (known: Tensor, values: readonly Tensor[]): Tensor => {
  const row = take(tensor(weights, { dtype: 'float64' }), minimum(known, 3) as Tensor<Shape, 'int32'>) as Tensor;
  const weight = (i: number): Tensor => take(row, tensor(i, { dtype: 'int32' })) as Tensor;
  return combine(...values.map((value, i) => [weight(i), value] as const));
};

/** What a first step, which has nothing to extrapolate, takes in place of the prediction. */
interface Start {
  /** How many steps have too little before them. */
  readonly steps: number;
  /** By the prediction at its begin, that at other samples, and the samples that a prediction leads to at a level. */
  readonly value: (
    first: Tensor,
    at: Step,
    predict: (x: Tensor, level: NoiseLevel) => Tensor,
    reach: (value: Tensor, level: NoiseLevel) => Tensor,
  ) => Tensor;
}

const multistep = (operation: string, options: PndmOptions, start: Start): Sampler<PndmState> => {
  checkOptions(operation, ['prediction'], options);
  const { prediction = 'epsilon' } = options;
  checkPrediction(operation, 'the prediction', prediction);
  return Object.freeze({
    init: (x: Tensor) => {
      const zero = zerosLike(x);
      const known = tensor(0, { dtype: 'int32' }) as Tensor;
      return Object.freeze({ x, x0: zero, past: Object.freeze([zero, zero, zero]), known });
    },
    step: ({ x, past, known }: PndmState, at, denoise) => {
      const { from, to } = at;
      const predict = (sample: Tensor, level: NoiseLevel): Tensor =>
        predictionOf(prediction, denoise(sample, level), level);
      const denoised = denoise(x, from);
      const first = predictionOf(prediction, denoised, from);
      const partsBy = (value: Tensor): Parts => agreeing(prediction, value, x, from, denoised);
      const reach = (value: Tensor, level: NoiseLevel): Tensor => eulerTo(partsBy(value), level);
      // At the data there is no noise to predict.
      const starts = logicalAnd(less(known, start.steps), greater(to.sigma, 0)) as Tensor;
      const value = cond(
        starts,
        () => start.value(first, at, predict, reach),
        () => extrapolate(known, [first, ...past]),
      )();
      const parts = partsBy(value);
      return Object.freeze({
        x: eulerTo(parts, to),
        x0: parts.x0,
        past: Object.freeze([first, ...past.slice(0, 2)]),
        known: add(known, 1),
      });
    },
  } satisfies Sampler<PndmState>);
};

/**
 * Pseudo numerical methods for diffusion models: fourth-order Adams-Bashforth on the predictions of the last four steps;
 * the first three steps are of the fourth-order Runge-Kutta method, with four calls of the denoiser each and the middle of
 * a step being its middle in time. A step that ends without noise takes what steps it knows instead; one that begins in
 * noise alone is of Euler's method.
 *
 * Source: Liu et al. 2022, arXiv:2202.09778, algorithm 2 (F-PNDM), eqs. 11 to 13; with `prediction: 'v'` as the
 * `PNDMScheduler` of diffusers does with networks that predict v.
 *
 * @param options see {@link PndmOptions}
 * @returns a sampler without noise
 * @throws ArgumentError for what is no prediction, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, pndm, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsAt(flowProcess(), [1, 0.75, 0.5, 0.25]);
 * sample(pndm(), toZero, levels, zeros([1, 2])).toArray(); // => [[0, 0]]
 * ```
 */
export const pndm = (options: PndmOptions = {}): Sampler<PndmState> =>
  multistep('pndm', options, {
    steps: 3,
    value: (first, { from, to, levelAt }, predict, reach) => {
      const middle = levelAt(mul(add(from.time, to.time), 0.5) as Tensor);
      const second = predict(reach(first, middle), middle);
      const third = predict(reach(second, middle), middle);
      const fourth = predict(reach(third, to), to);
      return combine([1 / 6, first], [1 / 3, second], [1 / 3, third], [1 / 6, fourth]);
    },
  });

/**
 * {@link pndm} with a cheaper beginning: the first step is of Heun's method, with two calls of the denoiser, and the next
 * two extrapolate from the one and two steps before them.
 *
 * Source: Liu et al. 2022, arXiv:2202.09778, as `plms` of the code of Rombach et al. 2022, arXiv:2112.10752.
 *
 * @param options see {@link PndmOptions}
 * @returns a sampler without noise
 * @throws ArgumentError for what is no prediction, and for an unknown option
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, plms, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(plms(), toZero, levelsAt(flowProcess(), [1, 0.5]), tensor([[3], [-4]])).toArray(); // => [[0], [0]]
 * ```
 */
export const plms = (options: PndmOptions = {}): Sampler<PndmState> =>
  multistep('plms', options, {
    steps: 1,
    value: (first, { to }, predict, reach) => combine([0.5, first], [0.5, predict(reach(first, to), to)]),
  });
