/** Learning rates that rise and fall: cosine annealing, warm restarts, cycles, one cycle. */
import { checkFlag } from '../tensor/ops/common/options.js';
import { add, div, minimum, mul, pow, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { lessEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { floorDivide, remainder } from '../tensor/ops/elementwise/division.js';
import { cos } from '../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { alongLine, type CountedSchedule, passed, powerOf, scheduleOf } from './decays.js';
import { checkAboveZero, checkFinite, choiceOf, numbersOf } from './settings.js';

/** Half a cosine from `start` at 0 to `end` at 1. */
const alongCosine = (x: Tensor, start: number, end: number): Tensor =>
  add(mul(add(cos(mul(x, Math.PI) as Tensor), 1) as Tensor, (start - end) / 2) as Tensor, end) as Tensor;

/**
 * From the rate to `etaMin` along half a cosine in `tMax` steps, and then back up and down again (Loshchilov & Hutter 2016,
 * arXiv:1608.03983). For one that stays down, see {@link warmupCosine}.
 *
 * @param options `tMax`, which must be given; `etaMin` (0)
 * @returns a function of the number of steps done
 * @throws ArgumentError for what is no finite number or no such option, and unless tMax is above 0; its function, for a count
 *   that is no tensor
 * @numpy optax.cosine_decay_schedule
 * @pytorch torch.optim.lr_scheduler.CosineAnnealingLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cosineAnnealingLR } from 'tenfold/optim';
 * const rate = cosineAnnealingLR(1, { tMax: 100 });
 * [0, 50, 100, 200].map(t => rate(tensor(t)).item().toFixed(3)); // => ['1.000', '0.500', '0.000', '1.000']
 * ```
 */
export const cosineAnnealingLR = (
  rate: number,
  options: { readonly tMax: number; readonly etaMin?: number },
): CountedSchedule => {
  checkFinite('cosineAnnealingLR', 'the rate', rate);
  const { tMax, etaMin } = numbersOf('cosineAnnealingLR', options, { tMax: undefined, etaMin: 0 });
  checkAboveZero('cosineAnnealingLR', 'tMax', tMax);
  // The remainder first: a cosine of many periods loses the digits of where it is in its own.
  const inPeriod = (t: Tensor): Tensor => div(remainder(t, 2 * tMax) as Tensor, tMax) as Tensor;
  return scheduleOf('cosineAnnealingLR', t => alongCosine(inPeriod(t), rate, etaMin));
};

/** Steps beyond which float32 does not count. */
const countless = 2 ** 31;

/**
 * From the rate to `etaMin` along half a cosine, again and again, each time in `tMult` as many steps (Loshchilov & Hutter
 * 2016, arXiv:1608.03983).
 *
 * @param options `t0`, the steps of the first descent, which must be given; `tMult` (1), `etaMin` (0)
 * @returns a function of the number of steps done
 * @throws as {@link cosineAnnealingLR}, and ArgumentError unless tMult is an integer above 0
 * @numpy optax.sgdr_schedule
 * @pytorch torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cosineAnnealingWarmRestarts } from 'tenfold/optim';
 * const rate = cosineAnnealingWarmRestarts(1, { t0: 10, tMult: 2 });
 * [0, 5, 10, 20, 30].map(t => rate(tensor(t)).item().toFixed(3)); // => ['1.000', '0.500', '1.000', '0.500', '1.000']
 * ```
 */
export const cosineAnnealingWarmRestarts = (
  rate: number,
  options: { readonly t0: number; readonly tMult?: number; readonly etaMin?: number },
): CountedSchedule => {
  const operation = 'cosineAnnealingWarmRestarts';
  checkFinite(operation, 'the rate', rate);
  const { t0, tMult, etaMin } = numbersOf(operation, options, { t0: undefined, tMult: 1, etaMin: 0 });
  checkAboveZero(operation, 't0', t0);
  checkArgument(
    Number.isInteger(tMult) && tMult > 0,
    operation,
    `${tMult} as tMult`,
    'tMult is an integer above 0',
    'Leave it out for descents of one length.',
  );
  if (tMult === 1) return scheduleOf(operation, t => alongCosine(div(remainder(t, t0), t0) as Tensor, rate, etaMin));
  /** The steps at which a descent begins, but the first. */
  const starts: number[] = [];
  for (let start = t0, length = t0 * tMult; start < countless; start += length, length *= tMult) starts.push(start);
  return scheduleOf(operation, t => {
    // Counted rather than by a logarithm, which may be just below an integer where a descent begins.
    const scale = pow(tMult, passed(t, starts)) as Tensor;
    const start = mul(sub(scale, 1) as Tensor, t0 / (tMult - 1)) as Tensor;
    return alongCosine(div(sub(t, start), mul(scale, t0)) as Tensor, rate, etaMin);
  });
};

/** Options of {@link cyclicLR}. */
export interface CyclicOptions {
  /** Where the rate turns. */
  readonly maxRate: number;
  /** Steps up. Default 2000. */
  readonly stepSizeUp?: number;
  /** Steps down; as many as up, if left out. */
  readonly stepSizeDown?: number;
  /** `triangular2` halves the height with each cycle; `expRange` takes it times `gamma` with each step. Default triangular. */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange';
  /** Of `expRange`. Default 1. */
  readonly gamma?: number;
}

/**
 * From the rate up to `maxRate` and back along lines, again and again (Smith 2015, arXiv:1506.01186).
 *
 * @param options `maxRate`, which must be given; `stepSizeUp` (2000), `stepSizeDown` (as up), `mode`, `gamma` (1)
 * @returns a function of the number of steps done
 * @throws ArgumentError for what is no finite number, no such mode or option, and unless the step sizes are above 0; its
 *   function, for a count that is no tensor
 * @numpy —
 * @pytorch torch.optim.lr_scheduler.CyclicLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cyclicLR } from 'tenfold/optim';
 * const rate = cyclicLR(1, { maxRate: 5, stepSizeUp: 4, mode: 'triangular2' });
 * rate(tensor([0, 1, 4, 6, 8, 12])).toArray(); // => [1, 2, 5, 3, 1, 3]
 * ```
 */
export const cyclicLR = (rate: number, options: CyclicOptions): CountedSchedule => {
  const operation = 'cyclicLR';
  checkFinite(operation, 'the rate', rate);
  const defaults = { maxRate: undefined, stepSizeUp: 2000, stepSizeDown: options?.stepSizeUp ?? 2000, gamma: 1 };
  const { maxRate, stepSizeUp, stepSizeDown, gamma } = numbersOf(operation, options, defaults, ['mode']);
  checkAboveZero(operation, 'stepSizeUp', stepSizeUp);
  checkAboveZero(operation, 'stepSizeDown', stepSizeDown);
  const mode = choiceOf(operation, 'mode', ['triangular', 'triangular2', 'expRange'], options.mode);
  const whole = stepSizeUp + stepSizeDown;
  return scheduleOf(operation, t => {
    const step = remainder(t, whole) as Tensor;
    const down = div(sub(whole, step) as Tensor, stepSizeDown) as Tensor;
    const height = mul(minimum(div(step, stepSizeUp) as Tensor, down) as Tensor, maxRate - rate) as Tensor;
    if (mode === 'triangular') return add(height, rate) as Tensor;
    const factor = mode === 'expRange' ? powerOf(gamma, t) : pow(0.5, floorDivide(t, whole) as Tensor);
    return add(mul(height, factor as Tensor) as Tensor, rate) as Tensor;
  });
};

/** What {@link oneCycleLR} and {@link oneCycleMomentum} have in common. */
export interface OneCycleOptions {
  readonly totalSteps: number;
  /** The part of the steps that the rate rises in, between 0 and 1. Default 0.3. */
  readonly pctStart?: number;
  /** Along half a cosine, or a line. Default cos. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Whether to come down to where it began first, and to the end in a third phase. Default false. */
  readonly threePhase?: boolean;
}

/** Names of the options that are no numbers. */
const oneCycleOthers = ['annealStrategy', 'threePhase'];

/** A phase of one cycle: from one value to another until a step. */
type Phase = readonly [until: number, from: number, to: number];

/** Phases of the high, the low and the final value. */
const oneCycle = (
  operation: string,
  { totalSteps, pctStart }: { readonly totalSteps: number; readonly pctStart: number },
  options: OneCycleOptions,
  [initial, turn, final]: readonly [initial: number, turn: number, final: number],
): CountedSchedule => {
  const { threePhase = false } = options;
  checkFlag(operation, 'threePhase', threePhase);
  const along = choiceOf(operation, 'annealStrategy', ['cos', 'linear'], options.annealStrategy);
  const rising = pctStart * totalSteps - 1;
  const last = totalSteps - 1;
  const fits = pctStart > 0 && pctStart < 1 && rising > 0 && (!threePhase || 2 * rising < last);
  checkArgument(
    fits,
    operation,
    `${totalSteps} steps with pctStart ${pctStart}${threePhase ? ' in three phases' : ''}`,
    'each phase has steps, more than one of them to rise in',
    'Usual is a pctStart of 0.3.',
  );
  const phases: readonly Phase[] = threePhase
    ? [
        [rising, initial, turn],
        [2 * rising, turn, initial],
        [last, initial, final],
      ]
    : [
        [rising, initial, turn],
        [last, turn, final],
      ];
  const anneal = along === 'cos' ? alongCosine : alongLine;
  return scheduleOf(operation, t => {
    const now = minimum(t, last) as Tensor;
    const values = phases.map(([until, from, to], i) => {
      const since = i === 0 ? 0 : phases[i - 1]![0];
      // From its end, which is then reached exactly: the last rate may be a millionth of the highest.
      return anneal(sub(1, div(sub(until, now), until - since)) as Tensor, from, to);
    });
    return values.reduceRight(
      (later, value, i) => where(lessEqual(now, phases[i]![0]) as Tensor, value, later) as Tensor,
    );
  });
};

/** Options of {@link oneCycleLR}. */
export interface OneCycleLROptions extends OneCycleOptions {
  /** The first rate is the highest divided by this. Default 25. */
  readonly divFactor?: number;
  /** The last rate is the first divided by this. Default 1e4. */
  readonly finalDivFactor?: number;
}

/**
 * Up to the highest rate, then down far below the first, and there it stays (Smith & Topin 2017, arXiv:1708.07120).
 *
 * @param maxRate the highest rate
 * @param options `totalSteps`, which must be given; `pctStart` (0.3), `annealStrategy` ('cos'), `divFactor` (25),
 *   `finalDivFactor` (1e4), `threePhase`
 * @returns a function of the number of steps done
 * @throws ArgumentError for what is no finite number, no such strategy or option, for factors not above 0 and for phases
 *   without steps; its function, for a count that is no tensor
 * @numpy optax.cosine_onecycle_schedule
 * @pytorch torch.optim.lr_scheduler.OneCycleLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { oneCycleLR } from 'tenfold/optim';
 * const rate = oneCycleLR(1, { totalSteps: 11, pctStart: 0.55, divFactor: 4 });
 * [0, 5, 10].map(t => rate(tensor(t)).item().toFixed(3)); // => ['0.250', '1.000', '0.000']
 * ```
 */
export const oneCycleLR = (maxRate: number, options: OneCycleLROptions): CountedSchedule => {
  const operation = 'oneCycleLR';
  checkFinite(operation, 'the highest rate', maxRate);
  const defaults = { totalSteps: undefined, pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4 };
  const numbers = numbersOf(operation, options, defaults, oneCycleOthers);
  const { divFactor, finalDivFactor } = numbers;
  checkAboveZero(operation, 'divFactor', divFactor);
  checkAboveZero(operation, 'finalDivFactor', finalDivFactor);
  const initial = maxRate / divFactor;
  return oneCycle(operation, numbers, options, [initial, maxRate, initial / finalDivFactor]);
};

/** Options of {@link oneCycleMomentum}. */
export interface OneCycleMomentumOptions extends OneCycleOptions {
  /** The momentum where the rate is highest. Default 0.85. */
  readonly baseMomentum?: number;
  /** The momentum in the first and the last step. Default 0.95. */
  readonly maxMomentum?: number;
}

/**
 * The momentum that goes with {@link oneCycleLR}, low where the rate is high; for `sgd(rate, { momentum })`.
 *
 * @param options `totalSteps`, which must be given; `pctStart` (0.3), `annealStrategy` ('cos'), `baseMomentum` (0.85),
 *   `maxMomentum` (0.95), `threePhase`
 * @returns a function of the number of steps done
 * @throws as {@link oneCycleLR}
 * @numpy —
 * @pytorch torch.optim.lr_scheduler.OneCycleLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { oneCycleMomentum } from 'tenfold/optim';
 * const momentum = oneCycleMomentum({ totalSteps: 11, pctStart: 0.55 });
 * [0, 5, 10].map(t => momentum(tensor(t)).item().toFixed(2)); // => ['0.95', '0.85', '0.95']
 * ```
 */
export const oneCycleMomentum = (options: OneCycleMomentumOptions): CountedSchedule => {
  const operation = 'oneCycleMomentum';
  const defaults = { totalSteps: undefined, pctStart: 0.3, baseMomentum: 0.85, maxMomentum: 0.95 };
  const numbers = numbersOf(operation, options, defaults, oneCycleOthers);
  const { baseMomentum, maxMomentum } = numbers;
  return oneCycle(operation, numbers, options, [maxMomentum, baseMomentum, maxMomentum]);
};
