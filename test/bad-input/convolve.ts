/** Calls of convolutions by way of spectra that must fail. */
import { fftConvolve, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);

export const convolve: BadInputs = {
  fftConvolve: [
    ...refused(fftConvolve, [[1, 2], x], [x, 2], [2, x], [x, null], [x, x, 2], [x, x, { axis: 1 }]),
    ...refused(fftConvolve, [x, zeros([2, 3], { dtype: 'uint8' })], [x, zeros([3])], [tensor(1), x]),
    ...refused(fftConvolve, [x, zeros([2, 0])], [zeros([0, 3]), x], [x, zeros([3, 3]), { axes: [1] }]),
    ...refused(fftConvolve, ...['none', 1, null, x].map(mode => [x, x, { mode }])),
    ...refused(fftConvolve, ...[1, 'x', null, x, [], [2], [-3], [0, -2], [0.5]].map(axes => [x, x, { axes }])),
    ...refused(fftConvolve, [x, zeros([3, 2]), { mode: 'valid' }]),
  ],
};
