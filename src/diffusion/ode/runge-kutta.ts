/**
 * Initial value problems of samples. A state is a list of tensors [N, …], a time a vector float64 [N]: each sample has its
 * own, so that where it gets does not depend on the samples beside it.
 */
import { arange, tensor, zerosLike } from '../../tensor/ops/creation/creation.js';
import { add, div, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fold } from '../../tensor/transform/loops.js';
import { combine } from '../level.js';

/** What is integrated: tensors [N, …], of any shapes and float dtypes. */
export type OdeState = readonly Tensor[];

/** dy / dt at times [N] and states, in the form of the state. */
export type Slope = (t: Tensor, y: OdeState) => OdeState;

/** What an integration starts from and where it ends. */
export interface InitialValue {
  readonly y: OdeState;
  /** float64 [N]. */
  readonly from: Tensor;
  /** float64 [N]; may be before `from`. */
  readonly to: Tensor;
}

/** What a step of {@link rungeKutta4} has so far. */
interface Stages {
  readonly total: OdeState;
  readonly slope: OdeState;
}

/**
 * The classical method of fourth order, in equal steps: all derivatives, and one copy of the slope in the program.
 *
 * Source: Kutta 1901; Hairer, Nørsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.1.
 */
export const rungeKutta4 = (slope: Slope, { y, from, to }: InitialValue, steps: number): OdeState => {
  const step = div(sub(to, from), steps) as Tensor;
  const rows = {
    share: tensor([0, 1 / 2, 1 / 2, 1], { dtype: 'float64' }) as Tensor,
    weight: tensor([1 / 6, 1 / 3, 1 / 3, 1 / 6], { dtype: 'float64' }) as Tensor,
  };
  const advance = (at: OdeState, index: Tensor): OdeState => {
    const stage = ({ total, slope: last }: Stages, { share, weight }: typeof rows): Stages => {
      const done = div(add(cast(index, 'float64') as Tensor, share), steps) as Tensor;
      const t = add(mul(from, sub(1, done)), mul(to, done)) as Tensor;
      const next = slope(
        t,
        at.map((part, i) => combine([1, part], [mul(step, share), last[i]!])),
      );
      return { total: total.map((part, i) => combine([1, part], [mul(step, weight), next[i]!])), slope: next };
    };
    return fold(stage)({ total: at, slope: at.map(part => zerosLike(part)) }, rows).total;
  };
  return fold(advance)(y, arange(steps, { dtype: 'int32' }) as Tensor);
};
