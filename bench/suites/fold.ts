/** Loops as programs: 1000 steps of sampling as one fold, against as many calls of a step. */
import { add, fold as foldOf, jit, realize, type Shape, type Tensor, take, tensor } from 'tenfold';
import { type Input, uniform } from '../inputs.js';
import { partsOfSampling } from '../library.js';
import { type Case, measure } from '../measure.js';
import { samplingStep, tenfold } from '../peers/tenfold.js';
import { isPeer, type Row, rowOf, stepwiseImpl, type Target } from '../row.js';
import { candidates, type Suite } from './suite.js';

const steps = 1000;
const [size, hidden] = [64, 64];
const batches = [1, 16] as const;

/**
 * The coefficients of ancestral sampling with the linear schedule, of x, the prediction of x₀, and noise; the first step
 * first. (Predicting noise, a network that was never trained would let x grow, and the numbers along with the time.)
 */
const coefficients = (): Input => {
  const betas = Array.from({ length: steps }, (_, t) => 1e-4 + ((0.02 - 1e-4) * t) / (steps - 1));
  let before = 1;
  const rows = betas.map(beta => {
    const now = before * (1 - beta);
    const left = (1 - before) / (1 - now);
    const row = [left * Math.sqrt(1 - beta), (beta * Math.sqrt(before)) / (1 - now), Math.sqrt(beta * left)];
    before = now;
    return row;
  });
  return { values: Float32Array.from(rows.reverse().flat()), shape: [steps, 3] };
};

const layer = (seed: number, inputs: number, outputs: number): readonly Input[] => {
  const bound = 1 / Math.sqrt(inputs);
  return [uniform(seed, [inputs, outputs], -bound, bound), uniform(seed + 1, [outputs], -0.1, 0.1)];
};

/** √3 either way has the variance of standard normal noise. */
const noise = (seed: number, ...shape: number[]): Input => uniform(seed, shape, -Math.sqrt(3), Math.sqrt(3));

const inputsOf = (batch: number): readonly Input[] => [
  noise(0, batch, size),
  noise(1, steps, batch, size),
  coefficients(),
  uniform(2, [steps, hidden]),
  ...layer(3, size, hidden),
  ...layer(5, hidden, hidden),
  ...layer(7, hidden, size),
];

const tensors = (given: readonly Input[]): readonly Tensor[] =>
  realize(given.map(({ values, shape }) => tensor(values, shape) as Tensor));

/** The same steps called one by one: what a fold saves. */
const oneByOne = (inputs: readonly Input[]): Case['runners'][number] => ({
  impl: stepwiseImpl,
  make: async () => {
    const all = tensors(inputs);
    const indices = realize(Array.from({ length: steps }, (_, i) => tensor(i, { dtype: 'int32' }) as Tensor));
    const step = jit((i: Tensor, ...given: readonly Tensor[]) => {
      const { x, noise: zs, coefficients: cs, times, layers } = partsOfSampling(given);
      const at = (xs: Tensor) => take(xs, i as Tensor<Shape, 'int32'>) as Tensor;
      return samplingStep(layers, x, { z: at(zs), c: at(cs), time: at(times) });
    });
    const run = (): Tensor => indices.reduce((x, i) => step(i, x, ...all.slice(1)), all[0]!);
    return {
      impl: stepwiseImpl,
      threads: 1,
      enter: tenfold.enter,
      run: () => void realize(run()),
      output: () => [run().dataSync() as Float32Array],
    };
  },
});

/** A loop that does next to nothing: one kernel of four vectors a step. */
const idle: Case['runners'][number] = {
  impl: 'tenfold',
  make: async () => {
    const [x, zs] = tensors([noise(0, 16), noise(1, steps, 16)]) as readonly [Tensor, Tensor];
    const run = jit((start: Tensor, xs: Tensor) => foldOf((at: Tensor, z: Tensor) => add(at, z) as Tensor)(start, xs));
    return { impl: 'tenfold', threads: 1, enter: tenfold.enter, run: () => void realize(run(x, zs)) };
  },
};

const nameOf = (batch: number): string => `${steps} steps of DDPM, batch ${batch}`;
const idleName = `${steps} steps of x + z, 16 elements`;

const sampling = (batch: number): Case => {
  const inputs = inputsOf(batch);
  return {
    name: nameOf(batch),
    // A thousand steps add up what differs in the last digits.
    tolerance: 1e-3,
    runners: [...candidates({ program: 'sampling', inputs }), oneByOne(inputs)],
  };
};

const cases: readonly Case[] = [...batches.map(sampling), { name: idleName, runners: [idle] }];

const [times, microseconds] = [5, 3];

const againstPeers = (rows: readonly Row[], name: string): Target => {
  const own = rowOf(rows, name);
  const peers = rows.filter(row => row.case === name && isPeer(row.impl) && row.ms !== null);
  const best = Math.min(...peers.map(({ ms }) => ms!));
  const ratio = own === undefined || peers.length === 0 ? null : best / own.ms!;
  return {
    suite: 'fold',
    what: name,
    goal: `≥ ${times} × the best peer`,
    measured: ratio === null ? null : `${ratio.toFixed(1)} ×`,
    reached: ratio !== null && ratio >= times,
  };
};

const beyondArithmetic = (rows: readonly Row[]): Target => {
  const own = rowOf(rows, idleName);
  const perStep = own === undefined ? null : (1000 * own.ms!) / steps;
  return {
    suite: 'fold',
    what: `${idleName}, each`,
    goal: `≤ ${microseconds} µs`,
    measured: perStep === null ? null : `${perStep.toFixed(3)} µs`,
    reached: perStep !== null && perStep <= microseconds,
  };
};

export const fold: Suite = {
  about: 'loops of 1000 steps as one program',
  run: (effort, report) => measure('fold', cases, effort, report),
  targets: rows => [...batches.map(batch => againstPeers(rows, nameOf(batch))), beyondArithmetic(rows)],
};
