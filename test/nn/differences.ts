/** Derivatives of trees of float64 against differences. */
import { add, cast, grad, jit, mul, sum, type Tensor } from 'tenfold';
import { foldIn, key, normal } from 'tenfold/random';
import { flatten, map } from 'tenfold/tree';
import { expect } from 'vitest';

/** The tree in float64. */
export const float64 = <P>(params: P): P => map(params as never, leaf => cast(leaf as Tensor, 'float64')) as P;

/** Expects that the derivative along a random direction in each leaf is that of central differences, and not 0. */
export const asDifferences = <P>(loss: (params: P) => Tensor, params: P): void => {
  const own = float64(params);
  const slopes = flatten(grad(loss as never)(own as never)).leaves as readonly Tensor[];
  const flat = flatten(own);
  const leaves = flat.leaves as readonly Tensor[];
  const run = jit(loss as never) as (params: P) => Tensor;
  const step = 1e-5;
  for (const [i, slope] of slopes.entries()) {
    const way = normal(foldIn(key(5), i), slope.shape, { dtype: 'float64' }) as Tensor;
    const at = (by: number): number =>
      run(flat.unflatten(leaves.map((leaf, j) => (j === i ? add(leaf, mul(way, by)) : leaf))) as P).item() as number;
    const wanted = (at(step) - at(-step)) / (2 * step);
    const got = sum(mul(slope, way)).item() as number;
    expect(Math.abs(got - wanted), String(flat.paths[i])).toBeLessThan(1e-7 * (1 + Math.abs(wanted)));
    expect(Math.abs(got), String(flat.paths[i])).toBeGreaterThan(0);
  }
};
