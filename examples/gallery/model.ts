/** The network of the gallery and its training: EDM's preconditioning around a perceptron that is told where and how noisy. */

import { pipe } from 'fp-ts/lib/function.js';
import { concat, type DType, type Shape, silu, type Tensor } from 'tenfold';
import { batch, fromArrays, repeat, shuffle } from 'tenfold/data';
import {
  type Denoiser,
  denoisingLoss,
  edmProcess,
  edmWeighting,
  fit,
  logNormalSampler,
  preconditioned,
  rescaleProcess,
  trainer,
} from 'tenfold/diffusion';
import { fourierEmbedding, fourierFeatures, mlp } from 'tenfold/nn';
import { adam, warmupCosine } from 'tenfold/optim';
import { foldIn, type Key, split } from 'tenfold/random';
import { reduce } from 'tenfold/tree';

/** EDM's noise levels, with samples scaled to variance 1 at all of them: their pictures share a window. */
export const process = rescaleProcess(edmProcess(), 'preserving');

export const batchSize = 256;
/** The standard deviation of the data. */
const sigmaData = 1;
const [features, embedding, hidden] = [64, 32, 96] as const;

const place = fourierFeatures(2, features, { scale: 0.4 });
const time = fourierEmbedding(embedding, { scale: 1 });
const body = mlp([2 + features + embedding, hidden, hidden, hidden, 2], { activation: x => silu(x) as Tensor });

/** Points [N, 2] and times [N] to [N, 2]. */
const model = Object.freeze({
  init: (key: Key) => {
    const [forPlace, forTime, forBody] = split(key, 3) as readonly [Key, Key, Key];
    return Object.freeze({ place: place.init(forPlace), time: time.init(forTime), body: body.init(forBody) });
  },
  apply: (params: Params, x: Tensor, t: Tensor): Tensor => {
    const told = concat([x, place.apply(params.place, x), time.apply(params.time, t)] as Tensor[], { axis: 1 });
    return body.apply(params.body, told as Tensor) as Tensor;
  },
});

interface Params {
  readonly place: ReturnType<typeof place.init>;
  readonly time: ReturnType<typeof time.init>;
  readonly body: ReturnType<typeof body.init>;
}

/** What training leaves. */
export interface Trained {
  readonly denoiser: Denoiser;
  readonly parameters: number;
  /** By step. */
  readonly losses: readonly number[];
  readonly seconds: number;
}

const numberIn = async (scalar: Tensor<Shape, DType>): Promise<number> => Number((await scalar.data())[0]);

/** Trains on points [count, 2]; `report` hears of every step. */
export const train = async (
  points: Tensor,
  key: Key,
  steps: number,
  report: (step: number, loss: number) => void,
): Promise<Trained> => {
  const started = performance.now();
  const run = trainer({
    process,
    model,
    loss: denoisingLoss({
      denoiser: network => preconditioned(network, { sigmaData }),
      weighting: edmWeighting(sigmaData),
    }),
    timesteps: logNormalSampler({ mean: -1, deviation: 1.4, stratified: true }),
    optimizer: adam(warmupCosine({ peak: 8e-3, warmup: Math.min(50, steps / 10), steps, end: 1e-5 })),
  });
  const batches = pipe(fromArrays(points), shuffle(foldIn(key, 0)), batch(batchSize), repeat());
  const losses: number[] = [];
  let params = run.init(foldIn(key, 1)).ema;
  // biome-ignore lint/suspicious/noFocusedTests: this fit is no test
  for await (const { step, metrics, state } of fit(run, foldIn(key, 1), batches, { steps })) {
    params = state.ema;
    losses.push(await numberIn(metrics.loss));
    report(step, losses.at(-1)!);
  }
  return Object.freeze({
    denoiser: preconditioned((x, t) => model.apply(params, x, t), { sigmaData }),
    parameters: reduce(params, (sum, leaf) => sum + leaf.shape.reduce((p: number, n: number) => p * n, 1), 0),
    losses: Object.freeze(losses),
    seconds: (performance.now() - started) / 1000,
  });
};
