/** Sampling of states is a fold over times, as that of other diffusions is one over levels. */
import { gumbel } from '../../random/inverse.js';
import { foldIn, type Key } from '../../random/key.js';
import type { FloatDType } from '../../tensor/dtype.js';
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { arange, full, tensor } from '../../tensor/ops/creation/creation.js';
import { sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { broadcastTo } from '../../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger, checkShape, range, type Shape, sizeOf } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { jit } from '../../tensor/transform/jit.js';
import { fold, scan } from '../../tensor/transform/loops.js';
import { checkFunctions } from '../checks.js';
import { checkKey, checkLogits, checkStates, flat, flatLogits, unflat } from './checks.js';
import { checkDiscrete, type DiscreteDiffusion } from './discrete-diffusion.js';
import { drawStates, perSample, sampleKeys } from './draws.js';
import { alphaAt, checkMasked, type MaskedDiffusion, unmaskingFrom } from './masked.js';
import type { DiscreteInputs, DiscreteModel } from './reverse.js';
import type { DiscreteSampler, DiscreteState, DiscreteStep, PredictStates } from './samplers.js';
import { type Transitions, transitionsAt } from './transitions.js';

/** Options of {@link sampleDiscrete}. */
export interface SampleDiscreteOptions<E = unknown> extends DiscreteInputs<E> {
  /** What states are drawn from: sample i draws in the step that leaves n others from `foldIn(foldIn(key, i), n)`. */
  readonly key: Key;
  /** The number of the first sample of this batch. Default 0. */
  readonly firstSample?: number | undefined;
  /** For masked diffusions, into how many steps the time from 1 to 0 is cut; others have one a timestep, and fewer timesteps by `respaceDiscrete`. */
  readonly steps?: number | undefined;
}

/** The states and the predictions of x₀ after each step, the first step first: int32 [steps, N, …]. */
export interface DiscreteSampleSteps<S extends Shape = Shape> {
  readonly x: Tensor<readonly [number, ...S], 'int32'>;
  readonly x0: Tensor<readonly [number, ...S], 'int32'>;
}

/** A step of {@link discreteTrajectory}. */
export interface DiscreteTrajectoryStep<S extends Shape = Shape> {
  /** Steps done, from 1. */
  readonly step: number;
  readonly steps: number;
  readonly x: Tensor<S, 'int32'>;
  readonly x0: Tensor<S, 'int32'>;
}

/** What the loop runs over: for each step its number, its time as the network knows it, and shares of states that are no masks. */
interface Row {
  readonly index: Tensor;
  readonly time: Tensor;
  readonly from: Tensor;
  readonly to: Tensor;
}

interface Run<S> {
  readonly state: S;
  readonly rows: Row;
  readonly steps: number;
  readonly step: (state: S, row: Row) => S;
}

/** What sampling needs to know of a diffusion. */
interface Path {
  readonly steps: number;
  readonly rows: Row;
  /** log-probabilities of the states it starts from. */
  readonly limit: readonly number[] | null;
  readonly transitions: (row: Row, count: number, dtype: FloatDType) => Transitions;
}

const float64 = { dtype: 'float64' } as const;

const maskedPath = (operation: string, diffusion: MaskedDiffusion, steps: number): Path => {
  const times = tensor(
    range(steps + 1).map(i => 1 - i / steps),
    float64,
  ) as Tensor;
  const alpha = alphaAt(operation, diffusion, times);
  const cut = (x: Tensor, first: number): Tensor =>
    take(x, arange(first, first + steps, { dtype: 'int32' }) as Tensor<Shape, 'int32'>) as Tensor;
  return {
    steps,
    rows: {
      index: arange(steps, { dtype: 'int32' }) as Tensor,
      time: cast(cut(times, 0), 'float32') as Tensor,
      from: cut(alpha, 0),
      to: cut(alpha, 1),
    },
    limit: null,
    transitions: ({ from, to }, _, dtype) => unmaskingFrom(diffusion, from, to, dtype),
  };
};

const timestepPath = (diffusion: DiscreteDiffusion): Path => {
  const { numTimesteps: steps, alphasCumprod, mask, limit, timestepMap } = diffusion;
  const kept = alphasCumprod ?? range(steps).fill(0);
  return {
    steps,
    rows: {
      index: arange(steps, { dtype: 'int32' }) as Tensor,
      time: tensor([...timestepMap].reverse(), { dtype: 'int32' }) as Tensor,
      from: tensor([...kept].reverse(), float64) as Tensor,
      to: tensor([1, ...kept.slice(0, -1)].reverse(), float64) as Tensor,
    },
    limit: mask === null ? limit.map(Math.log) : null,
    transitions: ({ index }, count, dtype) =>
      transitionsAt(diffusion, broadcastTo(sub(steps - 1, index) as Tensor, [count]) as Tensor, dtype),
  };
};

const checkSampler = (operation: string, sampler: DiscreteSampler<DiscreteState>): void =>
  checkArgument(
    typeof sampler?.init === 'function' && typeof sampler.step === 'function',
    operation,
    `${kindOf(sampler)} as the sampler`,
    'a sampler has the functions init and step',
    'Take ancestralStates().',
  );

const checkedState = <S extends DiscreteState>(operation: string, state: S, start: Tensor): S => {
  checkArgument(
    isTensor(state?.x) && isTensor(state.x0),
    operation,
    `a sampler that gives ${kindOf(state)} as its state`,
    'a state has the states x and the prediction x0',
    'Write init: x => ({ x, x0: zerosLike(x) }).',
  );
  checkStates(operation, { 'the start': start, x: state.x, x0: state.x0 });
  return state;
};

const pathOf = (operation: string, diffusion: DiscreteDiffusion | MaskedDiffusion, steps: number | undefined): Path => {
  if (diffusion?.kind === 'masked') {
    checkMasked(operation, diffusion);
    return maskedPath(operation, diffusion, checkInteger(operation, 'steps', steps as number, 1, 2 ** 31 - 2));
  }
  checkDiscrete(operation, diffusion);
  if (steps === undefined) return timestepPath(diffusion);
  throw new ArgumentError({
    operation,
    given: `steps for ${diffusion.numTimesteps} timesteps`,
    rule: 'a diffusion of timesteps takes one step for each of them',
    hint: 'Leave steps out; respaceDiscrete makes a diffusion of fewer timesteps.',
  });
};

/** The states to start from: given, all masks, or drawn from the limit where no step draws. */
const startOf = (
  start: Tensor | Shape,
  { limit, steps }: Path,
  mask: number | null,
  key: Key,
  firstSample: number,
): Tensor => {
  if (isTensor(start)) return start;
  if (limit === null) return full(start, mask!, { dtype: 'int32' }) as Tensor;
  const [count = 0, ...shape] = start;
  const scores = broadcastTo(tensor(limit, { dtype: 'float32' }), [count, sizeOf(shape), limit.length]) as Tensor;
  const place = tensor(steps, { dtype: 'int32' }) as Tensor;
  return unflat(drawStates(sampleKeys(key, count, firstSample, place), scores), start);
};

const prepare = <S extends DiscreteState, E>(
  operation: string,
  sampler: DiscreteSampler<S>,
  diffusion: DiscreteDiffusion | MaskedDiffusion,
  model: DiscreteModel<E>,
  start: Tensor | Shape,
  options: SampleDiscreteOptions<E>,
): Run<S> => {
  checkSampler(operation, sampler as unknown as DiscreteSampler);
  checkFunctions(operation, { model });
  checkOptions(operation, ['key', 'firstSample', 'modelInputs', 'steps'], options);
  const { key, firstSample = 0, modelInputs = null as E, steps } = options ?? ({} as SampleDiscreteOptions<E>);
  const path = pathOf(operation, diffusion, steps);
  if (isTensor(start)) checkStates(operation, { start });
  else checkStates(operation, { start: full(checkShape(operation, start), 0, { dtype: 'int32' }) as Tensor });
  const count = (isTensor(start) ? start.shape : start)[0]!;
  checkKey(operation, key, firstSample, count);
  const { mask, states } = diffusion;
  const x = startOf(start, path, mask, key, firstSample);
  const step = (state: S, row: Row): S => {
    // Numbered by the steps that are left, as all samplers are.
    const keys = sampleKeys(key, count, firstSample, sub(path.steps - 1, row.index) as Tensor);
    const keysOf = (draw: number): Tensor => (draw === 0 ? keys : perSample(keys, each => foldIn(each, draw)));
    const transitionsOf = (dtype: FloatDType): Transitions => path.transitions(row, count, dtype);
    const at: DiscreteStep = {
      index: row.index,
      count: path.steps,
      masked:
        mask === null ? null : { state: mask, before: sub(1, row.from) as Tensor, after: sub(1, row.to) as Tensor },
      reverse: (x0, y) => unflat(transitionsOf(x0.dtype as FloatDType).reverse(flatLogits(x0), flat(y)), y.shape),
      draw: (logProbs, draw = 0) => unflat(drawStates(keysOf(draw), flatLogits(logProbs)), x.shape),
      gumbel: draw => perSample(keysOf(draw), each => gumbel(each, x.shape.slice(1)) as Tensor),
    };
    const predict: PredictStates = y => {
      const logits = checkLogits(operation, model(y, broadcastTo(row.time, [count]) as Tensor, modelInputs), y, states);
      return unflat(transitionsOf(logits.dtype as FloatDType).predict(flatLogits(logits), flat(y)), y.shape);
    };
    return checkedState(operation, sampler.step(state, Object.freeze(at), predict), x);
  };
  return { state: checkedState(operation, sampler.init(x, mask), x), rows: path.rows, steps: path.steps, step };
};

/**
 * Samples states: a sampler's steps from noise to data, as one fold. Of an absorbing or masked diffusion, states that
 * are given and no masks stay as they are: a prefix is continued, and gaps are filled in.
 *
 * @param sampler what a step does: `ancestralStates()`, `confidentStates()`
 * @param diffusion a `discreteDiffusion`, whose timesteps are the steps, or a `maskedDiffusion`
 * @param model see {@link DiscreteModel}
 * @param start states int32 [N, …], or their shape: then it starts with masks alone, or draws from the limit
 * @param options the `key`; see {@link SampleDiscreteOptions}
 * @returns states, int32 in the shape of the start
 * @throws ArgumentError for what is no sampler, diffusion, model, key or option; ShapeError, DTypeError when the start
 *   is no int32 [N, …] or the logits do not fit; IndexError for a number of steps that is none
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { ancestralStates, maskedDiffusion, sampleDiscrete } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const model = () => tensor([[[0, -Infinity, 0], [-Infinity, 0, 0]]]);
 * const start = tensor([[2, 0]], { dtype: 'int32' });
 * const options = { key: key(0), steps: 4 };
 * sampleDiscrete(ancestralStates(), maskedDiffusion({ states: 3 }), model, start, options).toArray(); // => [[0, 0]]
 * ```
 */
export const sampleDiscrete = <S extends DiscreteState, const X extends Shape, E = unknown>(
  sampler: DiscreteSampler<S>,
  diffusion: DiscreteDiffusion | MaskedDiffusion,
  model: DiscreteModel<E>,
  start: Tensor<X, 'int32'> | X,
  options: SampleDiscreteOptions<E>,
): Tensor<X, 'int32'> => {
  const { state, rows, step } = prepare('sampleDiscrete', sampler, diffusion, model, start as Tensor, options);
  return fold(step)(state, rows).x as unknown as Tensor<X, 'int32'>;
};

/**
 * As {@link sampleDiscrete}, with what every step gives.
 *
 * @returns states and predictions of x₀ after each step, int32 [steps, N, …]
 * @throws ArgumentError, ShapeError, DTypeError, IndexError as {@link sampleDiscrete}
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { ancestralStates, maskedDiffusion, sampleDiscreteSteps } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const model = () => zeros([1, 2, 3]);
 * const diffusion = maskedDiffusion({ states: 3 });
 * const { x } = sampleDiscreteSteps(ancestralStates(), diffusion, model, [1, 2], { key: key(0), steps: 4 });
 * x.shape; // => [4, 1, 2]
 * ```
 */
export const sampleDiscreteSteps = <S extends DiscreteState, const X extends Shape, E = unknown>(
  sampler: DiscreteSampler<S>,
  diffusion: DiscreteDiffusion | MaskedDiffusion,
  model: DiscreteModel<E>,
  start: Tensor<X, 'int32'> | X,
  options: SampleDiscreteOptions<E>,
): DiscreteSampleSteps<X> => {
  const { state, rows, step } = prepare('sampleDiscreteSteps', sampler, diffusion, model, start as Tensor, options);
  const stepAndSamples = (before: S, row: Row) => {
    const after = step(before, row);
    return [after, { x: after.x, x0: after.x0 }] as const;
  };
  const [, seen] = scan(stepAndSamples)(state, rows);
  return Object.freeze(seen) as unknown as DiscreteSampleSteps<X>;
};

/**
 * As {@link sampleDiscrete}, one step after another, each as soon as it is done: the same bits.
 *
 * @returns an async iterable of the steps
 * @throws ArgumentError, ShapeError, DTypeError, IndexError as {@link sampleDiscrete}, at the call
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { ancestralStates, discreteTrajectory, maskedDiffusion } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const model = () => zeros([1, 2, 3]);
 * const seen = [];
 * const diffusion = maskedDiffusion({ states: 3 });
 * for await (const at of discreteTrajectory(ancestralStates(), diffusion, model, [1, 2], { key: key(0), steps: 2 })) {
 *   seen.push(`${at.step}/${at.steps}`);
 * }
 * seen; // => ['1/2', '2/2']
 * ```
 */
export const discreteTrajectory = <S extends DiscreteState, const X extends Shape, E = unknown>(
  sampler: DiscreteSampler<S>,
  diffusion: DiscreteDiffusion | MaskedDiffusion,
  model: DiscreteModel<E>,
  start: Tensor<X, 'int32'> | X,
  options: SampleDiscreteOptions<E>,
): AsyncIterable<DiscreteTrajectoryStep<X>> => {
  const run = prepare('discreteTrajectory', sampler, diffusion, model, start as Tensor, options);
  const rowAt = ({ index, time, from, to }: Row, i: Tensor): Row => {
    const at = (rows: Tensor): Tensor => take(rows, i as Tensor<Shape, 'int32'>) as Tensor;
    return { index: at(index), time: at(time), from: at(from), to: at(to) };
  };
  const stepAt = jit((state: S, rows: Row, i: Tensor): S => run.step(state, rowAt(rows, i)));
  return Object.freeze({
    async *[Symbol.asyncIterator]() {
      let { state } = run;
      for (const i of range(run.steps)) {
        state = stepAt(state, run.rows, tensor(i, { dtype: 'int32' }) as Tensor);
        // Other tasks of the page run between steps.
        await state.x.data();
        yield Object.freeze({
          step: i + 1,
          steps: run.steps,
          x: state.x,
          x0: state.x0,
        }) as unknown as DiscreteTrajectoryStep<X>;
      }
    },
  });
};
