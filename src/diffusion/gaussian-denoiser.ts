/** A Gaussian diffusion and its network in the algebra of levels and denoisers: what its samplers are made of. */
import { tensor } from '../tensor/ops/creation/creation.js';
import { sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { greaterEqual } from '../tensor/ops/elementwise/comparison.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { broadcastTo, expandDims } from '../tensor/ops/movement/movement.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Denoiser } from './denoiser.js';
import { predictEpsFromXStart } from './forward-process.js';
import type { GaussianDiffusion } from './gaussian-diffusion.js';
import type { NoiseLevel } from './level.js';
import type { Levels } from './levels.js';
import { discreteProcess } from './process.js';
import {
  conditionMeanFor,
  conditionScoreFor,
  type DenoiseOptions,
  extraOf,
  type Model,
  pMeanVarianceFrom,
  predict,
} from './reverse-process.js';

const vector = (values: readonly number[]): Tensor => tensor(values, { dtype: 'float64' }) as Tensor;

/** The times at which the network knows the timesteps. */
const timesOf = ({ timestepMap, rescaleTimesteps, originalNumSteps }: GaussianDiffusion): readonly number[] =>
  timestepMap.map(t => (rescaleTimesteps ? (t * 1000) / originalNumSteps : t));

const levelsFrom = (diffusion: GaussianDiffusion, alphasCumprod: readonly number[], times: readonly number[]): Levels =>
  Object.freeze({
    alpha: vector(alphasCumprod.map(Math.sqrt)),
    sigma: vector(alphasCumprod.map(alpha => Math.sqrt(1 - alpha))),
    time: vector(times),
    process: discreteProcess(diffusion),
  });

/** The levels of all timesteps, from t = T − 1 to 0, and the data behind them. */
export const fallingLevels = (diffusion: GaussianDiffusion): Levels => {
  const { alphasCumprod } = diffusion;
  return levelsFrom(diffusion, [...[...alphasCumprod].reverse(), 1], [...[...timesOf(diffusion)].reverse(), 0]);
};

/** The levels of all timesteps, from t = 0 to T − 1, and behind them one without signal. */
export const risingLevels = (diffusion: GaussianDiffusion): Levels => {
  const times = timesOf(diffusion);
  return levelsFrom(diffusion, [...diffusion.alphasCumprod, 0], [...times, times.at(-1)!]);
};

/** The levels between which a step leads from timesteps t, int32 [N]: towards the data, or away from it. */
export const stepLevels = (
  diffusion: GaussianDiffusion,
  t: Tensor,
  rising: boolean,
): { readonly from: NoiseLevel; readonly to: NoiseLevel } => {
  const at = (values: readonly number[]): Tensor => take(vector(values), t as Tensor<Shape, 'int32'>) as Tensor;
  const time = at(timesOf(diffusion));
  const level = (alphasCumprod: readonly number[]): NoiseLevel => ({
    alpha: at(alphasCumprod.map(Math.sqrt)),
    sigma: at(alphasCumprod.map(alpha => Math.sqrt(1 - alpha))),
    time,
  });
  const { alphasCumprod, alphasCumprodPrev, alphasCumprodNext } = diffusion;
  return { from: level(alphasCumprod), to: level(rising ? alphasCumprodNext : alphasCumprodPrev) };
};

/** Each sample's timestep, int32 [N], from what the network is shown of it. */
const timestepsOf = (times: Tensor, { time }: NoiseLevel, x: Tensor): Tensor => {
  const passed = sum(cast(greaterEqual(expandDims(time, -1) as Tensor, times), 'int32'), { axis: -1 }) as Tensor;
  return broadcastTo(sub(passed, 1) as Tensor, [x.shape[0]!]) as Tensor;
};

/** What a step does with the gradient of a condition: moves the mean of what it draws, or the score. */
export interface Condition<E> {
  readonly condFn: Model<E> | undefined;
  readonly on: 'mean' | 'score';
}

/**
 * The denoiser of a network of a Gaussian diffusion, at the levels of its timesteps. It also knows the distribution of
 * the next sample.
 */
export const gaussianDenoiser = <E>(
  operation: string,
  diffusion: GaussianDiffusion,
  model: Model<E>,
  options: DenoiseOptions<E>,
  { condFn, on }: Condition<E>,
): Denoiser => {
  const times = vector(timesOf(diffusion));
  const inputs = { modelInputs: extraOf(options) };
  return (x, level) => {
    const t = timestepsOf(times, level, x);
    const prediction = predict(operation, diffusion, model, x, t, inputs.modelInputs);
    const p = pMeanVarianceFrom(operation, diffusion, prediction, x, t, options);
    const conditioned = condFn !== undefined && on === 'score';
    const q = conditioned ? conditionScoreFor(operation, diffusion, condFn, p, x, t, inputs) : p;
    const mean =
      condFn !== undefined && on === 'mean' ? conditionMeanFor(operation, diffusion, condFn, p, x, t, inputs) : q.mean;
    const eps: Tensor = predictEpsFromXStart(diffusion, x, t, q.predXStart);
    return Object.freeze({ x0: q.predXStart, eps, mean, logVariance: q.logVariance });
  };
};
