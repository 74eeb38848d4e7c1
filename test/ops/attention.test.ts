/** Attention beyond the goldens: masks of all kinds, empty rows, broadcasting, transforms. */
import { pipe } from 'fp-ts/lib/function.js';
import { attention, explain, grad, jit, mul, reshape, sum, type Tensor, tensor, vmap, where, zeros } from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const draw = (seed: number, shape: readonly number[]): Tensor =>
  normal(key(seed), shape, { dtype: 'float64' } as never) as Tensor;

type Rows = number[][];

/** Attention of matrices as it is written down. */
const plain = (q: Rows, k: Rows, v: Rows, allowed: (i: number, j: number) => boolean, scale: number): Rows =>
  q.map((row, i) => {
    const weights = k.map((other, j) =>
      allowed(i, j) ? Math.exp(scale * row.reduce((s, x, f) => s + x * other[f]!, 0)) : 0,
    );
    const total = weights.reduce((x, y) => x + y, 0) || 1;
    return v[0]!.map((_, f) => weights.reduce((s, w, j) => s + (w / total) * v[j]![f]!, 0));
  });

const [q, k, v] = [draw(1, [3, 4]), draw(2, [5, 4]), draw(3, [5, 2])];
const rows = [q, k, v].map(x => x.toArray() as Rows) as [Rows, Rows, Rows];

const pattern = [
  [true, false, true, true, false],
  [false, false, false, false, false],
  [true, true, true, false, true],
];
const mask = tensor(pattern) as Tensor;
const added = where(mask, 0, tensor(Number.NEGATIVE_INFINITY, { dtype: 'float64' })) as Tensor;

describe('attention', () => {
  it('of matrices, in both orders', () => {
    const all = plain(...rows, () => true, 0.5);
    close(attention(q, k, v), all, 1e-13);
    close(pipe(q, attention(k, v)), all, 1e-13);
    close(
      pipe(q, attention(k, v, { scale: 2 })),
      plain(...rows, () => true, 2),
      1e-13,
    );
    close(jit((x: Tensor, y: Tensor, z: Tensor) => attention(x, y, z) as Tensor)(q, k, v) as Tensor, all, 1e-13);
  });

  it('a query without keys gets zeros, and nothing flows back from it', () => {
    const wanted = plain(...rows, (i, j) => pattern[i]![j]!, 0.5);
    for (const given of [mask, added]) {
      close(attention(q, k, v, { mask: given }), wanted, 1e-13);
      const of = (x: Tensor): Tensor => sum(attention(x, k, v, { mask: given })) as Tensor;
      const slopes = (grad(of as never)(q) as Tensor).toArray() as Rows;
      expect(slopes[1]).toEqual([0, 0, 0, 0]);
      expect(slopes.flat().every(Number.isFinite)).toBe(true);
      const values = grad(((z: Tensor) => sum(attention(q, k, z, { mask: given }))) as never)(v) as Tensor;
      expect((values.toArray() as Rows).flat().every(Number.isFinite)).toBe(true);
    }
    close(attention(q, zeros([0, 4]), zeros([0, 2])), zeros([3, 2]).toArray() as Rows);
    expect(attention(zeros([0, 4]), k, v).shape).toEqual([0, 2]);
  });

  it('causal counts from the first key, and goes together with a mask', () => {
    close(
      attention(q, k, v, { causal: true }),
      plain(...rows, (i, j) => j <= i, 0.5),
      1e-13,
    );
    const both = plain(...rows, (i, j) => j <= i && pattern[i]![j]!, 0.5);
    for (const given of [mask, added]) close(attention(q, k, v, { causal: true, mask: given }), both, 1e-13);
    // What is masked has no say, however large it is.
    const huge = mul(v, tensor([[1], [1], [1], [1e300], [1e300]], { dtype: 'float64' }) as never) as Tensor;
    close(
      attention(q, k, huge, { causal: true }),
      plain(...rows, (i, j) => j <= i, 0.5),
      1e-13,
    );
  });

  it('leading axes and masks broadcast, batches are vmapped', () => {
    const [many, shared] = [draw(4, [2, 3, 3, 4]), draw(5, [3, 5, 4])];
    const perHead = tensor([[[true, true, false, true, true]]]) as Tensor;
    const whole = attention(many, shared, v, { mask: perHead });
    expect(whole.shape).toEqual([2, 3, 3, 2]);
    const one = (x: Tensor, y: Tensor): Tensor =>
      attention(x, y, v, { mask: reshape(perHead, [5]) as never }) as Tensor;
    const parts = vmap(vmap(one), { in: [0, null] })(many, shared) as Tensor;
    close(parts, whole.toArray() as never, 1e-13);
  });

  it('dtypes meet', () => {
    const single = zeros([3, 4]);
    expect(attention(single, single, single).dtype).toBe('float32');
    expect(attention(single, k, v).dtype).toBe('float64');
    expect(attention(single, single, single, { mask: zeros([3, 3], { dtype: 'float64' }) }).dtype).toBe('float64');
    const ints = zeros([3, 4], { dtype: 'int32' });
    expect(attention(ints, ints, ints).dtype).toBe('float32');
  });

  it('large scores overflow nothing: the best key takes all', () => {
    const scores = rows[0].map(row => rows[1].map(other => row.reduce((s, x, f) => s + x * other[f]!, 0)));
    const best = scores.map(row => rows[2][row.indexOf(Math.max(...row))]!);
    close(attention(q, k, v, { scale: 1e5 }), best, 1e-13);
  });

  it('is two products with one kernel between them', () => {
    const x = zeros([2, 16, 8]) as Tensor;
    const f = (y: Tensor): Tensor => attention(y, y, y, { causal: true }) as Tensor;
    expect(explain(f)(x).report!.steps).toHaveLength(3);
  });
});
