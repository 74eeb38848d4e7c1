import { add, grad, jit, mul, sum, type Tensor, tensor, vmap } from 'tenfold';
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

  describe('with a norm that rows have at most', () => {
    const rows = [
      [3, 4],
      [0.3, 0.4],
      [0, 0],
      [-6, 8],
    ];
    const table = tensor(rows, { dtype: 'float64' }) as Tensor;
    const indices = at([0, 1, 2, 3, 0]);
    const norms: Readonly<Record<number, (row: readonly number[]) => number>> = {
      1: row => row.reduce((s, v) => s + Math.abs(v), 0),
      2: row => Math.hypot(...row),
      3: row => row.reduce((s, v) => s + Math.abs(v) ** 3, 0) ** (1 / 3),
      [Number.POSITIVE_INFINITY]: row => Math.max(...row.map(Math.abs)),
    };

    it.each([1, 2, 3, Number.POSITIVE_INFINITY])('of order %d, scales those that are longer', normType => {
      const { apply } = embedding(4, 2, { maxNorm: 2, normType });
      // As in PyTorch's embedding_renorm_.
      const factors = rows.map(row => (norms[normType]!(row) > 2 ? 2 / (norms[normType]!(row) + 1e-7) : 1));
      const scaled = rows.map((row, i) => row.map(v => v * factors[i]!));
      expect(factors.filter(factor => factor === 1)).toHaveLength(2);
      close(apply({ weight: table }, indices), [...scaled, scaled[0]!], 1e-12);
      close(jit(apply)({ weight: table }, indices), [...scaled, scaled[0]!], 1e-12);
      const each = vmap((i: Tensor) => apply({ weight: table }, i))(indices) as Tensor;
      close(each, [...scaled, scaled[0]!], 1e-12);
      expect(table.toArray()).toEqual(rows);
    });

    it('has gradients as for constant factors, none for the padding', () => {
      const weights = tensor([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ]);
      const slopes = (paddingIndex: number) => {
        const { apply } = embedding(4, 2, { maxNorm: 5, paddingIndex });
        return grad((w: Tensor) => sum(mul(apply({ weight: w }, indices), weights)) as Tensor)(table).toArray();
      };
      const half = 5 / (10 + 1e-7);
      const last = [7 * half, 8 * half];
      close(slopes(2), [[10, 12], [3, 4], [0, 0], last], 1e-12);
      close(slopes(-1), [
        [10, 12],
        [3, 4],
        [5, 6],
        [0, 0],
      ]);
    });

    it('is 2 as an order if nothing is said; what is not there stays NaN', () => {
      const { apply } = embedding(4, 2, { maxNorm: 1 });
      close(apply({ weight: table }, at([3])), [[-0.6, 0.8]], 1e-6);
      expect(apply({ weight: table }, at([4])).toArray()).toEqual([[Number.NaN, Number.NaN]]);
      close(apply({ weight: add(table, 0) as Tensor }, at([])), []);
    });
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
