/** Denoisers: what a network, or anything else, makes of a noisy sample. Guidance and the like are functions from denoisers to denoisers. */
import type { Monoid } from 'fp-ts/lib/Monoid.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { reciprocal } from '../tensor/ops/elementwise/elementary.js';
import { split } from '../tensor/ops/movement/joining.js';
import { broadcastTo } from '../tensor/ops/movement/movement.js';
import { checkArgument, sameShape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkAlike, checkFunctions, checkTensors } from './checks.js';
import { checkLevel, checkScaling, combine, type NoiseLevel, type Scaling, scaleOf } from './level.js';
import { checkPrediction, type Parts, type PredictionType, partsOf } from './prediction.js';

/** What a denoiser makes of a sample. x₀ and ε need not agree where one of them was changed on purpose. */
export interface Denoised extends Parts {
  /** The prediction of x₀, in shape and dtype of x. */
  readonly x0: Tensor;
  /** The prediction of the noise, likewise. */
  readonly eps: Tensor;
  /** What a network that learns variances says of them, unscaled; see `ddpm`. */
  readonly variance?: Tensor;
  /** The mean of the next sample, of a denoiser that knows it; see `ddpm`. */
  readonly mean?: Tensor;
  /** The logarithm of its variance, likewise. */
  readonly logVariance?: Tensor;
  /** ∇ log p(y | x), by whose share of the variance the mean of a random step is moved. */
  readonly gradient?: Tensor;
}

/** What a denoiser is told beside the sample and its level. */
export interface DenoiserContext<E = unknown> {
  /** What conditions the samples: a tree of tensors [N, …], or null. */
  readonly inputs: E;
  /** The prediction of x₀ in the step before; 0 at the first. */
  readonly previous: Tensor;
}

/**
 * @internal Refuses what no denoiser can be called with.
 *
 * @throws ArgumentError, DTypeError
 */
export const checkCall = (operation: string, x: Tensor, level: NoiseLevel, context: DenoiserContext): void => {
  checkAlike(operation, { x });
  checkLevel(operation, level, x);
  checkArgument(
    typeof context === 'object' && context !== null,
    operation,
    `${kindOf(context)} as the context`,
    'a denoiser is told the inputs and the previous prediction of x₀',
    'Write { inputs: null, previous: zerosLike(x) }.',
  );
};

/**
 * @internal What a denoiser gave, in shape and dtype of x.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 */
export const checkedDenoised = (operation: string, denoised: Denoised, x: Tensor): Denoised => {
  checkArgument(
    isTensor(denoised?.x0) && isTensor(denoised.eps),
    operation,
    `a denoiser that gives ${kindOf(denoised)}`,
    'a denoiser gives the predictions x0 and eps',
    'Make it of a network: denoiser((x, time) => …).',
  );
  const { x0, eps } = denoised;
  checkAlike(operation, { x, x0, eps });
  return denoised;
};

/** A denoiser: of samples [N, …] at a level, pure. */
export type Denoiser<E = unknown> = (x: Tensor, level: NoiseLevel, context: DenoiserContext<E>) => Denoised;

/** A function from denoisers to denoisers. */
export type DenoiserModifier<E = unknown> = (denoiser: Denoiser<E>) => Denoiser<E>;

/**
 * Modifiers of denoisers under composition: `concat(f, g)` does f first, so that g sees what f has made of the denoiser;
 * `empty` changes nothing.
 *
 * @example
 * ```js
 * import { concatAll } from 'fp-ts/lib/Monoid.js';
 * import { clipDenoised, denoiserMonoid } from 'tenfold/diffusion';
 * const modify = concatAll(denoiserMonoid)([clipDenoised(), clipDenoised({ range: 0.5 })]);
 * typeof modify; // => 'function'
 * ```
 */
export const denoiserMonoid: Monoid<DenoiserModifier> = Object.freeze({
  empty: (denoiser: Denoiser) => denoiser,
  concat: (first: DenoiserModifier, second: DenoiserModifier) => (denoiser: Denoiser) => second(first(denoiser)),
});

/** A network as denoisers call it: a sample [N, …] in the network's own scaling, times [N], and what conditions it. */
export type DenoiserModel<E = unknown> = (x: Tensor, time: Tensor, inputs: E, previous: Tensor) => Tensor;

/** What a network expects and predicts. */
export interface DenoiserOptions {
  /** What the network predicts. Default `epsilon`. */
  readonly prediction?: PredictionType;
  /** How the samples it was trained on are scaled. Default `flow` for `velocity`, else `preserving`. */
  readonly scaling?: Scaling;
  /** The output has twice the channels, the second half being about the variance. Default false. */
  readonly learnedVariance?: boolean;
}

/** @internal The level's time for each sample, in the dtype of the samples. */
export const timesFor = ({ time }: NoiseLevel, x: Tensor): Tensor =>
  broadcastTo(cast(time, x.dtype) as Tensor, [x.shape[0]!]) as Tensor;

/** @internal The two halves of the channels of an output, or the output alone; refused when they do not fit x. */
export const halves = (operation: string, output: Tensor, x: Tensor, learned: boolean): readonly Tensor[] => {
  checkTensors(operation, { 'the output of the model': output });
  const [count = 0, channels = 0, ...rest] = x.shape;
  const wanted = learned ? [count, 2 * channels, ...rest] : x.shape;
  const given = `a model that gives ${showAval(output)} for x ${showAval(x)}`;
  if (!sameShape(output.shape, wanted) || (learned && x.shape.length < 2)) {
    throw new ShapeError({
      operation,
      given,
      rule: `the output has the shape ${showShape(wanted)}`,
      hint: learned
        ? 'With learnedVariance the model gives twice the channels of x [N, C, …].'
        : 'Give the model as many channels as x; with twice as many, set learnedVariance.',
    });
  }
  if (output.dtype !== x.dtype) {
    throw new DTypeError({
      operation,
      given,
      rule: 'the output has the dtype of x',
      hint: 'Cast the output, or the parameters and x to one dtype.',
    });
  }
  return learned ? (split(output, 2, { axis: 1 }) as readonly Tensor[]) : [output];
};

/**
 * The denoiser of a network. The sample is brought to the scaling that the network was trained with, so one network
 * serves processes of any scaling.
 *
 * Sources: see `convert`.
 *
 * @param model `(x, time, inputs, previous)`: x [N, …], time [N] in the dtype of x, what conditions the samples, and the last
 *   prediction of x₀, for networks that are conditioned on their own
 * @param options see {@link DenoiserOptions}
 * @returns a denoiser
 * @throws ArgumentError for what is no model, prediction, scaling or option; the denoiser: ShapeError, DTypeError when the output
 *   does not fit x
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, sample, euler } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(euler(), toZero, levelsAt(flowProcess(), [1, 0.5]), tensor([[3], [-4]])).toArray(); // => [[0], [0]]
 * ```
 */
export const denoiser = <E = unknown>(model: DenoiserModel<E>, options: DenoiserOptions = {}): Denoiser<E> => {
  checkFunctions('denoiser', { model });
  checkOptions('denoiser', ['prediction', 'scaling', 'learnedVariance'], options);
  const { prediction = 'epsilon', learnedVariance = false } = options;
  const { scaling = prediction === 'velocity' ? 'flow' : 'preserving' } = options;
  checkPrediction('denoiser', 'prediction', prediction);
  checkScaling('denoiser', scaling);
  checkFlag('denoiser', 'learnedVariance', learnedVariance);
  return (x, level, context) => {
    checkCall('denoiser', x, level, context);
    const { inputs, previous } = context;
    const scaled = combine([reciprocal(scaleOf(level, scaling)), x]);
    const output = model(scaled, timesFor(level, x), inputs, previous);
    const [value, variance] = halves('denoiser', output, x, learnedVariance);
    const parts = partsOf(prediction, value!, x, level);
    return Object.freeze(variance === undefined ? parts : { ...parts, variance });
  };
};
