/** Draws of several parts of a step, none of which gets what another one gets. */
import { add, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Step } from '../sampler.js';

/**
 * The draws of one of several parts: its draw d is number `count · d + part`. What is only known in a loop is an int32
 * scalar.
 *
 * @param count of parts
 */
export const lane =
  (noise: Step['noise'], count: number, part: number | Tensor): Step['noise'] =>
  (draw = 0) => {
    if (typeof draw !== 'number') return noise(add(mul(draw, count), part as Tensor) as Tensor);
    return noise(typeof part === 'number' ? count * draw + part : (add(part, count * draw) as Tensor));
  };
