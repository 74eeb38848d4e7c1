/** This library's decompositions and Fourier transforms. */
import { abs, cholesky, eigh, fft, fft2, inv, lu, rfft, solve, svd, type Tensor, triangularSolve } from 'tenfold';
import type { Decompositions, Transforms } from '../library.js';

type T = Tensor;

const pair = ({ re, im }: { readonly re: T; readonly im: T }): readonly T[] => [re, im];

export const decompositions: Decompositions<T> = {
  cholesky: a => [cholesky(a!)],
  lu: a => {
    const { l, u } = lu(a!);
    return [l, u];
  },
  triangularSolve: (a, y) => [triangularSolve(a!, y!)],
  solve: (a, y) => [solve(a!, y!)],
  inverse: a => [inv(a!)],
  eigh: a => {
    const { values, vectors } = eigh(a!);
    return [values, abs(vectors)];
  },
  svd: a => {
    const { u, s, vt } = svd(a!);
    return [s, abs(u), abs(vt)];
  },
};

export const transforms: Transforms<T> = {
  fft: (re, im) => pair(fft({ re: re!, im: im! })),
  fft2: (re, im) => pair(fft2({ re: re!, im: im! })),
  rfft: x => pair(rfft(x!)),
};
