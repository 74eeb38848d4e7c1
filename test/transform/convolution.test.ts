/** Derivatives of convolutions against differences, batches of them against loops over examples. */
import {
  add,
  type ConvOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  jit,
  jvp,
  matmul,
  mul,
  reshape,
  square,
  stack,
  sum,
  swapAxes,
  type Tensor,
  take,
  tanh,
  tensor,
  vjp,
  vmap,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const convs: readonly ((x: Tensor, w: Tensor, options?: ConvOptions) => Tensor)[] = [conv1d, conv2d, conv3d];

const draw = (seed: number, shape: readonly number[]): Tensor => normal(key(seed), shape, { dtype: 'float64' });

describe('derivatives', () => {
  const shapes = [
    { x: [2, 4, 5], w: [4, 2, 3], options: { stride: 2, padding: [[1, 2]], groups: 2 } },
    { x: [2, 4, 6], w: [2, 2, 2], options: { dilation: 3, groups: 2, padding: 1 } },
    { x: [1, 2, 4, 5], w: [3, 2, 2, 3], options: { stride: [1, 2], dilation: [2, 1], padding: [0, [2, 0]] } },
    { x: [1, 2, 3, 3], w: [2, 1, 2, 2], options: { groups: 2, inputDilation: [2, 1], stride: [2, 1] } },
    {
      x: [1, 1, 3, 2, 3],
      w: [1, 1, 2, 1, 2],
      options: {
        padding: [
          [0, 0],
          [1, 0],
          [0, 2],
        ],
        stride: [1, 2, 3],
      },
    },
  ] as const;

  /** ∂ along a direction, by differences. */
  const difference = (f: (x: Tensor, w: Tensor) => number, at: readonly Tensor[], along: readonly Tensor[]): number => {
    const moved = (by: number): number => {
      const [x, w] = at.map((each, i) => add(each, mul(along[i]!, by)) as Tensor);
      return f(x!, w!);
    };
    return (moved(1e-5) - moved(-1e-5)) / 2e-5;
  };
  const inner = (p: Tensor, q: Tensor): number => sum(mul(p, q)).item() as number;

  const check = (f: (x: Tensor, w: Tensor) => Tensor, x: Tensor, w: Tensor): void => {
    const along = [draw(7, x.shape), draw(8, w.shape)];
    const weights = draw(9, f(x, w).shape);
    // Not linear in either, so that there is a second derivative in both.
    const value = (p: Tensor, q: Tensor): Tensor => sum(mul(weights, tanh(f(p, q)))) as Tensor;
    const gradients = (p: Tensor, q: Tensor): readonly Tensor[] =>
      vjp(value, p, q)[1](tensor(1, { dtype: 'float64' })) as readonly Tensor[];
    const slope = (p: Tensor, q: Tensor): number =>
      gradients(p, q).reduce((total, each, i) => total + inner(each, along[i]!), 0);
    close(
      slope(x, w),
      difference((p, q) => value(p, q).item() as number, [x, w], along),
      1e-6,
    );
    const second = (p: Tensor, q: Tensor): Tensor => jvp(value, [p, q], along as [Tensor, Tensor])[1] as Tensor;
    close(second(x, w).item() as number, slope(x, w), 1e-10);
    const curvature = vjp(second, x, w)[1](tensor(1, { dtype: 'float64' })) as readonly Tensor[];
    const probe = [draw(10, x.shape), draw(11, w.shape)];
    const bent = curvature.reduce((total, each, i) => total + inner(each, probe[i]!), 0);
    close(bent, difference(slope, [x, w], probe), 1e-5);
  };

  it.each(shapes)('of x $x and w $w, to second order', ({ x, w, options }) => {
    check((p, q) => convs[x.length - 3]!(p, q, options), draw(1, x), draw(2, w));
  });

  it('of transposed convolutions, to second order', () => {
    const options = {
      stride: [2, 1],
      padding: [1, [0, 1]],
      dilation: [1, 2],
      groups: 2,
      outputPadding: [1, 0],
    } as const;
    check((p, q) => convTranspose2d(p, q, options), draw(1, [2, 4, 3, 4]), draw(2, [4, 1, 3, 2]));
  });

  it('under jit, with a bias in the same function', () => {
    const [x, w] = [draw(1, [2, 3, 6, 6]), draw(2, [4, 3, 3, 3])];
    const bias = draw(3, [4]);
    const loss = (v: Tensor, u: Tensor): Tensor =>
      sum(square(add(conv2d(x, v, { padding: 1 }), reshape(u, [4, 1, 1])) as Tensor)) as Tensor;
    const gradient = (v: Tensor, u: Tensor) => vjp(loss, v, u)[1](tensor(1, { dtype: 'float64' })) as readonly Tensor[];
    const [plain, compiled] = [gradient(w, bias), jit(gradient)(w, bias) as readonly Tensor[]];
    compiled.forEach((each, i) => {
      close(each, plain[i]!.toArray() as number[], 0);
    });
  });
});

describe('batches', () => {
  const options = { stride: 2, padding: [[1, 0]], dilation: 2, groups: 2 } as const;
  const xs = draw(1, [3, 2, 4, 9]);
  const ws = draw(2, [3, 6, 2, 2]);
  const at = (x: Tensor, i: number): Tensor => take(x, i) as Tensor;
  const f = (x: Tensor, w: Tensor): Tensor => conv1d(x, w, options);
  const back = (x: Tensor, w: Tensor): Tensor => convTranspose1d(f(x, w), w, options);
  const gradients = (x: Tensor, w: Tensor): Tensor => {
    const loss = (p: Tensor, q: Tensor): Tensor => sum(square(f(p, q))) as Tensor;
    const [dx, dw] = vjp(loss, x, w)[1](tensor(1, { dtype: 'float64' })) as readonly [Tensor, Tensor];
    return add(sum(square(dx)), reshape(dw, [-1])) as Tensor;
  };

  it.each([
    ['x', [0, null]],
    ['w', [null, 0]],
    ['both', [0, 0]],
  ] as const)('over %s', (_, axes) => {
    for (const g of [f, back, gradients]) {
      const [x, w] = [axes[0] === null ? at(xs, 0) : xs, axes[1] === null ? at(ws, 0) : ws];
      const all = vmap(g, { in: axes })(x, w) as Tensor;
      const each = [0, 1, 2].map(i => g(axes[0] === null ? x : at(x, i), axes[1] === null ? w : at(w, i)));
      close(all, stack(each).toArray() as number[], 1e-12);
    }
  });

  it('over samples without an axis of their own, over axes that are not the first, in each other', () => {
    const w = at(ws, 0);
    const x = at(xs, 0);
    close(vmap((one: Tensor) => f(one, w))(x) as Tensor, f(x, w).toArray() as number[], 1e-12);
    const last = vmap((one: Tensor) => f(x, one), { in: [1] })(swapAxes(ws, 0, 1) as Tensor) as Tensor;
    close(last, stack([0, 1, 2].map(i => f(x, at(ws, i)))).toArray() as number[], 1e-12);
    const both = vmap((one: Tensor) => vmap((v: Tensor) => f(one, v))(ws) as Tensor)(xs) as Tensor;
    const rows = [0, 1, 2].map(i => stack([0, 1, 2].map(j => f(at(xs, i), at(ws, j)))));
    close(both, stack(rows).toArray() as number[], 1e-12);
    expect(
      (vmap(f, { in: [0, 0] })(zeros([0, 2, 4, 9]) as Tensor, zeros([0, 6, 2, 2]) as Tensor) as Tensor).shape,
    ).toEqual([0, 2, 6, 4]);
  });

  it('a convolution of places alone is a product of matrices', () => {
    const [x, w] = [draw(1, [5, 7]), draw(2, [4, 5])];
    close(conv1d(x, reshape(w, [4, 5, 1])), matmul(w, x).toArray() as number[], 1e-13);
  });
});
