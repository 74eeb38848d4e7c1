/** diffusers' schedulers in σ, as samplers and levels. */
import { broadcastTo, cast, mul, reciprocal, type Tensor, tensor } from 'tenfold';
import {
  addNoise,
  type ChurnOptions,
  cIn,
  clipDenoised,
  cNoise,
  cOut,
  combine,
  convert,
  cSkip,
  type Denoiser,
  type DenoiserModel,
  dpm2,
  dpm2Ancestral,
  edmStochastic,
  euler,
  eulerAncestral,
  heun,
  lms,
  type NoiseLevel,
  preconditioned,
  type Sampler,
  type SamplerState,
  scaleOf,
} from 'tenfold/diffusion';
import { type Json, numberOf, stringOf, unknownCase } from '../read.js';
import {
  denoiserFor,
  type FunctionTable,
  predictions,
  type SchedulerCase,
  type SchedulerRun,
  type SchedulerTable,
} from '../schedulers.js';
import { flagOf, given } from './scheduler-config.js';
import { checkSchedule, edmSchedule, levelsFrom, type SigmaSchedule, sigmaSchedule } from './sigma-levels.js';

/** What the reference calls its timesteps and sigmas. */
type Vectors = Pick<SigmaSchedule, 'timesteps' | 'sigmas'>;

/** A schedule, and how the reference writes it down, with an entry for each call of the network. */
interface Written {
  readonly schedule: SigmaSchedule;
  readonly written: Vectors;
}

const twice = (values: readonly number[]): readonly number[] => values.flatMap(value => [value, value]);

const once = (run: SchedulerCase): Written => {
  const schedule = sigmaSchedule(run);
  return { schedule, written: schedule };
};

const heunSchedule = (run: SchedulerCase): Written => {
  const schedule = sigmaSchedule(run);
  const { timesteps, sigmas } = schedule;
  return {
    schedule,
    written: {
      timesteps: [timesteps[0]!, ...twice(timesteps.slice(1))],
      sigmas: [sigmas[0]!, ...twice(sigmas.slice(1, -1)), sigmas.at(-1)!],
    },
  };
};

/** With a call in the middle of steps, at the geometric mean of σ and where a step without noise would end. */
const middleSchedule =
  (below: (from: number, to: number) => number) =>
  (run: SchedulerCase): Written => {
    const plain = sigmaSchedule(run);
    // These are the only ones that round them.
    const rounded = flagOf(run.config, 'use_karras_sigmas');
    const schedule = rounded ? { ...plain, timesteps: plain.timesteps.map(Math.round) } : plain;
    const { timesteps, sigmas, process } = schedule;
    const middles = sigmas.slice(0, -2).map((from, i) => Math.sqrt(from * below(from, sigmas[i + 1]!)));
    const times =
      middles.length === 0 ? [] : (process.levelOf(tensor(middles, { dtype: 'float64' })).time.toArray() as number[]);
    return {
      schedule,
      written: {
        timesteps: [timesteps[0]!, ...timesteps.slice(1).flatMap((t, i) => [times[i]!, t])],
        sigmas: [sigmas[0]!, ...twice(sigmas.slice(1)), sigmas.at(-1)!],
      },
    };
  };

const edmWritten = (run: SchedulerCase): Written => {
  const schedule = edmSchedule(run);
  return { schedule, written: schedule };
};

const schedules: Readonly<Record<string, (run: SchedulerCase) => Written>> = {
  LMSDiscrete: once,
  EulerDiscrete: once,
  EulerAncestralDiscrete: once,
  HeunDiscrete: heunSchedule,
  KDPM2Discrete: middleSchedule((_, to) => to),
  KDPM2AncestralDiscrete: middleSchedule((from, to) => to ** 2 / from),
  EDMEuler: edmWritten,
};

const scheduleOf = (run: SchedulerCase): Written =>
  Object.hasOwn(schedules, run.scheduler)
    ? schedules[run.scheduler]!(run)
    : unknownCase('schedule of', run.scheduler as Json);

/** The run of a sampler, with `calls` of the network in all steps but the last. */
const runOf = (run: SchedulerCase, sampler: Sampler, model: Denoiser, calls = 1): SchedulerRun => {
  const { schedule, written } = scheduleOf(run);
  checkSchedule(run.reference, written);
  const n = schedule.timesteps.length;
  return {
    sampler,
    denoiser: model,
    levels: levelsFrom(schedule),
    calls: Array.from({ length: n }, (_, i) => (i === n - 1 ? 1 : calls)),
  };
};

const churnOf = ({ stepArgs }: SchedulerCase, count: number, sigmas: number): ChurnOptions => {
  const of = (name: string, otherwise: number): number =>
    stepArgs[name] === undefined ? otherwise : numberOf(stepArgs[name]);
  return {
    // The reference divides by its sigmas less one, whatever the number of steps.
    churn: (of('s_churn', 0) * count) / (sigmas - 1),
    min: of('s_tmin', 0),
    max: of('s_tmax', Number.POSITIVE_INFINITY),
    noise: of('s_noise', 1),
  };
};

/**
 * The reference calls its network before it raises the level, and takes the output as if it came from there. Here the
 * denoiser gives the output alone, and the step makes of it what the reference does.
 */
const outputFromBefore = (
  options: ChurnOptions,
  x0From: (output: Tensor, x: Tensor, raised: NoiseLevel, from: NoiseLevel) => Tensor,
): Sampler => {
  const { init, step } = edmStochastic({ ...options, order: 1 });
  return {
    init,
    step: (state: SamplerState, at, denoise) => {
      const output = denoise(state.x, at.from).x0;
      return step(state, at, (x, raised) => {
        const x0 = x0From(output, x, raised, at.from);
        return { x0, eps: convert('x0', 'epsilon')(x0, x, raised) };
      });
    },
  };
};

/** A network that is shown samples times a factor, and its output as it is. */
const outputOf =
  (model: DenoiserModel, factor: (level: NoiseLevel) => Tensor, time: (level: NoiseLevel) => Tensor): Denoiser =>
  (x, level, { inputs, previous }) => {
    const times = broadcastTo(cast(time(level), x.dtype) as Tensor, [x.shape[0]!]) as Tensor;
    const output = model(combine([factor(level), x]), times, inputs, previous);
    return { x0: output, eps: output };
  };

const eulerRun = (run: SchedulerCase): SchedulerRun => {
  const { schedule } = scheduleOf(run);
  const options = churnOf(run, schedule.timesteps.length, schedule.sigmas.length);
  const prediction = stringOf(run.config.prediction_type);
  if (options.churn === 0 || prediction === 'epsilon') return runOf(run, euler(options), denoiserFor(run));
  const output = outputOf(
    run.model,
    level => reciprocal(scaleOf(level, 'preserving')) as Tensor,
    ({ time }) => time,
  );
  // A v is taken to be of the level that was not raised, though the sample is of the raised one.
  const type = predictions[prediction] ?? unknownCase('prediction_type', prediction);
  const x0From = (value: Tensor, x: Tensor, _: NoiseLevel, from: NoiseLevel): Tensor =>
    convert(type, 'x0')(value, x, from);
  return runOf(run, outputFromBefore(options, x0From), output);
};

const edmRun = (run: SchedulerCase): SchedulerRun => {
  const sigmaData = numberOf(run.config.sigma_data);
  const prediction = stringOf(run.config.prediction_type);
  if (prediction !== 'epsilon' && prediction !== 'v_prediction') return unknownCase('prediction_type', prediction);
  const { schedule } = scheduleOf(run);
  const options = churnOf(run, schedule.timesteps.length, schedule.sigmas.length);
  if (options.churn === 0) {
    const type = prediction === 'epsilon' ? 'epsilon' : 'v';
    return runOf(run, euler(), preconditioned(run.model, { sigmaData, prediction: type }));
  }
  const sign = prediction === 'epsilon' ? 1 : -1;
  const x0From = (output: Tensor, x: Tensor, raised: NoiseLevel): Tensor =>
    combine([cSkip(raised, sigmaData), x], [mul(cOut(raised, sigmaData), sign) as Tensor, output]);
  const output = outputOf(run.model, level => cIn(level, sigmaData), cNoise);
  return runOf(run, outputFromBefore(options, x0From), output);
};

/** Where samples are clipped, the slope is that to the clipped ones: the noise is that which agrees with them. */
const heunDenoiser = (run: SchedulerCase): Denoiser => {
  const plain = denoiserFor({ ...run, config: { ...run.config, clip_sample: false } });
  return flagOf(run.config, 'clip_sample')
    ? clipDenoised({ range: numberOf(run.config.clip_sample_range) })(plain)
    : plain;
};

const orderOf = ({ stepArgs }: SchedulerCase): 1 | 2 | 3 | 4 =>
  (given(stepArgs, 'order') ? numberOf(stepArgs.order) : 4) as 1 | 2 | 3 | 4;

export const sigmaSchedulers: SchedulerTable = {
  LMSDiscrete: run => runOf(run, lms({ order: orderOf(run) }) as unknown as Sampler, denoiserFor(run)),
  EulerDiscrete: eulerRun,
  EulerAncestralDiscrete: run => runOf(run, eulerAncestral(), denoiserFor(run)),
  HeunDiscrete: run => runOf(run, heun(), heunDenoiser(run), 2),
  KDPM2Discrete: run => runOf(run, dpm2(), denoiserFor(run), 2),
  KDPM2AncestralDiscrete: run => runOf(run, dpm2Ancestral(), denoiserFor(run), 2),
  EDMEuler: edmRun,
};

/** The place of a timestep: where there are two of it, that of the second. */
const placeOf = (timesteps: readonly number[], time: number): number => {
  const nearest = timesteps.reduce((best, t) => (Math.abs(t - time) < Math.abs(best - time) ? t : best));
  const first = timesteps.indexOf(nearest);
  const second = timesteps.indexOf(nearest, first + 1);
  return second < 0 ? first : second;
};

export const sigmaFunctions: FunctionTable = {
  add_noise: run => {
    const { schedule, written } = scheduleOf(run);
    const times = run.input('timesteps').toArray() as readonly number[];
    const sigmas = times.map(time => written.sigmas[placeOf(written.timesteps, time)]!);
    const level = schedule.process.levelOf(tensor(sigmas, { dtype: 'float64' }));
    return addNoise(run.input('original'), level, run.input('noise'));
  },
};
