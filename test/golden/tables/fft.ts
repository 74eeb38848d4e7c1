/** Fourier transforms. */
import { type Complex, fft, ifft, irfft, rfft, type Tensor } from 'tenfold';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { numberOf, stringOf } from '../read.js';

const optionsOf = ({ n, axis, norm }: Args): object => ({
  axis: numberOf(axis),
  norm: stringOf(norm),
  ...(n === null ? {} : { n: numberOf(n) }),
});

const complex =
  (transform: (x: Complex, options: object) => Complex): Operation =>
  ({ re, im }: Inputs, args) => ({ ...transform({ re: re!, im: im! }, optionsOf(args)) });

/** Those whose cases wait. */
export const missing: readonly string[] = ['fft2', 'ifft2', 'fftshift', 'ifftshift', 'fftfreq', 'rfftfreq'];

export const transforms: Operations = {
  fft: complex(fft),
  ifft: complex(ifft),
  rfft: ({ x }, args) => ({ ...rfft(x as Tensor, optionsOf(args)) }),
  irfft: ({ re, im }, args) => irfft({ re: re!, im: im! }, optionsOf(args)),
};
