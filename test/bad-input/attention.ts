/** Calls of attention that must fail. */
import { attention as attend, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

const call = attend as (...args: readonly unknown[]) => unknown;

const x = zeros([2, 5, 3]);
const [bytes, ints] = (['uint8', 'int32'] as const).map(dtype => zeros([5, 5], { dtype }));

export const attention: BadInputs = {
  attention: [
    () => call([[1]], x, x),
    () => call(x, 2, x),
    () => call(x, x, null),
    () => call(zeros([3]), x, x),
    () => call(x, x, zeros([2, 5, 3], { dtype: 'uint8' })),
    () => call(x, zeros([2, 5, 4]), x),
    () => call(x, x, zeros([2, 4, 3])),
    () => call(x, zeros([3, 5, 3]), x),
    () => (call(x, x) as typeof call)('x'),
    () => call(x, x, x, true),
    () => call(x, x, x, { isCausal: true }),
    () => call(x, x, x, { causal: 1 }),
    () => call(x, x, x, { causal: x }),
    () => call(x, x, x, { scale: Number.NaN }),
    () => call(x, x, x, { scale: '1' }),
    () => call(x, x, x, { scale: x }),
    () => call(x, x, x, { mask: [[true]] }),
    () => call(x, x, x, { mask: 0 }),
    () => call(x, x, x, { mask: ints }),
    () => call(x, x, x, { mask: bytes }),
    () => call(x, x, x, { mask: zeros([5, 4]) }),
    () => call(x, x, x, { mask: zeros([3, 2, 5, 5]) }),
  ],
};
