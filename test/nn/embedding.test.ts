import { grad, jit, sum, type Tensor, tensor, vmap } from 'tenfold';
import { embedding } from 'tenfold/nn';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const weight = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]) as Tensor;

const at = (indices: readonly number[], dtype: 'int32' | 'uint32' | 'uint8' = 'int32'): Tensor =>
  tensor(indices, { dtype });

describe('embedding', () => {
  it('takes rows, by indices of any integer dtype and shape', () => {
    const { apply } = embedding(3, 2);
    for (const dtype of ['int32', 'uint32', 'uint8'] as const)
      close(apply({ weight }, at([2, 0], dtype)), [
        [5, 6],
        [1, 2],
      ]);
    expect(apply({ weight }, tensor([[0], [1]], { dtype: 'int32' })).shape).toEqual([2, 1, 2]);
    expect(apply({ weight }, tensor(1, { dtype: 'int32' })).toArray()).toEqual([3, 4]);
    expect(apply({ weight }, at([])).shape).toEqual([0, 2]);
  });

  it('adds up the gradients of rows taken twice; none goes to the padding', () => {
    const of = (paddingIndex?: number) => (indices: Tensor) =>
      grad(
        (w: Tensor) =>
          sum(
            embedding(3, 2, paddingIndex === undefined ? {} : { paddingIndex }).apply({ weight: w }, indices),
          ) as Tensor,
      )(weight).toArray();
    expect(of()(at([1, 1, 2]))).toEqual([
      [0, 0],
      [2, 2],
      [1, 1],
    ]);
    for (const padding of [1, -2]) {
      for (const dtype of ['int32', 'uint32', 'uint8'] as const) {
        expect(of(padding)(at([1, 1, 2], dtype))).toEqual([
          [0, 0],
          [0, 0],
          [1, 1],
        ]);
      }
      expect(of(padding)(at([-2, 1, 2, -1]))).toEqual([
        [0, 0],
        [0, 0],
        [2, 2],
      ]);
    }
  });

  it('starts with normal rows, that of the padding 0', () => {
    const rows = embedding(40, 50, { paddingIndex: -1 }).init(key(1)).weight.toArray() as number[][];
    expect(rows.at(-1)).toEqual(Array(50).fill(0));
    const others = rows.slice(0, -1).flat();
    expect(Math.abs(others.reduce((s, v) => s + v, 0) / others.length)).toBeLessThan(0.1);
    expect(Math.abs(others.reduce((s, v) => s + v * v, 0) / others.length - 1)).toBeLessThan(0.1);
  });

  it('works in jit and vmap', () => {
    const { apply } = embedding(3, 2, { paddingIndex: 0 });
    const rows = [
      [5, 6],
      [1, 2],
    ];
    close(jit(apply)({ weight }, at([2, 0])), rows);
    close(vmap((i: Tensor) => apply({ weight }, i))(at([2, 0])) as Tensor, rows);
  });
});
