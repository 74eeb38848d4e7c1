/** Fourier transforms in TensorFlow.js, which has no decomposition but QR. */
import * as tf from '@tensorflow/tfjs-core';
import type { DecompositionName, Decompositions, Transforms } from '../library.js';

type T = tf.Tensor;

const pair = (z: T): readonly T[] => [tf.real(z), tf.imag(z)];

const swapped = (z: T): T => tf.complex(tf.transpose(tf.real(z)), tf.transpose(tf.imag(z)));

const none = (): never => {
  throw new Error('tfjs does not have it');
};

export const decompositions: Decompositions<T> = {
  cholesky: none,
  lu: none,
  triangularSolve: none,
  solve: none,
  inverse: none,
  eigh: none,
  svd: none,
};

export const isDecomposition = (program: string): program is DecompositionName => program in decompositions;

export const transforms: Transforms<T> = {
  fft: (re, im) => pair(tf.spectral.fft(tf.complex(re!, im!))),
  fft2: (re, im) => pair(swapped(tf.spectral.fft(swapped(tf.spectral.fft(tf.complex(re!, im!)))))),
  rfft: x => pair(tf.spectral.rfft(x!)),
};
