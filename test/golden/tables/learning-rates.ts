/** How the learning rates of the group `optim` are written here. */
import { type FloatDType, type Tensor, tensor } from 'tenfold';
import {
  type CountedSchedule,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  exponentialLR,
  linearLR,
  multiStepLR,
  oneCycleLR,
  oneCycleMomentum,
  polynomialLR,
  reduceLROnPlateau,
  sequentialLR,
  stepLR,
} from 'tenfold/optim';
import { expect } from 'vitest';
import {
  at,
  booleanOf,
  type GoldenCase,
  type GoldenGroup,
  type Json,
  type JsonObject,
  numberOf,
  numbersOf,
  objectOf,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from '../read.js';

type Names = Readonly<Record<string, readonly [name: string, read: (json: Json) => unknown]>>;

/** Arguments by our names; one that is not among them is refused. */
const optionsOf = (args: JsonObject, names: Names, apart: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(args)
      .filter(([key, value]) => !apart.includes(key) && value !== null)
      .map(([key, value]) => {
        const [name, read] = Object.hasOwn(names, key) ? names[key]! : unknownCase('argument', key);
        return [name, read(value)];
      }),
  );

const linear: Names = {
  start_factor: ['startFactor', numberOf],
  end_factor: ['endFactor', numberOf],
  total_iters: ['totalIters', numberOf],
};
const cosine: Names = { T_max: ['tMax', numberOf], eta_min: ['etaMin', numberOf] };

/** A mode in camel case. */
const modeOf = (json: Json): string => stringOf(json).replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const oneCycle: Names = {
  total_steps: ['totalSteps', numberOf],
  pct_start: ['pctStart', numberOf],
  anneal_strategy: ['annealStrategy', stringOf],
  three_phase: ['threePhase', booleanOf],
};
const oneCycleRates: Names = { div_factor: ['divFactor', numberOf], final_div_factor: ['finalDivFactor', numberOf] };
const oneCycleMomenta: Names = {
  base_momentum: ['baseMomentum', numberOf],
  max_momentum: ['maxMomentum', numberOf],
};

const usual = ['base_lr', 'steps'];

type Make = (rate: number, options: never) => CountedSchedule;

const based =
  (make: Make, names: Names) =>
  (args: JsonObject): Readonly<Record<string, CountedSchedule>> => ({
    lr: make(numberOf(args.base_lr), optionsOf(args, names, usual) as never),
  });

/** What each schedule of the group makes of its arguments: functions of the count, by output. */
const schedules: Readonly<Record<string, (args: JsonObject) => Readonly<Record<string, CountedSchedule>>>> = {
  cosine: based(cosineAnnealingLR, cosine),
  step: based(stepLR, { step_size: ['stepSize', numberOf], gamma: ['gamma', numberOf] }),
  multistep: based(multiStepLR, { milestones: ['milestones', numbersOf], gamma: ['gamma', numberOf] }),
  exponential: based(exponentialLR, { gamma: ['gamma', numberOf] }),
  linear_warmup: based(linearLR, linear),
  linear_decay: based(linearLR, linear),
  constant: based(constantLR, { factor: ['factor', numberOf], total_iters: ['totalIters', numberOf] }),
  polynomial: based(polynomialLR, { total_iters: ['totalIters', numberOf], power: ['power', numberOf] }),
  warm_restarts: based(cosineAnnealingWarmRestarts, {
    T_0: ['t0', numberOf],
    T_mult: ['tMult', numberOf],
    eta_min: ['etaMin', numberOf],
  }),
  one_cycle: args => {
    const rates = optionsOf(args, { ...oneCycle, ...oneCycleRates }, [
      ...usual,
      'max_lr',
      ...Object.keys(oneCycleMomenta),
    ]);
    const momenta = { ...oneCycle, ...oneCycleMomenta };
    const others = [...usual, 'max_lr', ...Object.keys(oneCycleRates)];
    return {
      lr: oneCycleLR(numberOf(args.max_lr), rates as never),
      momentum: oneCycleMomentum(optionsOf(args, momenta, others) as never),
    };
  },
  warmup_then_cosine: args => {
    optionsOf(args, {}, [...usual, 'warmup', 'cosine', 'milestone']);
    const rate = numberOf(args.base_lr);
    const warmup = linearLR(rate, optionsOf(objectOf(args.warmup), linear, []));
    const falling = cosineAnnealingLR(rate, optionsOf(objectOf(args.cosine), cosine, []) as never);
    return { lr: sequentialLR([warmup, falling], [numberOf(args.milestone)]) };
  },
  cyclic: args => {
    const names: Names = {
      max: ['maxRate', numberOf],
      step_size_up: ['stepSizeUp', numberOf],
      step_size_down: ['stepSizeDown', numberOf],
      mode: ['mode', modeOf],
      gamma: ['gamma', numberOf],
    };
    return { lr: cyclicLR(numberOf(args.base), optionsOf(args, names, [...usual, 'base']) as never) };
  },
};

/** The rate after each metric of the case. */
const plateau = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): readonly Tensor[] => {
  const args = objectOf(at(testCase, 'args'));
  const names: Names = {
    mode: ['mode', stringOf],
    factor: ['factor', numberOf],
    patience: ['patience', numberOf],
    threshold: ['threshold', numberOf],
    threshold_mode: ['thresholdMode', stringOf],
    cooldown: ['cooldown', numberOf],
    min_lr: ['minRate', numberOf],
    eps: ['epsilon', numberOf],
  };
  const { init, update } = reduceLROnPlateau(numberOf(args.base_lr), {
    ...optionsOf(args, names, usual),
    dtype,
  } as never);
  const { data } = group.tensor(at(testCase, 'inputs', 'metrics'));
  let state = init();
  return Array.from(data, metric => {
    state = update(state, metric);
    return state.rate;
  });
};

/** A schedule over all steps at once, and count by count. */
export const checkSchedule = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): void => {
  const out = objectOf(at(testCase, 'out'));
  const kind = stringOf(at(testCase, 'schedule'));
  const compare = (name: string, how: string, data: ArrayLike<number>): void => {
    const where = `${testCase.name}, ${name}, ${how}, ${dtype}`;
    const ref = group.tensor(out[name]);
    if (dtype === 'float64') withinF64(where, data, ref);
    else withinF32(where, data, ref, objectOf(testCase.f32_err ?? {})[name]);
  };
  if (kind === 'reduce_on_plateau') {
    expect(Object.keys(out)).toEqual(['lr']);
    const rates = plateau(testCase, group, dtype);
    compare(
      'lr',
      'after each metric',
      rates.map(rate => rate.item() as number),
    );
    return;
  }
  const make = Object.hasOwn(schedules, kind) ? schedules[kind]! : unknownCase('schedule', kind);
  const made = make(objectOf(at(testCase, 'args')));
  for (const name of Object.keys(out)) {
    const schedule = made[name] ?? unknownCase('output', name);
    const counts = Array.from({ length: group.tensor(out[name]).shape[0]! }, (_, i) => i);
    // An integer is what optimizers count in; float64 is for those who want its digits.
    const countDType = dtype === 'float64' ? 'float64' : 'int32';
    const all = schedule(tensor(counts, { dtype: countDType }));
    expect(all.dtype).toBe(dtype);
    compare(name, 'at once', all.dataSync() as ArrayLike<number>);
    compare(
      name,
      'one by one',
      counts.map(count => schedule(tensor(count, { dtype: countDType })).item() as number),
    );
  }
};
