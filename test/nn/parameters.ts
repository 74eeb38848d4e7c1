/** Parameters of models and results of theirs, for tests. */
import { abs, isTensor, max, mul, sub, type Tensor } from 'tenfold';
import { foldIn, key, normal } from 'tenfold/random';
import { flatten } from 'tenfold/tree';
import { skeletonOf } from '../../src/nn/skeleton.js';
import { sizeOf } from '../../src/tensor/shape.js';

/** Parameters of the same form, none of them 0. */
export const random = <P>(params: P): P => {
  const flat = flatten(params);
  return flat.unflatten(
    (flat.leaves as readonly Tensor[]).map((leaf, i) => mul(normal(foldIn(key(9), i), leaf.shape), 0.2)),
  ) as P;
};

export const numbers = (x: Tensor): readonly number[] => Array.from(x.dataSync(), Number);

export const apart = (a: Tensor, b: Tensor): number => (max(abs(sub(a, b))) as Tensor).item() as number;

/** How many numbers the parameters have, of which none is drawn. */
export const countOf = (init: (k: ReturnType<typeof key>) => unknown): number =>
  (skeletonOf('test', init).leaves as readonly unknown[]).reduce<number>(
    (total, leaf) => total + (isTensor(leaf) ? sizeOf(leaf.shape) : 0),
    0,
  );
