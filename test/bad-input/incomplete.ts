/** Calls of the incomplete gamma and beta functions that must fail. */
import { betainc, gammainc, gammaincc, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const [ints, naturals] = [zeros([3], { dtype: 'int32' }), zeros([3], { dtype: 'uint32' })];

const ofTwo = (f: unknown): BadInputs[string] =>
  refused(f, [[1, 2], x], [x, [1, 2]], [x, '1'], [x, null], [1, 2], [x, zeros([2])], [x, bytes], [ints, naturals]);

export const incomplete: BadInputs = {
  gammainc: ofTwo(gammainc),
  gammaincc: ofTwo(gammaincc),
  betainc: [
    ...refused(betainc, [], [x], [x, x], [1, 2, 0.5], [[1, 2], x, x], [x, '1', x], [x, x, null], [x, x, { x: 1 }]),
    ...refused(betainc, [x, x, zeros([2])], [x, x, bytes], [ints, 1, naturals]),
  ],
};
