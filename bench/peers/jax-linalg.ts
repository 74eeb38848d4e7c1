/** Decompositions and Fourier transforms in jax-js. */
import { lax, numpy as np } from '@jax-js/jax';
import type { Decompositions, Transforms } from '../library.js';

type T = np.Array;

const pair = ({ real, imag }: { readonly real: T; readonly imag: T }): readonly T[] => [real, imag];

export const decompositions: Decompositions<T> = {
  cholesky: a => [lax.linalg.cholesky(a!)],
  lu: a => {
    const [packed, pivots, permutation] = lax.linalg.lu(a!);
    pivots.dispose();
    permutation.dispose();
    const n = packed.shape[0]!;
    return [np.tril(packed.ref, -1).add(np.eye(n)), np.triu(packed)];
  },
  triangularSolve: (a, y) => [lax.linalg.triangularSolve(a!, y!, { leftSide: true, lower: true })],
  solve: (a, y) => [np.linalg.solve(a!, y!)],
  inverse: a => [np.linalg.inv(a!)],
  eigh: a => {
    const [values, vectors] = np.linalg.eigh(a!);
    return [values, np.abs(vectors)];
  },
  svd: a => {
    const [u, s, vt] = np.linalg.svd(a!, { fullMatrices: false });
    return [s, np.abs(u), np.abs(vt)];
  },
};

export const transforms: Transforms<T> = {
  fft: (re, im) => pair(np.fft.fft({ real: re!, imag: im! })),
  fft2: (re, im) => pair(np.fft.fft2({ real: re!, imag: im! })),
  rfft: x => pair(np.fft.rfft(x!)),
};
