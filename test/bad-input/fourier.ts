/** Calls of Fourier transforms that must fail. */
import {
  fft,
  fft2,
  fftfreq,
  fftn,
  fftshift,
  ifft,
  ifft2,
  ifftn,
  ifftshift,
  irfft,
  rfft,
  rfftfreq,
  tensor,
  zeros,
} from 'tenfold';
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

const grid = (f: unknown): BadInputs[string] => [
  ...refused(
    f,
    [[1, 2]],
    [2],
    [x, 2],
    [x, { dim: 1 }],
    [x, { n: 2 }],
    [zeros([2, 3], { dtype: 'uint8' })],
    [zeros([0, 2])],
  ),
  ...refused(f, ...[[2], [0, 0], [0, -2], [0.5], 1, 'x', null, x].map(axes => [x, { axes }])),
  ...refused(f, ...[[0, 2], [2, 2, 2], [1.5, 2], 4, '4', null, x].map(s => [x, { s }])),
  ...refused(f, [x, { s: [2], axes: [0, 1] }], ...['none', 1, null].map(norm => [x, { norm }])),
  ...refused(f, [{ re: x }], [{ re: x, im: zeros([3]) }]),
];

const frequencies = (f: unknown): BadInputs[string] => [
  ...refused(f, ...[0, -1, 1.5, Number.NaN, '4', null, undefined, x].map(n => [n])),
  ...refused(f, ...[0, Number.NaN, Number.POSITIVE_INFINITY, '1', null, x].map(d => [4, { d }])),
  ...refused(f, [4, { dtype: 'int32' }], [4, { n: 2 }], [4, 2]),
];

const shifts = (f: unknown): BadInputs[string] =>
  refused(f, [[1, 2]], [2], [x, 2], [x, { axis: 1 }], ...[2, [0, 2], 0.5, '1', x].map(axes => [x, { axes }]));

export const fourier: BadInputs = {
  fftn: grid(fftn),
  ifftn: grid(ifftn),
  fft2: [...grid(fft2), ...refused(fft2, [zeros([3])])],
  ifft2: [...grid(ifft2), ...refused(ifft2, [zeros([3])])],
  fftfreq: frequencies(fftfreq),
  rfftfreq: frequencies(rfftfreq),
  fftshift: shifts(fftshift),
  ifftshift: shifts(ifftshift),
  fft: complex(fft),
  ifft: complex(ifft),
  rfft: [...common(rfft), ...refused(rfft, [{ re: x, im: x }])],
  irfft: [...complex(irfft), ...refused(irfft, [zeros([1])])],
};
