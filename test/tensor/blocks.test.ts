/** Decompositions of matrices so large that they are cut into blocks. */
import { add, eye, matmul, mul, slice, sub, swapAxes, type Tensor, take, tensor, tril, triu } from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { results } from '../../src/tensor/primitives/results.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';

const dtypes = ['float32', 'float64'] as const;
/** Units in the last place of the largest element, a generous constant times √n: a bound of rounding, not of a wrong block. */
const tolerance = { float32: 2 ** -24, float64: 2 ** -53 };

const largest = (x: Tensor): number => Math.max(...Array.from(x.dataSync() as Float64Array, Math.abs));

/** The same on both backends, compared with the largest element. */
const difference = (make: () => Tensor): number => {
  const [got, wanted] = [wasmBackend, referenceBackend].map(backend => {
    const x = make();
    evaluate([nodeOf(x)], backend);
    return x;
  }) as [Tensor, Tensor];
  return largest(sub(got, wanted) as Tensor) / largest(wanted);
};

describe.each(dtypes)('in %s', dtype => {
  const draw = (seed: number, ...shape: number[]): Tensor => {
    const x = normal(key(seed), shape, { dtype }) as Tensor;
    x.dataSync();
    return x;
  };
  const identity = (n: number): Tensor => eye(n, { dtype }) as Tensor;
  const positive = (n: number, ...batch: number[]): Tensor => {
    const x = draw(n, ...batch, n, n);
    const square = add(matmul(x, swapAxes(x, -1, -2)), mul(identity(n), n)) as Tensor;
    square.dataSync();
    return square;
  };
  const bound = (n: number): number => 20 * Math.sqrt(n) * tolerance[dtype];

  it.each([[65], [96], [130], [201], [70, 3]])('cholesky of %j', (n, ...batch) => {
    const x = positive(n!, ...(batch as number[]));
    expect(difference(() => wrap(b.cholesky(nodeOf(x))) as Tensor)).toBeLessThan(bound(n!));
  });

  it('cholesky is NaN from the first pivot on that is not positive, however it is cut', () => {
    const [n, at] = [130, 100];
    const data = new Float64Array(n * n);
    for (let i = 0; i < n; i++) data[i * n + i] = i === at ? -1 : 1;
    const l = wrap(b.cholesky(nodeOf(tensor(data, [n, n], { dtype }) as Tensor))).toArray() as number[][];
    l.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(Number.isNaN(value), `${i}, ${j}`).toBe(j >= at && j <= i);
      });
    });
  });

  const systems = [false, true].flatMap(upper =>
    [false, true].flatMap(transpose => [false, true].map(unit => ({ upper, transpose, unit }))),
  );
  it.each(systems)('triangular systems %j', params => {
    const n = 150;
    const a = add(mul(draw(1, n, n), 1 / n), identity(n)) as Tensor;
    const y = draw(2, n, 7);
    a.dataSync();
    expect(difference(() => wrap(b.triangularSolve(nodeOf(a), nodeOf(y), params)) as Tensor)).toBeLessThan(bound(n));
  });

  it.each([
    [65, 65],
    [150, 150],
    [200, 70],
    [70, 200],
    [129, 300],
  ])('lu of %j × %j', (m, n) => {
    const x = draw(3, m, n);
    const [packed, order] = results(b, b.lu(nodeOf(x))).map(wrap) as [Tensor, Tensor];
    const k = Math.min(m, n);
    const columns = slice(packed, [0, 0], [m, k]) as Tensor;
    const rows = slice(packed, [0, 0], [k, n]) as Tensor;
    const l = add(tril(columns, { k: -1 }), slice(identity(m), [0, 0], [m, k])) as Tensor;
    const u = triu(rows) as Tensor;
    const error = largest(sub(matmul(l, u), take(x, order as never, { axis: 0 })) as Tensor);
    expect(error / largest(x)).toBeLessThan(bound(k) * 10);
    expect(largest(tril(columns, { k: -1 }) as Tensor)).toBeLessThanOrEqual(1);
    expect([...(order.dataSync() as Int32Array)].sort((p, q) => p - q)).toEqual(Array.from({ length: m }, (_, i) => i));
  });
});
