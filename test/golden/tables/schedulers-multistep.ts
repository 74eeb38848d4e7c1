/**
 * DPM-Solver, UniPC and DEIS as diffusers configures them: which sampler, and which levels. Their timesteps are whole
 * numbers in any case, and what is between two of them is shown as one of them.
 */

import { broadcastTo, cast, neg, type Tensor, take, tensor } from 'tenfold';
import {
  addNoise,
  combine,
  type Denoiser,
  type DenoiserModel,
  deis,
  denoiser,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  dynamicThreshold,
  edmProcess,
  exponentialSigmas,
  flowProcess,
  flowShift,
  inferenceTimesteps,
  type Levels,
  levelsAt,
  levelsOf,
  preconditioned,
  rescaleProcess,
  type Sampler,
  type SamplerState,
  stretchToTerminal,
  type TimestepSpacing,
  uniPc,
} from 'tenfold/diffusion';
import { at, booleanOf, type JsonObject, numberOf, numbersOf, stringOf, unknownCase } from '../read.js';
import {
  type FunctionTable,
  predictions,
  type SchedulerCase,
  type SchedulerRun,
  type SchedulerTable,
} from '../schedulers.js';
import { flagOf, given } from './scheduler-config.js';
import { checkSchedule, edmSchedule, levelsFrom, respread, spreadSigmas, trainingSigmas } from './sigma-levels.js';

/** What of a schedule depends on the scheduler. */
interface Kind {
  /** Timesteps of sigmas that are spread anew are rounded where this holds, and cut off elsewhere. */
  readonly rounds: (config: JsonObject) => boolean;
  /** The last sigma, of the first of training and the last one before it. */
  readonly last: (config: JsonObject, smallest: number, before: number) => number;
  /** Sigmas of a flow, before they are shifted. */
  readonly flow: (n: number, T: number) => readonly number[];
}

interface Schedule {
  readonly sigmas: readonly number[];
  readonly timesteps: readonly number[];
}

const finalSigma = (config: JsonObject, smallest: number): number => {
  const type = stringOf(at(config, 'final_sigmas_type'));
  if (type === 'zero') return 0;
  return type === 'sigma_min' ? smallest : unknownCase('final_sigmas_type', type);
};

const linspace = (start: number, stop: number, n: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => start + (i * (stop - start)) / (n - 1));

/** n sigmas between 1 − 1 / T and 0, the latter left out. */
const belowOne = (n: number, T: number): readonly number[] =>
  linspace(1, 1 / T, n + 1)
    .map(alpha => 1 - alpha)
    .toReversed()
    .slice(0, -1);

const dpmSolver: Kind = {
  rounds: config =>
    (flagOf(config, 'use_karras_sigmas') || flagOf(config, 'use_lu_lambdas')) &&
    stringOf(at(config, 'beta_schedule')) !== 'squaredcos_cap_v2',
  last: (config, smallest) => finalSigma(config, smallest),
  flow: belowOne,
};

const singlestep: Kind = { ...dpmSolver, rounds: config => flagOf(config, 'use_karras_sigmas') };

const uniPcKind: Kind = {
  rounds: singlestep.rounds,
  last: (config, smallest, before) => finalSigma(config, isSpread(config) ? before : smallest),
  flow: (n, T) => linspace(1, 1 / T, n + 1).slice(0, -1),
};

const deisKind: Kind = {
  rounds: singlestep.rounds,
  last: (config, smallest, before) => (isSpread(config) ? before : smallest),
  flow: belowOne,
};

/** Whether sigmas are not those of timesteps. */
const isSpread = (config: JsonObject): boolean =>
  respread(config) || flagOf(config, 'use_lu_lambdas') || flagOf(config, 'use_flow_sigmas');

/** How many timesteps are left where the first ones have too little signal. */
const keptTimesteps = (config: JsonObject, training: readonly number[]): number => {
  const least = given(config, 'lambda_min_clipped') ? numberOf(config.lambda_min_clipped) : Number.NEGATIVE_INFINITY;
  return training.filter(sigma => -Math.log(sigma) >= least).length;
};

const spacedTimesteps = (config: JsonObject, kept: number, n: number): readonly number[] => {
  const T = numberOf(at(config, 'num_train_timesteps'));
  const spacing = (
    given(config, 'timestep_spacing') ? stringOf(config.timestep_spacing) : 'linspace'
  ) as TimestepSpacing;
  if (spacing === 'trailing') {
    if (kept === T) return inferenceTimesteps(T, n, { spacing });
    const count = Math.ceil(kept / (T / n));
    return Array.from({ length: count }, (_, i) => Math.round(kept - (i * T) / n) - 1);
  }
  const offset = spacing === 'leading' ? numberOf(at(config, 'steps_offset')) : 0;
  return inferenceTimesteps(kept, n + 1, { spacing, offset }).slice(0, -1);
};

/** Where sigmas lie among those of training, linear in log σ. */
const placeAmong = (training: readonly number[], sigma: number): number => {
  const value = Math.log(sigma);
  const logs = training.map(Math.log);
  const low = Math.min(
    Math.max(
      logs.findLastIndex(log => log <= value),
      0,
    ),
    logs.length - 2,
  );
  const share = (logs[low]! - value) / (logs[low]! - logs[low + 1]!);
  return low + Math.min(Math.max(share, 0), 1);
};

const flowShiftOf = (config: JsonObject, setTimesteps: JsonObject): number => {
  if (!flagOf(config, 'use_dynamic_shifting')) return numberOf(at(config, 'flow_shift'));
  const mu = numberOf(at(setTimesteps, 'mu'));
  return stringOf(at(config, 'time_shift_type')) === 'linear' ? mu : Math.exp(mu);
};

/** Sigmas of a flow, which are times. */
const flowSigmas = (kind: Kind, { config, setTimesteps }: SchedulerCase, n: number): readonly number[] => {
  const T = numberOf(at(config, 'num_train_timesteps'));
  const even = given(setTimesteps, 'sigmas') ? numbersOf(setTimesteps.sigmas) : kind.flow(n, T);
  const shifted = flowShift(even, flowShiftOf(config, setTimesteps));
  const stretched = given(config, 'shift_terminal')
    ? stretchToTerminal(shifted, numberOf(config.shift_terminal))
    : shifted;
  // The reference keeps a little signal at the start.
  return stretched.map((sigma, i) => (i === 0 && Math.abs(sigma - 1) < 1e-6 ? sigma - 1e-6 : sigma));
};

const scheduleOf = (kind: Kind, run: SchedulerCase): Schedule => {
  const { config, setTimesteps } = run;
  const training = trainingSigmas(config);
  const custom = given(setTimesteps, 'timesteps') ? numbersOf(setTimesteps.timesteps) : undefined;
  const n = custom?.length ?? numberOf(at(setTimesteps, 'num_inference_steps'));
  const end = (sigmas: readonly number[]): readonly number[] => [
    ...sigmas,
    kind.last(config, training[0]!, sigmas.at(-1)!),
  ];
  if (flagOf(config, 'use_flow_sigmas')) {
    if (respread(config) || flagOf(config, 'use_lu_lambdas'))
      return unknownCase('use_flow_sigmas with', 'other sigmas');
    const sigmas = flowSigmas(kind, run, n);
    const T = numberOf(at(config, 'num_train_timesteps'));
    return { sigmas: end(sigmas), timesteps: sigmas.map(sigma => Math.trunc(sigma * T)) };
  }
  if (isSpread(config)) {
    const sigmas = flagOf(config, 'use_lu_lambdas')
      ? exponentialSigmas(n, { min: training[0]!, max: training.at(-1)! })
      : spreadSigmas(config, training.toReversed(), n);
    const whole = kind.rounds(config) ? Math.round : Math.trunc;
    return { sigmas: end(sigmas), timesteps: sigmas.map(sigma => whole(placeAmong(training, sigma))) };
  }
  const timesteps = custom ?? spacedTimesteps(config, keptTimesteps(config, training), n);
  return { sigmas: end(timesteps.map(t => training[t]!)), timesteps };
};

const levelsFor = ({ config }: SchedulerCase, { sigmas, timesteps }: Schedule): Levels => {
  const levels = flagOf(config, 'use_flow_sigmas')
    ? levelsAt(flowProcess(), sigmas, { final: 'none' })
    : levelsOf(rescaleProcess(edmProcess(), 'preserving'), sigmas, { final: 'none' });
  return Object.freeze({ ...levels, time: tensor([...timesteps, 0], { dtype: 'float64' }) as Tensor });
};

const checkedLevels = (kind: Kind, run: SchedulerCase): Levels => {
  const schedule = scheduleOf(kind, run);
  checkSchedule(run.reference, schedule);
  return levelsFor(run, schedule);
};

/** The threshold of a configuration; the noise is kept as it was predicted, or is what agrees with the new x₀. */
const thresholded = (config: JsonObject, plain: Denoiser, keepNoise: boolean): Denoiser => {
  if (!flagOf(config, 'thresholding')) return plain;
  const ratio = numberOf(at(config, 'dynamic_thresholding_ratio'));
  return dynamicThreshold({ ratio, max: numberOf(at(config, 'sample_max_value')), keepNoise })(plain);
};

/** The reference takes α and σ of a flow for those of a sphere where v is predicted. */
const sphericalFlow =
  (model: DenoiserModel): Denoiser =>
  (x, level, { inputs, previous }) => {
    const v = model(x, broadcastTo(cast(level.time, x.dtype), [x.shape[0]!]) as Tensor, inputs, previous);
    const { alpha, sigma } = level;
    return { x0: combine([alpha, x], [neg(sigma), v]), eps: combine([alpha, v], [sigma, x]) };
  };

const denoiserOf = ({ config, model, learnedVariance }: SchedulerCase, keepNoise: boolean): Denoiser => {
  const name = stringOf(at(config, 'prediction_type'));
  const prediction = Object.hasOwn(predictions, name) ? predictions[name]! : unknownCase('prediction_type', name);
  const flow = flagOf(config, 'use_flow_sigmas');
  if (flow && prediction === 'v') return thresholded(config, sphericalFlow(model), keepNoise);
  const scaling = flow ? 'flow' : 'preserving';
  return thresholded(config, denoiser(model, { prediction, scaling, learnedVariance }), keepNoise);
};

/** A sampler whatever it remembers. */
const asSampler = <S extends SamplerState>(sampler: Sampler<S>): Sampler => sampler as unknown as Sampler;

type Order = 1 | 2 | 3;
type Options = NonNullable<Parameters<typeof dpmSolverMultistep>[0]>;

const orderOf = (config: JsonObject): Order => numberOf(at(config, 'solver_order')) as Order;

const lowersAtEnd = (config: JsonObject): boolean => booleanOf(at(config, 'lower_order_final'));

/** Names of other solvers mean the default. */
const nameOf = (config: JsonObject, name: string, others: readonly string[], fallback: string): string => {
  const value = stringOf(at(config, name));
  return others.includes(value) ? fallback : value;
};

const dpmOptions = (config: JsonObject): Options => ({
  order: orderOf(config),
  algorithm: nameOf(config, 'algorithm_type', ['deis'], 'dpmsolver++') as NonNullable<Options['algorithm']>,
  solverType: nameOf(config, 'solver_type', ['logrho', 'bh1', 'bh2'], 'midpoint') as 'midpoint' | 'heun',
  lowerOrderFinal: lowersAtEnd(config),
});

const keepsNoise = (config: JsonObject): boolean => stringOf(at(config, 'algorithm_type')).endsWith('++');

const edmRun = (run: SchedulerCase): SchedulerRun => {
  const { config, model } = run;
  const schedule = edmSchedule(run);
  checkSchedule(run.reference, schedule);
  const name = stringOf(at(config, 'prediction_type'));
  const kinds = { epsilon: 'epsilon', v_prediction: 'v' } as const;
  const prediction = Object.hasOwn(kinds, name) ? kinds[name as keyof typeof kinds] : unknownCase('prediction', name);
  const plain = preconditioned(model, { sigmaData: numberOf(at(config, 'sigma_data')), prediction });
  return {
    sampler: asSampler(dpmSolverMultistep({ ...dpmOptions(config), eulerAtFinal: flagOf(config, 'euler_at_final') })),
    denoiser: thresholded(config, plain, true),
    levels: levelsFrom(schedule),
  };
};

export const multistepSchedulers: SchedulerTable = {
  DPMSolverMultistep: run => ({
    sampler: asSampler(
      dpmSolverMultistep({ ...dpmOptions(run.config), eulerAtFinal: flagOf(run.config, 'euler_at_final') }),
    ),
    denoiser: denoiserOf(run, keepsNoise(run.config)),
    levels: checkedLevels(dpmSolver, run),
  }),
  DPMSolverSinglestep: run => ({
    sampler: asSampler(dpmSolverSinglestep(dpmOptions(run.config))),
    denoiser: denoiserOf(run, keepsNoise(run.config)),
    levels: checkedLevels(singlestep, run),
  }),
  UniPCMultistep: run => {
    const { config } = run;
    if (given(config, 'solver_p')) unknownCase('solver_p', JSON.stringify(config.solver_p));
    const sampler = asSampler(
      uniPc({
        order: orderOf(config),
        solverType: nameOf(config, 'solver_type', ['midpoint', 'heun', 'logrho'], 'bh2') as 'bh1' | 'bh2',
        predictX0: booleanOf(at(config, 'predict_x0')),
        lowerOrderFinal: lowersAtEnd(config),
        disableCorrector: numbersOf(at(config, 'disable_corrector')),
      }),
    );
    return { sampler, denoiser: denoiserOf(run, true), levels: checkedLevels(uniPcKind, run) };
  },
  DEISMultistep: run => ({
    sampler: asSampler(deis({ order: orderOf(run.config), lowerOrderFinal: lowersAtEnd(run.config) })),
    denoiser: denoiserOf(run, false),
    levels: checkedLevels(deisKind, run),
  }),
  EDMDPMSolverMultistep: edmRun,
};

const kinds: Readonly<Record<string, Kind>> = {
  DPMSolverMultistep: dpmSolver,
  DPMSolverSinglestep: singlestep,
  UniPCMultistep: uniPcKind,
  DEISMultistep: deisKind,
};

const functionLevels = (run: SchedulerCase): Levels => {
  if (run.scheduler === 'EDMDPMSolverMultistep') return levelsFrom(edmSchedule(run));
  const kind = Object.hasOwn(kinds, run.scheduler) ? kinds[run.scheduler]! : unknownCase('scheduler', run.scheduler);
  return levelsFor(run, scheduleOf(kind, run));
};

export const multistepFunctions: FunctionTable = {
  add_noise: run => {
    const { alpha, sigma, time } = functionLevels(run);
    const places = tensor(numbersOf(at(run.timestepsGiven, 'index')), { dtype: 'int32' });
    const of = (vector: Tensor): Tensor => take(vector, places as never) as Tensor;
    const level = { alpha: of(alpha), sigma: of(sigma), time: of(time) };
    return addNoise(run.input('original'), level, run.input('noise'));
  },
};
