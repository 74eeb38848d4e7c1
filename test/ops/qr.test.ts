/** Orthogonal factors beyond the goldens. */
import {
  add,
  eye,
  grad,
  jit,
  matmul,
  mul,
  ones,
  type QrMode,
  qr,
  reshape,
  sin,
  slice,
  sub,
  sum,
  swapAxes,
  type Tensor,
  tensor,
  vmap,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { close } from '../helpers.js';

type DType = 'float32' | 'float64';

const matrix = (shape: readonly number[], dtype: DType = 'float64', scale = 1): Tensor => {
  const count = shape.reduce((x, y) => x * y, 1);
  const values = Array.from({ length: count }, (_, i) => scale * Math.sin(7 * i + 3 * Math.cos(5 * i)));
  return tensor(Float64Array.from(values), shape, { dtype }) as Tensor;
};

const factors = (a: Tensor, mode: 'reduced' | 'complete' = 'reduced') => qr(a, { mode }) as { q: Tensor; r: Tensor };

const check = (a: Tensor, mode: 'reduced' | 'complete', scale = 1): void => {
  const tolerance = a.dtype === 'float64' ? 1e-13 : 1e-6;
  for (const backend of [wasmBackend, referenceBackend]) {
    const { q, r } = factors(a, mode);
    const [m, n] = a.shape.slice(-2) as [number, number];
    const k = mode === 'complete' ? m : Math.min(m, n);
    evaluate([nodeOf(q), nodeOf(r)], backend);
    expect([q.shape, r.shape]).toEqual([
      [...a.shape.slice(0, -1), k],
      [...a.shape.slice(0, -2), k, n],
    ]);
    close(mul(matmul(q, r), 1 / scale) as Tensor, mul(a, 1 / scale).toArray() as never, tolerance);
    const one = mul(
      ones([...a.shape.slice(0, -2), 1, 1], { dtype: a.dtype as DType }),
      eye(k, { dtype: a.dtype as DType }),
    );
    close(matmul(swapAxes(q, -1, -2) as Tensor, q), one.toArray() as never, tolerance);
    const flat = reshape(r, [
      a.shape.slice(0, -2).reduce((x, y) => x * y, 1),
      k,
      n,
    ]).toArray() as unknown as number[][][];
    for (const rows of flat) {
      rows.forEach((row, i) => {
        expect(row.slice(0, i).every(x => x === 0)).toBe(true);
        if (i < n) expect(row[i]).toBeGreaterThanOrEqual(0);
      });
    }
  }
};

describe('factors', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    for (const shape of [
      [4, 4],
      [6, 3],
      [3, 5],
      [1, 4],
      [4, 1],
      [1, 1],
      [2, 3, 4, 2],
      [0, 2],
      [2, 0],
      [0, 3, 2],
    ]) {
      it(`${dtype} [${shape.join(', ')}]`, () => {
        for (const mode of ['reduced', 'complete'] as const) check(matrix(shape, dtype), mode);
      });
    }
  }
  it('without full rank', () => {
    const twice = tensor(
      [
        [1, 2, 3],
        [2, 4, 6],
        [0, 0, 1],
        [1, 2, 0],
      ],
      { dtype: 'float64' },
    ) as Tensor;
    const zero = mul(twice, 0) as Tensor;
    for (const a of [twice, zero]) for (const mode of ['reduced', 'complete'] as const) check(a, mode);
  });
  it('of huge and tiny numbers', () => {
    for (const scale of [1e300, 1e-290]) check(matrix([4, 3], 'float64', scale), 'reduced', scale);
    for (const scale of [1e37, 1e-30]) check(matrix([4, 3], 'float32', scale), 'reduced', scale);
  });
  it('NaN stays in its matrix', () => {
    const a = tensor([
      [
        [1, Number.NaN],
        [2, 3],
      ],
      [
        [0, 2],
        [1, 1],
      ],
    ]) as Tensor;
    const { q, r } = factors(a);
    expect(Number.isNaN((r.toArray() as unknown as number[][][])[0]![0]![1])).toBe(true);
    close(slice(q, [1]) as Tensor, [
      [
        [0, 1],
        [1, 0],
      ],
    ]);
  });
  it('r alone', () => {
    const a = matrix([5, 3]);
    close(qr(a, { mode: 'r' as QrMode }) as Tensor, factors(a).r.toArray() as never, 0);
  });
  it('jit and vmap', () => {
    const a = matrix([3, 4, 2]);
    const f = (x: Tensor): Tensor => factors(x).q;
    close(vmap(f as never)(a as never) as Tensor, f(a).toArray() as never, 1e-14);
    close((jit(f as never) as typeof f)(a), f(a).toArray() as never, 1e-14);
  });
});

const loss =
  (mode: 'reduced' | 'complete') =>
  (a: Tensor): Tensor => {
    const { q, r } = factors(a, mode);
    const weighted = (x: Tensor): Tensor => sum(mul(sin(x), matrix(x.shape)) as Tensor) as Tensor;
    return add(weighted(q), weighted(r)) as Tensor;
  };

const slopes = (f: (x: Tensor) => Tensor, a: Tensor): number[] => {
  const data = Array.from(a.dataSync());
  const at = (i: number, step: number): Tensor =>
    tensor(
      Float64Array.from(data, (x, k) => (k === i ? x + step : x)),
      a.shape,
      { dtype: 'float64' },
    ) as Tensor;
  return data.map((_, i) => (sub(f(at(i, 1e-5)), f(at(i, -1e-5))).item() as number) / 2e-5);
};

describe('derivatives', () => {
  const gradient = (f: (x: Tensor) => Tensor, a: Tensor): Tensor => grad(f as never)(a as never) as Tensor;
  for (const mode of ['reduced', 'complete'] as const) {
    for (const shape of [
      [3, 3],
      [4, 2],
      [2, 4],
      [2, 3, 2],
    ]) {
      it(`${mode} [${shape.join(', ')}], first and second`, () => {
        const a = matrix(shape);
        const f = loss(mode);
        close(reshape(gradient(f, a), [-1]) as Tensor, slopes(f, a), 1e-7);
        const g = (x: Tensor): Tensor => sum(mul(gradient(f, x), matrix(shape)) as Tensor) as Tensor;
        close(reshape(gradient(g, a), [-1]) as Tensor, slopes(g, a), 1e-5);
      });
    }
  }
});
