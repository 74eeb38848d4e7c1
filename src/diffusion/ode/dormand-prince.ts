/** The method of Dormand and Prince with steps of its own choice for each sample, as a loop in the graph. */
import type { FloatDType } from '../../tensor/dtype.js';
import { arange, tensor, zeros } from '../../tensor/ops/creation/creation.js';
import {
  abs,
  add,
  div,
  maximum,
  minimum,
  mul,
  pow,
  sign,
  square,
  sub,
} from '../../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../../tensor/ops/elementwise/cast.js';
import {
  any,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
  where,
} from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd, logicalNot, logicalOr } from '../../tensor/ops/elementwise/logic.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { expandDims, reshape } from '../../tensor/ops/movement/movement.js';
import { mean, sum } from '../../tensor/ops/reduction/reduction.js';
import { range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fold, whileLoop } from '../../tensor/transform/loops.js';
import { combine } from '../level.js';
import type { InitialValue, OdeState, Slope } from './runge-kutta.js';
import type { Tolerances } from './tolerances.js';

/** Where an integration starts, with the slope there. */
interface Start extends InitialValue {
  readonly slope: OdeState;
}

/** Where an integration got, with the slope there. NaN for samples that did not get to the end. */
interface Solution {
  readonly y: OdeState;
  readonly slope: OdeState;
}

// Dormand & Prince 1980, table 2: where the stages are, what they are made of, and the error of the last one.
const places = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const weights = [
  [1 / 5, 0, 0, 0, 0, 0, 0],
  [3 / 40, 9 / 40, 0, 0, 0, 0, 0],
  [44 / 45, -56 / 15, 32 / 9, 0, 0, 0, 0],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0, 0],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0, 0],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
];
const errors = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];
const stages = errors.length;

/** What the loop over steps carries. */
interface Progress {
  readonly t: Tensor;
  /** The size of the next step. */
  readonly size: Tensor;
  readonly y: OdeState;
  readonly slope: OdeState;
  /** Whether the last step was refused. */
  readonly refused: Tensor;
  readonly tried: Tensor;
}

/** What the loop over stages carries: slopes [7, N, …], of which the later ones are still 0, and the last argument. */
interface Tried {
  readonly slopes: OdeState;
  readonly y: OdeState;
}

// How much shorter than estimated steps are taken, and how much they may change at once: Hairer, Nørsett & Wanner, (4.13).
const [safety, smallestFactor, largestFactor] = [0.9, 0.2, 5];

const float64 = { dtype: 'float64' } as const;

/** A vector [N] against [N, …]. */
const beside = (vector: Tensor, x: Tensor): Tensor =>
  reshape(vector, [vector.shape[0]!, ...x.shape.slice(1).map(() => 1)]) as Tensor;

/** A vector of stages against [7, N, …]. */
const overStages = (vector: Tensor, slopes: Tensor): Tensor =>
  reshape(vector, [stages, ...slopes.shape.slice(1).map(() => 1)]) as Tensor;

const weighted = (slopes: Tensor, weight: Tensor): Tensor =>
  sum(mul(slopes, overStages(cast(weight, slopes.dtype) as Tensor, slopes)), { axis: 0 }) as Tensor;

const pick = (chosen: Tensor, yes: OdeState, no: OdeState): OdeState =>
  yes.map((part, i) => where(beside(chosen, part), part, no[i]!) as Tensor);

/** The largest of the parts' root mean squares, measured by what is tolerated; float64 [N]. */
const normOf = (parts: OdeState, tolerated: OdeState): Tensor =>
  parts
    .map((part, i) => {
      // Steps of other sizes lead to the same end, so sizes have no derivatives: those of this root at 0 are infinite.
      const relative = stopGradient(div(cast(part, 'float64'), tolerated[i]!)) as Tensor;
      return sqrt(mean(square(relative), { axis: range(part.shape.length).slice(1) }) as Tensor) as Tensor;
    })
    .reduce((a, b) => maximum(a, b) as Tensor);

const toleratedAt = ({ rtol, atol }: Tolerances, ...states: readonly OdeState[]): OdeState =>
  states[0]!.map((_, i) => {
    const sizes = states.map(state => abs(cast(state[i]!, 'float64') as Tensor) as Tensor);
    return add(
      mul(
        sizes.reduce((a, b) => maximum(a, b) as Tensor),
        rtol,
      ),
      atol,
    ) as Tensor;
  });

/** The first step, by Hairer, Nørsett & Wanner 1993, section II.4. */
const firstSize = (f: Slope, { y, from, to, slope }: Start, tolerances: Tolerances): Tensor => {
  const tolerated = toleratedAt(tolerances, y);
  const [value, change] = [normOf(y, tolerated), normOf(slope, tolerated)];
  const sizeable = logicalAnd(greaterEqual(value, 1e-5), greaterEqual(change, 1e-5));
  const guess = minimum(where(sizeable, mul(div(value, change), 0.01), 1e-6), abs(sub(to, from))) as Tensor;
  const move = mul(guess, sign(sub(to, from))) as Tensor;
  const moved = f(
    add(from, move) as Tensor,
    y.map((part, i) => combine([1, part], [move, slope[i]!])),
  );
  const apart = moved.map((part, i) => sub(part, slope[i]!) as Tensor);
  const bend = maximum(change, div(normOf(apart, tolerated), guess)) as Tensor;
  const size = where(lessEqual(bend, 1e-15), maximum(mul(guess, 1e-3), 1e-6), pow(div(0.01, bend), 1 / 5));
  return minimum(mul(guess, 100), size) as Tensor;
};

/**
 * Integrates with error estimates of fourth order for steps of fifth. Each sample's steps are its own: those that are done
 * stay as they are until the last one is.
 *
 * Sources: Dormand & Prince 1980, "A family of embedded Runge-Kutta formulae", RK5(4)7M; the choice of steps is that of
 * Hairer, Nørsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.4.
 *
 * @returns NaN for samples that were not done after `maxSteps` steps, or whose steps became too small to make any
 */
export const integrate = (f: Slope, start: Start, tolerances: Tolerances): Solution => {
  const { from, to } = start;
  const way = sign(sub(to, from)) as Tensor;
  // Below this a step is lost in the rounding of t.
  const least = mul(abs(sub(to, from)), 2 ** -52) as Tensor;
  const goesOn = ({ t, size }: Progress): Tensor => logicalAnd(notEqual(t, to), greater(size, least)) as Tensor;
  const rows = {
    number: arange(1, stages, { dtype: 'int32' }) as Tensor,
    place: tensor(places, float64) as Tensor,
    weight: tensor(weights, float64) as Tensor,
  };

  const numbers = arange(stages, { dtype: 'int32' }) as Tensor;
  const put = (slopes: Tensor, number: Tensor | number, slope: Tensor): Tensor =>
    where(overStages(equal(numbers, number as Tensor) as Tensor, slopes), expandDims(slope, 0), slopes) as Tensor;

  const advance = (at: Progress): Progress => {
    const { t, y, tried } = at;
    const active = goesOn(at);
    const left = abs(sub(to, t)) as Tensor;
    const size = where(active, minimum(at.size, left), 0) as Tensor;
    const step = mul(size, way) as Tensor;
    const next = where(greaterEqual(at.size, left), to, add(t, step)) as Tensor;
    const stage = ({ slopes }: Tried, { number, place, weight }: typeof rows): Tried => {
      const argument = y.map((part, i) => combine([1, part], [step, weighted(slopes[i]!, weight)]));
      const slope = f(where(equal(place, 1), next, add(t, mul(step, place))) as Tensor, argument);
      return { slopes: slopes.map((all, i) => put(all, number, slope[i]!)), y: argument };
    };
    const begun = at.slope.map(part =>
      put(zeros([stages, ...part.shape], { dtype: part.dtype as FloatDType }) as Tensor, 0, part),
    );
    const { slopes, y: reached } = fold(stage)({ slopes: begun, y }, rows);
    const estimate = slopes.map(all => combine([step, weighted(all, tensor(errors, float64))]));
    const measured = normOf(estimate, toleratedAt(tolerances, y, reached));
    // A step to where something is not finite is refused like one with an infinite error, and a shorter one tried.
    const error = where(equal(measured, measured), measured, Number.POSITIVE_INFINITY) as Tensor;
    const good = lessEqual(error, 1) as Tensor;
    const most = where(logicalOr(at.refused, logicalNot(good)), 1, largestFactor) as Tensor;
    const factor = minimum(maximum(mul(pow(error, -1 / 5), safety), smallestFactor), most) as Tensor;
    const accepted = logicalAnd(active, good) as Tensor;
    return {
      t: where(accepted, next, t) as Tensor,
      size: where(active, mul(size, factor), at.size) as Tensor,
      y: pick(accepted, reached, y),
      slope: pick(
        accepted,
        slopes.map(all => take(all, -1) as Tensor),
        at.slope,
      ),
      refused: logicalAnd(active, logicalNot(good)) as Tensor,
      tried: add(tried, 1) as Tensor,
    };
  };

  const tries = (at: Progress): Tensor => logicalAnd(any(goesOn(at)), less(at.tried, tolerances.maxSteps)) as Tensor;
  const end = whileLoop(
    tries,
    advance,
  )({
    t: from,
    size: firstSize(f, start, tolerances),
    y: start.y,
    slope: start.slope,
    refused: notEqual(from, from) as Tensor,
    tried: tensor(0, { dtype: 'int32' }) as Tensor,
  });
  const done = equal(end.t, to) as Tensor;
  const finished = (parts: OdeState): OdeState =>
    parts.map(part => where(beside(done, part), part, Number.NaN) as Tensor);
  return { y: finished(end.y), slope: finished(end.slope) };
};
