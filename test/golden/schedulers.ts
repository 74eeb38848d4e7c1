/**
 * Runs of diffusers' schedulers: a case says which one, how it is configured and what it gave after each call of the
 * model; a table of each group says which sampler and which levels that is here.
 */
import {
  add,
  cast,
  concat,
  cos,
  type FloatDType,
  mul,
  reshape,
  sin,
  stack,
  sub,
  type Tensor,
  tanh,
  tensor,
} from 'tenfold';
import {
  clipDenoised,
  type Denoiser,
  type DenoiserModel,
  denoiser,
  dynamicThreshold,
  type Levels,
  type NoiseLevel,
  type PredictionType,
  type Sampler,
  type SamplerState,
  sample,
} from 'tenfold/diffusion';
import { describe, expect, it } from 'vitest';
import {
  at,
  booleanOf,
  exactly,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  type Json,
  type JsonObject,
  numberOf,
  numbersOf,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';

/** A case in one precision. */
export interface SchedulerCase {
  readonly name: string;
  readonly scheduler: string;
  /** All of the scheduler's options. */
  readonly config: JsonObject;
  readonly setTimesteps: JsonObject;
  readonly stepArgs: JsonObject;
  readonly dtype: FloatDType;
  /** The reference's timesteps and sigmas in float64 where it has them, else in float32. */
  readonly reference: (name: 'timesteps' | 'sigmas') => readonly number[];
  readonly has: (input: string) => boolean;
  readonly input: (name: string) => Tensor;
  readonly model: DenoiserModel;
  readonly learnedVariance: boolean;
  /** For `add_noise` and its like: which timesteps are meant. */
  readonly timestepsGiven: JsonObject;
}

/** How a case is run here. */
export interface SchedulerRun {
  readonly sampler: Sampler;
  readonly denoiser: Denoiser;
  /** Levels in a chain; the run is then also made by `sample`, in one program, with the same bits. */
  readonly levels: Levels;
  /**
   * Where the reference's steps do not end where the next ones begin (it goes to t − T/n, wherever the next timestep is):
   * the levels where steps end.
   */
  readonly ends?: readonly NoiseLevel[];
  /** How many calls of the model the reference makes in each step of ours; default 1 in each. */
  readonly calls?: readonly number[];
  /** Set where the sampler draws in each step, also where it multiplies by 0 and the reference draws nothing. */
  readonly draws?: boolean;
  /** What unit noise is multiplied with to start; default the case's init_noise_sigma. */
  readonly start?: number;
}

export type SchedulerTable = Readonly<Record<string, (run: SchedulerCase) => SchedulerRun>>;

/** Other functions of schedulers: `add_noise`, `get_velocity`, `scale_noise`. */
export type FunctionTable = Readonly<Record<string, (run: SchedulerCase) => Tensor>>;

/** Timesteps of the reference's kinds of predictions. */
export const predictions: Readonly<Record<string, PredictionType>> = {
  epsilon: 'epsilon',
  sample: 'x0',
  v_prediction: 'v',
  flow_prediction: 'velocity',
};

/** The index's model: k*x + 0.1*sin(x) + 0.1*cos(0.01*t); with learned variance tanh(0.5*x + 0.001*t - 0.2) beside it. */
const modelOf =
  (k: number, learned: boolean): DenoiserModel =>
  (x, t) => {
    const time = reshape(t, [x.shape[0]!, ...x.shape.slice(1).fill(1)]) as Tensor;
    const half = add(add(mul(x, k), mul(sin(x), 0.1)), mul(cos(mul(time, 0.01)), 0.1)) as Tensor;
    if (!learned) return half;
    return concat([half, tanh(sub(add(mul(x, 0.5), mul(time, 0.001)), 0.2)) as Tensor], { axis: 1 }) as Tensor;
  };

const formula =
  'model(x,t) = k*x + 0.1*sin(x) + 0.1*cos(0.01*t), k = model_k[model_kind]; when learned_variance, channels C..2C-1 are tanh(0.5*x + 0.001*t - 0.2)';

const caseOf = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): SchedulerCase => {
  const scheduler = stringOf(at(testCase, 'scheduler'));
  const inputs = objectOf(at(testCase, 'inputs'));
  const learnedVariance = testCase.learned_variance !== undefined && booleanOf(testCase.learned_variance);
  const kind = testCase.model_kind === undefined ? undefined : stringOf(testCase.model_kind);
  const [out, out64] = [objectOf(at(testCase, 'out')), objectOf(at(testCase, 'out64'))];
  const orEmpty = (json: Json | undefined): JsonObject => (json === undefined || json === null ? {} : objectOf(json));
  return {
    name: testCase.name,
    scheduler,
    config: { ...objectOf(at(group.index, 'config_defaults', scheduler)), ...objectOf(at(testCase, 'config')) },
    setTimesteps: orEmpty(testCase.set_timesteps),
    stepArgs: orEmpty(testCase.step_args),
    dtype,
    reference: name => Array.from(group.tensor(out64[name] ?? out[name]).data),
    has: name => inputs[name] !== undefined,
    input: name => {
      const { shape, data } = group.tensor(inputs[name]);
      return tensor(data, shape, { dtype });
    },
    model: modelOf(kind === undefined ? 0 : numberOf(at(group.index, 'model_k', kind)), learnedVariance),
    learnedVariance,
    timestepsGiven: orEmpty(testCase.timesteps_given),
  };
};

/** The denoiser that a configuration asks for. */
export const denoiserFor = ({ config, model, learnedVariance }: SchedulerCase): Denoiser => {
  const prediction = predictions[stringOf(at(config, 'prediction_type'))]!;
  const plain = denoiser(model, { prediction, learnedVariance });
  const flag = (name: string): boolean => config[name] !== undefined && booleanOf(config[name]);
  // The reference leaves the noise as it was predicted.
  if (flag('thresholding')) {
    const max = numberOf(config.sample_max_value);
    return dynamicThreshold({ ratio: numberOf(config.dynamic_thresholding_ratio), max, keepNoise: true })(plain);
  }
  return flag('clip_sample')
    ? clipDenoised({ range: numberOf(config.clip_sample_range), keepNoise: true })(plain)
    : plain;
};

const rowOf = (levels: Levels, i: number): NoiseLevel => {
  const of = (vector: Tensor): Tensor => tensor((vector.toArray() as number[])[i]!, { dtype: 'float64' }) as Tensor;
  return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
};

const valuesOf = async (x: Tensor) => ({ shape: x.shape, data: await x.data() });

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

const checkRun = async (
  testCase: GoldenCase,
  group: GoldenGroup,
  given: SchedulerCase,
  run: SchedulerRun,
): Promise<void> => {
  const where = `${testCase.name} in ${given.dtype}`;
  const steps = run.levels.sigma.shape[0]! - 1;
  const calls = run.calls ?? new Array<number>(steps).fill(1);
  const all = group.tensor(at(testCase, 'out', 'samples'));
  expect(calls.length, `${where}: steps`).toBe(steps);
  expect(sum(calls), `${where}: calls of the model`).toBe(all.shape[0]);
  const unit = given.input('unit_noise');
  const scale = given.dtype === 'float64' ? 'init_noise_sigma64' : 'init_noise_sigma';
  const first = testCase[scale] === undefined ? 1 : numberOf(testCase[scale]);
  const start = mul(unit, run.start ?? first) as Tensor;
  const drawn = testCase.noise_draws_after_step;
  const after = (call: number): number => (call === 0 || !Array.isArray(drawn) ? 0 : numberOf(drawn[call - 1]));
  const pool = given.has('noise_pool') ? given.input('noise_pool') : undefined;
  const draw = (i: number): Tensor => {
    if (pool === undefined && run.draws === true) return mul(unit, 0) as Tensor;
    const { shape } = unit;
    const size = shape.reduce((product, n) => product * n, 1);
    const data = group.tensor(at(testCase, 'inputs', 'noise_pool')).data;
    if (run.draws === true && (i + 1) * size > data.length) return mul(unit, 0) as Tensor;
    expect((i + 1) * size, `${where}: draws`).toBeLessThanOrEqual(data.length);
    return tensor(data.slice(i * size, (i + 1) * size), shape, { dtype: given.dtype }) as Tensor;
  };
  const perStep = numbersOf(at(testCase, 'f32_err', 'per_step_max_abs'));
  const error = objectOf(at(testCase, 'f32_err', 'samples'));
  const size = sum([unit.shape.reduce((product, n) => product * n, 1)]);
  let state: SamplerState = run.sampler.init(start);
  let done = 0;
  for (const [i, count] of calls.entries()) {
    const before = after(done);
    const step = {
      from: rowOf(run.levels, i),
      to: run.ends?.[i] ?? rowOf(run.levels, i + 1),
      index: tensor(i, { dtype: 'int32' }) as Tensor,
      count: steps,
      noise: (k: number | Tensor = 0) => draw(before + (k as number)),
      levelOf: run.levels.process.levelOf,
      levelAt: run.levels.process.levelAt,
    };
    const previous = state.x0;
    state = run.sampler.step(state, step, (x, level) => run.denoiser(x, level, { inputs: null, previous }));
    done += count;
    const seen = all.data.slice((done - 1) * size, done * size);
    const label = `${where}, after step ${i} (call ${done - 1})`;
    // These samples are float32 themselves, as far from the float64 ones as per_step_max_abs says.
    const bound = { max_abs: (11 / 10) * perStep[done - 1]!, max_ref: at(error, 'max_ref') };
    withinF32(label, await valuesOf(state.x), { shape: unit.shape, data: seen }, bound);
  }
  const final = group.tensor(at(testCase, 'out64', 'final'));
  const got = await valuesOf(state.x);
  if (given.dtype === 'float64') withinF64(`${where}, final`, got, final, 1e-9);
  else withinF32(`${where}, final`, got, final, error);
  if (run.ends !== undefined) return;
  // The same in one program.
  const most = Math.max(
    1,
    ...calls.map((count, i) => after(sum(calls.slice(0, i)) + count) - after(sum(calls.slice(0, i)))),
  );
  const zero = mul(unit, 0) as Tensor;
  const rows = calls.map((count, i) => {
    const before = after(sum(calls.slice(0, i)));
    const own = after(sum(calls.slice(0, i)) + count) - before;
    return stack(Array.from({ length: most }, (_, k) => (k < own ? draw(before + k) : zero))) as Tensor;
  });
  const noise = pool === undefined && run.draws !== true ? {} : { noise: stack(rows) as Tensor };
  exactly(`${where}, as one fold`, await valuesOf(sample(run.sampler, run.denoiser, run.levels, start, noise)), got);
};

const checkFunction = async (
  testCase: GoldenCase,
  group: GoldenGroup,
  given: SchedulerCase,
  result: Tensor,
): Promise<void> => {
  const where = `${testCase.name} in ${given.dtype}`;
  const wanted = group.tensor(at(testCase, 'out64', 'result'));
  const got = await valuesOf(cast(result, given.dtype) as Tensor);
  if (given.dtype === 'float64') withinF64(where, got, wanted);
  else withinF32(where, got, wanted, objectOf(at(testCase, 'f32_err', 'result')));
};

/** Tests of a group by its tables. */
export const schedulerTests = (name: string, schedulers: SchedulerTable, functions: FunctionTable): void => {
  const check = async (testCase: GoldenCase, group: GoldenGroup): Promise<void> => {
    expect(at(group.index, 'model')).toBe(formula);
    for (const dtype of ['float32', 'float64'] as const) {
      const given = caseOf(testCase, group, dtype);
      if (testCase.fn !== undefined) {
        const fn = stringOf(testCase.fn);
        const compute = Object.hasOwn(functions, fn) ? functions[fn]! : unknownCase('function', fn);
        await checkFunction(testCase, group, given, compute(given));
        continue;
      }
      const { scheduler } = given;
      const make = Object.hasOwn(schedulers, scheduler) ? schedulers[scheduler]! : unknownCase('scheduler', scheduler);
      await checkRun(testCase, group, given, make(given));
    }
  };
  const suite = selected(name) ? describe : describe.skip;
  suite(name, () => {
    for (const { title, run } of goldenTests(name, check)) it(title, run);
  });
};
