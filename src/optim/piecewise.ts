/** Learning rates put together: of other schedules one after another, and of points. */
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { add, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { greaterEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { checkArgument, sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type CountedSchedule, checkMilestones, passed, scheduleOf } from './decays.js';
import { floatCount } from './leaves.js';
import { choiceOf } from './settings.js';

/**
 * Schedules one after another, each counting from 0 at its own milestone: a warm-up, and what follows.
 *
 * @param schedules at least one
 * @param milestones the number of steps at which each but the first begins, none below the one before
 * @returns a function of the number of steps done
 * @throws ArgumentError for what are no schedules or milestones, and unless there is one milestone less; its function, for a
 *   count that is no tensor and a schedule that gives no tensor of the count's shape
 * @numpy optax.join_schedules
 * @pytorch torch.optim.lr_scheduler.SequentialLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { exponentialLR, linearLR, sequentialLR } from 'tenfold/optim';
 * const warmup = linearLR(8, { startFactor: 0.5, totalIters: 2 });
 * const rate = sequentialLR([warmup, exponentialLR(8, { gamma: 0.5 })], [2]);
 * rate(tensor([0, 1, 2, 3, 4])).toArray(); // => [4, 6, 8, 4, 2]
 * ```
 */
export const sequentialLR = (schedules: readonly CountedSchedule[], milestones: readonly number[]): CountedSchedule => {
  const operation = 'sequentialLR';
  checkArgument(
    Array.isArray(schedules) && schedules.length > 0 && schedules.every(schedule => typeof schedule === 'function'),
    operation,
    `${kindOf(schedules)} as the schedules`,
    'schedules are functions of the count in an array',
    'Write [linearLR(…), cosineAnnealingLR(…)].',
  );
  checkMilestones(operation, milestones);
  checkArgument(
    milestones.length === schedules.length - 1,
    operation,
    `${milestones.length} milestones for ${schedules.length} schedules`,
    'each schedule but the first has a milestone',
    'The milestone is the number of steps at which it begins.',
  );
  return count => {
    const t = floatCount(operation, count);
    const rates = schedules.map((schedule, i) => {
      const rate: unknown = schedule(i === 0 ? t : (sub(t, milestones[i - 1]!) as Tensor));
      checkArgument(
        isTensor(rate) && sameShape(rate.shape, t.shape),
        operation,
        `${isTensor(rate) ? showAval(rate) : kindOf(rate)} from schedule ${i}`,
        'a schedule gives a tensor of the shape of the count',
        'Compute it from the count with add(), mul() ….',
      );
      return rate as Tensor;
    });
    return rates.reduce(
      (before, rate, i) => where(greaterEqual(t, milestones[i - 1]!) as Tensor, rate, before) as Tensor,
    );
  };
};

/** A learning rate from a step on. */
export type RatePoint = readonly [step: number, rate: number];

/**
 * The rate at points, and between them that of the point before or along lines. Before the first point it is that of the
 * first, after the last that of the last.
 *
 * @param points pairs of a step and a rate, in the order of their steps
 * @param options `between`: `'constant'` (the default) or `'linear'`
 * @returns a function of the number of steps done
 * @throws ArgumentError for what are no such points, and for an unknown option; its function, for a count that is no tensor
 * @numpy optax.piecewise_interpolate_schedule
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { piecewiseLR } from 'tenfold/optim';
 * piecewiseLR([[0, 8], [2, 4], [6, 0]])(tensor([0, 1, 2, 4, 9])).toArray(); // => [8, 8, 4, 4, 0]
 * piecewiseLR([[0, 8], [2, 4], [6, 0]], { between: 'linear' })(tensor([0, 1, 2, 4, 9])).toArray(); // => [8, 6, 4, 2, 0]
 * ```
 */
export const piecewiseLR = (
  points: readonly RatePoint[],
  options?: { readonly between?: 'constant' | 'linear' },
): CountedSchedule => {
  const operation = 'piecewiseLR';
  checkOptions(operation, ['between'], options);
  const between = choiceOf(operation, 'between', ['constant', 'linear'], options?.between);
  checkArgument(
    Array.isArray(points) &&
      points.length > 0 &&
      points.every(
        (point, i) =>
          Array.isArray(point) &&
          point.length === 2 &&
          point.every(value => typeof value === 'number' && Number.isFinite(value)) &&
          (i === 0 || point[0] > points[i - 1]![0]),
      ),
    operation,
    `${kindOf(points)} as the points`,
    'points are pairs of a step and a rate, in the order of their steps',
    'Write [[0, 0.1], [1000, 0.01]].',
  );
  const [steps, rates] = [points.map(([step]) => step), points.map(([, rate]) => rate)];
  return scheduleOf(operation, t => {
    const table = (values: readonly number[]): Tensor => tensor(values, { dtype: t.dtype as 'float32' });
    // The first point also stands for all before it.
    const index = cast(passed(t, steps.slice(1)), 'int32') as Tensor;
    const at = (values: readonly number[]): Tensor => take(table(values), index as never) as Tensor;
    if (between === 'constant') return at(rates);
    const slopes = rates.map((rate, i) =>
      i === rates.length - 1 ? 0 : (rates[i + 1]! - rate) / (steps[i + 1]! - steps[i]!),
    );
    const since = sub(where(greaterEqual(t, steps[0]!) as Tensor, t, steps[0]!) as Tensor, at(steps)) as Tensor;
    return add(at(rates), mul(since, at(slopes)) as Tensor) as Tensor;
  });
};
