/** Calls of Fourier transforms that must fail. */
import { fft, ifft, irfft, rfft, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);

/** What no transform takes. */
const common = (f: unknown): BadInputs[string] => [
  ...refused(f, [[1, 2]], [2], [x, 2], [x, { dim: 1 }], [zeros([2, 3], { dtype: 'uint8' })], [tensor(1)], [zeros([0])]),
  ...refused(f, ...[0, -1, 1.5, Number.NaN, '4', x].map(n => [x, { n }])),
  ...refused(f, ...[2, -3, 0.5, '1', x].map(axis => [x, { axis }])),
  ...refused(f, ...['none', 1, null].map(norm => [x, { norm }])),
];

const complex = (f: unknown): BadInputs[string] => [
  ...common(f),
  ...refused(f, [{ re: x }], [{ re: x, im: 0 }], [{ re: x, im: zeros([3]) }], [{ re: x, im: x }, 2]),
];

export const fourier: BadInputs = {
  fft: complex(fft),
  ifft: complex(ifft),
  rfft: [...common(rfft), ...refused(rfft, [{ re: x, im: x }])],
  irfft: [...complex(irfft), ...refused(irfft, [zeros([1])])],
};
