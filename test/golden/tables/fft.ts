/** Fourier transforms. */
import {
  type Complex,
  fft,
  fft2,
  fftfreq,
  fftshift,
  ifft,
  ifft2,
  ifftshift,
  irfft,
  rfft,
  rfftfreq,
  type Tensor,
} from 'tenfold';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { numberOf, numbersOf, stringOf } from '../read.js';

const optionsOf = ({ n, axis, norm }: Args): object => ({
  axis: numberOf(axis),
  norm: stringOf(norm),
  ...(n === null ? {} : { n: numberOf(n) }),
});

const complex =
  (transform: (x: Complex, options: object) => Complex): Operation =>
  ({ re, im }: Inputs, args) => ({ ...transform({ re: re!, im: im! }, optionsOf(args)) });

const grid =
  (transform: (x: Complex, options: object) => Complex): Operation =>
  ({ re, im }: Inputs, { axes, norm }) => ({
    ...transform({ re: re!, im: im! }, { axes: numbersOf(axes), norm: stringOf(norm) }),
  });

export const transforms: Operations = {
  fft: complex(fft),
  ifft: complex(ifft),
  rfft: ({ x }, args) => ({ ...rfft(x as Tensor, optionsOf(args)) }),
  irfft: ({ re, im }, args) => irfft({ re: re!, im: im! }, optionsOf(args)),
  fft2: grid(fft2),
  ifft2: grid(ifft2),
  fftshift: ({ x }) => fftshift(x!),
  ifftshift: ({ x }) => ifftshift(x!),
  fftfreq: (_, { n, d }, __, dtype) => fftfreq(numberOf(n), { d: numberOf(d), dtype }),
  rfftfreq: (_, { n, d }, __, dtype) => rfftfreq(numberOf(n), { d: numberOf(d), dtype }),
};
