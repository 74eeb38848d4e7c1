/** Operations by themselves in jax-js, which has not all of them. */
import { lax, nn, numpy as np, vjp } from '@jax-js/jax';
import type { OperationName, Operations } from '../library.js';

type T = np.Array;

const pool = (x: T): T => lax.reduceWindow(x, np.max, [1, 1, 2, 2], [1, 1, 2, 2]);

/** The cotangent of the argument of a function. */
export const pullBack = (f: (x: T) => T, x: T, cotangent: T): readonly T[] => {
  const [result, pull] = vjp(f, [x]);
  result.dispose();
  const [gradient] = pull(cotangent);
  pull.dispose();
  return [gradient as T];
};

/** What it lacks. */
export const lacking: readonly string[] = ['addRows', 'upsample'] satisfies readonly OperationName[];

const none = (): never => {
  throw new Error('jax-js does not have it');
};

export const operations: Operations<T> = {
  gelu: x => [nn.gelu(x!, { approximate: false })],
  cumsum: x => [np.cumsum(x!, -1)],
  logsumexp: x => [nn.logsumexp(x!, -1)],
  argmax: x => [np.argmax(x!, -1).astype(np.float32)],
  topK: x => {
    const [values, places] = lax.topK(x!, 10);
    places.dispose();
    return [values];
  },
  sortRows: x => [np.sort(x!, -1)],
  takeRows: (x, i) => [np.take(x!, i!.astype(np.int32), 0)],
  addRows: none,
  maxPool: x => [pool(x!)],
  maxPoolInput: (x, g) => pullBack(pool, x!, g!),
  upsample: none,
  attentionScores: (q, k) => [np.einsum('bqhd,bkhd->bhqk', q!, k!)],
};
