/** This library's operations by themselves. */
import {
  argmax,
  cast,
  cumsum,
  einsum,
  gelu,
  interpolate,
  logsumexp,
  maxPool2d,
  scatterAdd,
  sort,
  type Tensor,
  take,
  topK,
  vjp,
  zeros,
} from 'tenfold';
import { type Operations, segments } from '../library.js';

type T = Tensor;

const rows = { axis: -1 } as const;
const indices = (i: T) => cast(i, 'int32');
const pool = (x: T): T => maxPool2d(x, 2) as T;

export const operations: Operations<T> = {
  gelu: x => [gelu(x!)],
  cumsum: x => [cumsum(x!)],
  logsumexp: x => [logsumexp(x!, rows)],
  argmax: x => [cast(argmax(x!, rows), 'float32')],
  topK: x => [topK(x!, 10).values],
  sortRows: x => [sort(x!)],
  takeRows: (x, i) => [take(x!, indices(i!))],
  addRows: (updates, i) => [scatterAdd(zeros([segments, updates!.shape[1]!]), indices(i!), updates!)],
  maxPool: x => [pool(x!)],
  maxPoolInput: (x, g) => vjp(pool, x!)[1](g!),
  upsample: x => [interpolate(x!, { scale: 2, mode: 'bilinear' })],
  attentionScores: (q, k) => [einsum('bqhd,bkhd->bhqk', q!, k!)],
};
