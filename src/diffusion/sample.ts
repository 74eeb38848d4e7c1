/** Sampling is a fold over levels: the same steps as one program, stacked, or one after another. */
import type { Key } from '../random/key.js';
import type { DType, FloatDType } from '../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../tensor/errors.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { arange, tensor, zeros } from '../tensor/ops/creation/creation.js';
import { sub } from '../tensor/ops/elementwise/arithmetic.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { checkInteger, checkShape, range, type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { jit } from '../tensor/transform/jit.js';
import { type FoldOptions, fold, scan } from '../tensor/transform/loops.js';
import { checkAlike, checkFunctions, checkSampling } from './checks.js';
import { checkedDenoised, type Denoiser } from './denoiser.js';
import { noiseOf, takeDraw } from './draws.js';
import { combine, type NoiseLevel, scaleOf } from './level.js';
import { checkLevels, type Levels, stepsOf } from './levels.js';
import { checkedState, checkSampler, type Denoise, type Sampler, type SamplerState, type Step } from './sampler.js';

/** Options of {@link sample}. */
export interface SampleOptions<E = unknown> {
  /** What samples are drawn from: sample i draws in the step that leaves n others from `foldIn(foldIn(key, i), n)`. */
  readonly key?: Key | undefined;
  /** In place of a key: the noise of all draws [draws, N, …], in the order in which steps take them. */
  readonly noise?: Tensor | undefined;
  /** With a key, the number of the first sample of this batch. Default 0. */
  readonly firstSample?: number | undefined;
  /** What conditions the samples: a tree of tensors [N, …], given to the denoiser. Default null. */
  readonly inputs?: E | undefined;
  /** The dtype of the samples where a shape is given to start from. Default float32. */
  readonly dtype?: FloatDType | undefined;
  /** For derivatives of a whole run: into how many segments its steps are cut on the way back, as for `fold`. */
  readonly segments?: FoldOptions['segments'];
}

/** @internal One step's part of what the loop runs over. */
export interface Row {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  readonly index: Tensor;
  /** The noise of this step's draws, [draws, N, …], where it is given. */
  readonly noise?: Tensor;
}

/** The samples and predictions of x₀ after each step, the first step first; each [steps, N, …]. */
export interface SampleSteps<S extends Shape = Shape, D extends DType = DType> {
  readonly x: Tensor<readonly [number, ...S], D>;
  readonly x0: Tensor<readonly [number, ...S], D>;
}

/** @internal A run that is ready to go. */
export interface Run<S extends SamplerState> {
  readonly state: S;
  readonly rows: Row;
  readonly steps: number;
  readonly step: (state: S, row: Row) => S;
}

const optionNames = ['key', 'noise', 'firstSample', 'inputs', 'dtype', 'segments'];

/** @internal Refuses what nobody can start from, and a shape without a key. */
export const checkStart = (operation: string, start: Tensor | Shape, { key, firstSample = 0 }: SampleOptions): void => {
  const shape = isTensor(start) ? start.shape : checkShape(operation, start);
  if (shape.length === 0) {
    throw new ShapeError({
      operation,
      given: isTensor(start) ? `the start ${showAval(start)}` : 'the shape [] to start from',
      rule: 'samples have the shape [N, …]',
      hint: 'Use expandDims(x, 0) for a batch of one.',
    });
  }
  if (isTensor(start)) checkAlike(operation, { 'the start': start });
  else if (key === undefined) {
    throw new ArgumentError({
      operation,
      given: `the shape ${showShape(shape)} and no key`,
      rule: 'to draw the samples it starts from it needs a key',
      hint: 'Pass { key: key(seed) }, or a tensor to start from.',
    });
  }
  checkInteger(operation, 'firstSample', firstSample, 0, 2 ** 31 - 1 - shape[0]!);
};

/** The samples to start from: given, or noise as the first level scales it, drawn where no step draws. */
const startOf = (levels: Levels, start: Tensor | Shape, { key, dtype, firstSample = 0 }: RunOptions): Tensor => {
  if (isTensor(start)) return start;
  const steps = tensor(stepsOf(levels), { dtype: 'int32' }) as Tensor;
  const noise = noiseOf(key!, steps, 0, zeros(start, { dtype: dtype ?? 'float32' }) as Tensor, firstSample);
  const first = (values: Tensor): Tensor => reshape(slice(values, [0], [1]) as Tensor, []) as Tensor;
  const level = { alpha: first(levels.alpha), sigma: first(levels.sigma), time: first(levels.time) };
  return combine([scaleOf(level, 'preserving'), noise]);
};

/** @internal What the loop runs over. */
export const rowsOf = (levels: Levels): Row => {
  const steps = stepsOf(levels);
  const cut = (from: number, to: number): NoiseLevel => {
    const of = (vector: Tensor): Tensor => slice(vector, [from], [to]) as Tensor;
    return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
  };
  return { from: cut(0, steps), to: cut(1, steps + 1), index: arange(steps, { dtype: 'int32' }) as Tensor };
};

/** The noise that a step draws. */
const drawsOf =
  (
    operation: string,
    { key, firstSample = 0 }: RunOptions,
    { index, noise }: Row,
    { like, steps }: { readonly like: Tensor; readonly steps: number },
  ): Step['noise'] =>
  (draw = 0) => {
    if (noise !== undefined) return takeDraw(operation, noise, draw);
    // Numbered by the steps that are left: a run that starts later draws what a whole run does.
    if (key !== undefined) return noiseOf(key, sub(steps - 1, index) as Tensor, draw, like, firstSample);
    throw new ArgumentError({
      operation,
      given: 'neither noise nor a key',
      rule: 'this sampler draws noise in its steps',
      hint: 'Pass { key: key(seed) }.',
    });
  };

/** @internal Options of a run, whose first sample may have a number that only the program knows. */
export type RunOptions<E = unknown> = Omit<SampleOptions<E>, 'firstSample'> & {
  readonly firstSample?: number | Tensor | undefined;
};

/**
 * @internal Refuses what cannot be run.
 *
 * @throws ArgumentError, ShapeError, DTypeError, IndexError
 */
export const checkRun = <S extends SamplerState, E>(
  operation: string,
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor | Shape,
  options: SampleOptions<E>,
): void => {
  checkSampler(operation, sampler);
  checkFunctions(operation, { denoiser });
  checkLevels(operation, levels);
  checkOptions(operation, optionNames, options);
  const { inputs: _, ...others } = options;
  checkSampling(operation, others);
  checkStart(operation, start, options);
  const { noise, key } = options;
  if (noise === undefined) return;
  const [samples, dtype] = isTensor(start) ? [start.shape, start.dtype] : [start, options.dtype ?? 'float32'];
  checkNoise(operation, noise, { samples, dtype, steps: stepsOf(levels), key });
};

/** @internal The run of a checked call. */
export const runOf = <S extends SamplerState, E>(
  operation: string,
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor | Shape,
  options: RunOptions<E>,
): Run<S> => {
  const { inputs = null as E, noise } = options;
  const steps = stepsOf(levels);
  const rows = rowsOf(levels);
  const x = startOf(levels, start, options);
  const first = checkedState(operation, sampler.init(x), x);
  return {
    state: first,
    rows: noise === undefined ? rows : { ...rows, noise },
    steps,
    step: (state, row) => {
      const { from, to, index } = row;
      const at: Step = {
        from,
        to,
        index,
        count: steps,
        noise: drawsOf(operation, options, row, { like: state.x, steps }),
        levelOf: levels.process.levelOf,
        levelAt: levels.process.levelAt,
      };
      const denoise: Denoise = (sample, level) =>
        checkedDenoised(operation, denoiser(sample, level, { inputs, previous: state.x0 }), sample);
      return checkedState(operation, sampler.step(state, Object.freeze(at), denoise), x);
    },
  };
};

const prepare = <S extends SamplerState, E>(
  operation: string,
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor | Shape,
  options: SampleOptions<E>,
): Run<S> => {
  checkRun(operation, sampler, denoiser, levels, start, options);
  return runOf(operation, sampler, denoiser, levels, start, options);
};

const checkNoise = (
  operation: string,
  noise: Tensor,
  { samples, dtype, steps, key }: { samples: Shape; dtype: DType; steps: number; key: Key | undefined },
): void => {
  if (key !== undefined) {
    throw new ArgumentError({
      operation,
      given: 'both noise and a key',
      rule: 'it takes its noise from one source',
      hint: 'Pass either { noise } or { key: key(seed) }.',
    });
  }
  if (noise.dtype !== dtype) {
    throw new DTypeError({
      operation,
      given: `noise ${showAval(noise)} for samples of ${dtype}`,
      rule: 'they have one dtype',
      hint: `Cast the noise: cast(noise, '${dtype}').`,
    });
  }
  if (sameShape(noise.shape, [steps, noise.shape[1] ?? 0, ...samples])) return;
  throw new ShapeError({
    operation,
    given: `noise ${showAval(noise)} for samples ${showShape(samples)} and ${steps} steps`,
    rule: 'noise has the shape [steps, draws, N, …]',
    hint: 'Stack the draws of each step, and the steps in the order in which they are taken.',
  });
};

/**
 * Samples: a sampler's steps through the levels, as one fold, in one program however many steps there are.
 *
 * @param sampler what a step does: `ddim()`, `dpmSolverMultistep()`, …
 * @param denoiser what is known of the data; see `denoiser`
 * @param levels from the first to the last; see `levelsAt`
 * @param start samples at the first level, float [N, …], or their shape, when they are drawn from the key
 * @param options see {@link SampleOptions}
 * @returns samples at the last level, in shape and dtype of the start
 * @throws ArgumentError for what is no sampler, denoiser, levels or option, and when noise is needed and there is no
 *   key
 * @throws ShapeError, DTypeError when the start is no float [N, …], or noise or the denoiser's results do not fit it
 * @example
 * ```js
 * import { mul } from 'tenfold';
 * import { cosineBetas, discreteProcess, gaussianDiffusion, inferenceTimesteps } from 'tenfold/diffusion';
 * import { ddim, denoiser, levelsAt, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const cosine = discreteProcess(gaussianDiffusion(cosineBetas(1000)));
 * const levels = levelsAt(cosine, inferenceTimesteps(1000, 20));
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(ddim(), toZero, levels, [1, 3], { key: key(0) }).toArray(); // => [[0, 0, 0]]
 * ```
 */
export const sample = <S extends SamplerState, const X extends Shape, D extends DType = 'float32', E = unknown>(
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor<X, D> | X,
  options: SampleOptions<E> = {},
): Tensor<X, D> => {
  const { state, rows, step } = prepare('sample', sampler, denoiser, levels, start as Tensor, options);
  return fold(step, { segments: options.segments })(state, rows).x as Tensor<X, D>;
};

/**
 * As {@link sample}, with all that the sampler carries at the end: what `tap` has seen, for one.
 *
 * @returns the sampler's last state, of which `x` is what {@link sample} gives
 * @throws ArgumentError, ShapeError, DTypeError as {@link sample}
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, sampleState } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sampleState(ddim(), toZero, levelsAt(flowProcess(), [1, 0.5]), zeros([1, 3])).x0.shape; // => [1, 3]
 * ```
 */
export const sampleState = <S extends SamplerState, E = unknown>(
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor | Shape,
  options: SampleOptions<E> = {},
): S => {
  const { state, rows, step } = prepare('sampleState', sampler, denoiser, levels, start, options);
  return fold(step, { segments: options.segments })(state, rows);
};

/**
 * As {@link sample}, with what every step gives.
 *
 * @returns samples and predictions of x₀ after each step, [steps, N, …]
 * @throws ArgumentError, ShapeError, DTypeError as {@link sample}
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, sampleSteps } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sampleSteps(ddim(), toZero, levelsAt(flowProcess(), [1, 0.5]), zeros([1, 3])).x.shape; // => [2, 1, 3]
 * ```
 */
export const sampleSteps = <S extends SamplerState, const X extends Shape, D extends DType = 'float32', E = unknown>(
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor<X, D> | X,
  options: SampleOptions<E> = {},
): SampleSteps<X, D> => {
  const { state, rows, step } = prepare('sampleSteps', sampler, denoiser, levels, start as Tensor, options);
  const both = (carry: S, row: Row) => {
    const next = step(carry, row);
    return [next, { x: next.x, x0: next.x0 }] as const;
  };
  const [, seen] = scan(both, { segments: options.segments })(state, rows);
  return Object.freeze(seen) as unknown as SampleSteps<X, D>;
};

/** What {@link trajectory} gives after each step. */
export interface TrajectoryStep<X extends Shape = Shape, D extends DType = DType> {
  /** Steps done: 1 after the first. */
  readonly step: number;
  readonly steps: number;
  readonly x: Tensor<X, D>;
  readonly x0: Tensor<X, D>;
}

/**
 * The steps of {@link sample} one after another, for progress and pictures: the same samples, bit for bit. The step is
 * compiled once.
 *
 * @returns an iterable that takes a step when it is asked for the next
 * @throws ArgumentError, ShapeError, DTypeError as {@link sample}, at the call
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, trajectory } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const seen = [];
 * for await (const { step, steps } of trajectory(ddim(), toZero, levelsAt(flowProcess(), [1, 0.5]), zeros([1, 3]))) {
 *   seen.push(`${step}/${steps}`);
 * }
 * seen; // => ['1/2', '2/2']
 * ```
 */
export const trajectory = <S extends SamplerState, const X extends Shape, D extends DType = 'float32', E = unknown>(
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor<X, D> | X,
  options: SampleOptions<E> = {},
): AsyncIterable<TrajectoryStep<X, D>> => {
  const {
    state: first,
    rows,
    steps,
    step,
  } = prepare('trajectory', sampler, denoiser, levels, start as Tensor, options);
  const stepAt = jit((state: S, all: Row, i: Tensor): S => step(state, rowAt(all, i)));
  return Object.freeze({
    async *[Symbol.asyncIterator]() {
      let state = first;
      for (const i of range(steps)) {
        state = stepAt(state, rows, tensor(i, { dtype: 'int32' }) as Tensor);
        // Other tasks of the page run between steps.
        await state.x.data();
        yield Object.freeze({ step: i + 1, steps, x: state.x, x0: state.x0 }) as TrajectoryStep<X, D>;
      }
    },
  });
};

/** The row of a step. */
const rowAt = ({ from, to, index, noise }: Row, i: Tensor): Row => {
  const at = (rows: Tensor): Tensor => take(rows, i as Tensor<Shape, 'int32'>) as Tensor;
  const level = ({ alpha, sigma, time }: NoiseLevel) => ({ alpha: at(alpha), sigma: at(sigma), time: at(time) });
  const row = { from: level(from), to: level(to), index: at(index) };
  return noise === undefined ? row : { ...row, noise: at(noise) };
};
