import { pipe } from 'fp-ts/lib/function.js';
import {
  cumargmax,
  cumargmin,
  cumlogsumexp,
  cummax,
  cummin,
  cumprod,
  cumsum,
  flip,
  grad,
  hessian,
  jit,
  linearRecurrence,
  logsumexp,
  mul,
  slice,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

type Scan = (x: Tensor, options?: { axis?: number; reverse?: boolean }) => Tensor;

const rows = [
  [2, -1, 3, 3],
  [0.5, 4, -2, 4],
];
const x = tensor(rows);

const scans: readonly (readonly [string, Scan, (so: readonly number[]) => number])[] = [
  ['cumsum', cumsum, so => so.reduce((p, q) => p + q)],
  ['cumprod', cumprod, so => so.reduce((p, q) => p * q)],
  ['cummax', cummax, so => Math.max(...so)],
  ['cummin', cummin, so => Math.min(...so)],
  ['cumargmax', cumargmax, so => so.lastIndexOf(Math.max(...so))],
  ['cumargmin', cumargmin, so => so.lastIndexOf(Math.min(...so))],
  ['cumlogsumexp', cumlogsumexp, so => Math.log(so.reduce((p, q) => p + Math.exp(q), 0))],
];

const along = (row: readonly number[], f: (so: readonly number[]) => number): number[] =>
  row.map((_, i) => f(row.slice(0, i + 1)));

describe.each(scans)('%s', (name, scan, f) => {
  const expected = rows.map(row => along(row, f));
  const columns = rows[0]!.map((_, j) => along([rows[0]![j]!, rows[1]![j]!], f));

  it('goes along the last axis, or another', () => {
    close(scan(x), expected);
    close(scan(x, { axis: 0 }), [columns.map(c => c[0]!), columns.map(c => c[1]!)]);
    close(pipe(x, (scan as unknown as (o: object) => (x: Tensor) => Tensor)({ axis: -1 })), expected);
  });

  it('goes backwards', () => {
    const turned = scan(flip(x, [1]) as Tensor);
    const back = flip(turned, [1]) as Tensor;
    const wanted = name.startsWith('cumarg')
      ? (back.toArray() as number[][]).map(row => row.map(place => 3 - place))
      : back;
    close(scan(x, { reverse: true }), 'shape' in wanted ? (wanted.toArray() as number[][]) : wanted);
  });

  it('is the same under jit and vmap, and of nothing nothing', () => {
    close(jit((y: Tensor) => scan(y))(x), expected);
    close(vmap((y: Tensor) => scan(y))(x), expected);
    expect(scan(zeros([2, 0]) as Tensor).shape).toEqual([2, 0]);
    expect(scan(zeros([0, 3]) as Tensor, { axis: 1 }).shape).toEqual([0, 3]);
  });
});

describe('derivatives', () => {
  const weights = tensor([1, 10, 100, 1000]);
  const weighted =
    (scan: Scan, reverse = false) =>
    (y: Tensor): Tensor =>
      sum(mul(scan(y, { reverse }), weights)) as Tensor;

  it('of running sums', () => {
    close(grad(weighted(cumsum))(tensor([5, 6, 7, 8])), [1111, 1110, 1100, 1000]);
    close(grad(weighted(cumsum, true))(tensor([5, 6, 7, 8])), [1, 11, 111, 1111]);
  });

  it('of running products with zeros', () => {
    // 1·a + 10·ab + 100·abc + 1000·abcd
    const [a, b, c, d] = [2, 0, 3, 0] as const;
    close(grad(weighted(cumprod))(tensor([a, b, c, d])), [
      1 + 10 * b + 100 * b * c + 1000 * b * c * d,
      10 * a + 100 * a * c + 1000 * a * c * d,
      100 * a * b + 1000 * a * b * d,
      1000 * a * b * c,
    ]);
    close(hessian(weighted(cumprod))(tensor([a, b, c, d])) as Tensor, [
      [0, 310, 0, 0],
      [310, 0, 200, 6000],
      [0, 200, 0, 0],
      [0, 6000, 0, 0],
    ]);
  });

  it('of running extremes go to the latest of them', () => {
    close(grad(weighted(cummax))(tensor([2, 1, 2, 5])), [11, 0, 100, 1000]);
    close(grad(weighted(cummin, true))(tensor([2, 1, 2, 1])), [0, 11, 0, 1100]);
  });

  it('of cumlogsumexp are those of logsumexp', () => {
    const y = tensor([300, -500, 301, -Infinity]);
    close(cumlogsumexp(y), [300, 300, 301 + Math.log(1 + Math.exp(-1)), 301 + Math.log(1 + Math.exp(-1))]);
    for (const k of [1, 2, 3, 4]) {
      const one = grad((z: Tensor) => sum(slice(cumlogsumexp(z), [k - 1], [k])))(y);
      const whole = grad((z: Tensor) => logsumexp(slice(z, [0], [k])))(y);
      close(one, whole.toArray() as number[]);
    }
    close(cumlogsumexp(tensor([-Infinity, -Infinity, 0, Infinity, 1])), [-Infinity, -Infinity, 0, Infinity, Infinity]);
    close(grad((z: Tensor) => sum(cumlogsumexp(z)))(tensor([-Infinity, -Infinity])), [0, 0]);
  });
});

describe('linearRecurrence', () => {
  it('recurs', () => {
    const factors = tensor([9, 0.5, 2, 0]);
    const y = tensor([4, 1, 1, 1]);
    close(linearRecurrence(y, factors), [4, 3, 7, 1]);
    close(linearRecurrence(y, factors, { reverse: true }), [4 + 9 * 2.5, 2.5, 3, 1]);
    close(pipe(y, linearRecurrence(factors)), [4, 3, 7, 1]);
    close(
      grad((a: Tensor) => sum(linearRecurrence(y, a)))(factors),
      // dh1 = h0, and what comes of it; dh2 = h1; dh3 = h2.
      [0, 4 + 4 * 2, 3, 7],
    );
  });
});

it('keeps NaN from where it is', () => {
  close(cumsum(tensor([1, NaN, 2])), [1, NaN, NaN]);
  close(cummax(tensor([1, NaN, 2])), [1, NaN, NaN]);
  expect(cumargmin(tensor([1, NaN, 2, NaN])).toArray()).toEqual([0, 1, 1, 3]);
  expect(cummax(tensor([false, true, false])).toArray()).toEqual([false, true, true]);
  expect(cumsum(tensor([true, true])).dtype).toBe('int32');
});
