import { pipe } from 'fp-ts/lib/function.js';
import { grad, jit, median, norm, prod, quantile, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const x = tensor([3, 1, 4, 1.5, 9, 2.6]);

describe('quantile', () => {
  it.each([
    ['linear', 0.3, 2.05],
    ['lower', 0.3, 1.5],
    ['higher', 0.3, 2.6],
    ['nearest', 0.3, 2.6],
    ['nearest', 0.25, 1.5],
    ['nearest', 0.5, 2.6],
    ['midpoint', 0.3, 2.05],
    ['midpoint', 0.4, 2.6],
  ] as const)('%s at %f', (interpolation, q, wanted) => {
    close(quantile(x, q, { interpolation }), wanted);
  });

  it('of several goes into a new first axis, over any axes', () => {
    const y = tensor([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ]);
    close(quantile(y, [0, 0.5, 1], { axis: [0, 2] }), [
      [1, 3],
      [3.5, 5.5],
      [6, 8],
    ]);
    expect(quantile(y, [0.5], { axis: 1, keepDims: true }).shape).toEqual([1, 2, 1, 2]);
    close(pipe(y, quantile(1)), 8);
  });

  it('is NaN where there is one, and infinite where that is what lies there', () => {
    close(
      quantile(
        tensor([
          [1, NaN],
          [2, 3],
        ]),
        0,
        { axis: 1 },
      ),
      [NaN, 2],
    );
    close(quantile(tensor([-Infinity, 1, Infinity]), [0, 0.5, 0.75, 1]), [-Infinity, 1, Infinity, Infinity]);
  });

  it('has a derivative for the elements it is made of', () => {
    close(grad((y: Tensor) => quantile(y, 0.3))(x), [0, 0, 0, 0.5, 0, 0.5]);
    const rows = tensor([
      [3, 1, 2],
      [5, 9, 7],
    ]);
    close(grad((y: Tensor) => sum(median(y, { axis: 1 })))(rows), [
      [0, 0, 1],
      [0, 0, 1],
    ]);
    close(vmap((y: Tensor) => median(y))(rows), [2, 7]);
    close(jit((y: Tensor) => median(y, { axis: 0, interpolation: 'lower' }))(rows), [3, 1, 2]);
  });
});

describe('norm', () => {
  const y = tensor([
    [3, 0, -4],
    [0, 0, 0],
  ]);

  it.each([
    [0, [2, 0]],
    [0.5, [(Math.sqrt(3) + 2) ** 2, 0]],
    [1, [7, 0]],
    [2, [5, 0]],
    [3, [91 ** (1 / 3), 0]],
    [Infinity, [4, 0]],
    [-Infinity, [0, 0]],
    [-1, [0, 0]],
  ])('of order %f', (ord, wanted) => {
    close(norm(y, { ord, axis: 1 }), wanted);
  });

  it('has the derivative 0 at the origin', () => {
    for (const ord of [0.5, 1, 2, 3, Infinity]) {
      close(grad((z: Tensor) => norm(z, { ord }))(zeros([3])), [0, 0, 0]);
    }
    close(grad((z: Tensor) => norm(z))(tensor([3, -4])), [0.6, -0.8]);
  });

  it('of nothing is 0', () => {
    for (const ord of [0, 0.5, 1, 2, Infinity]) close(norm(zeros([2, 0]), { ord, axis: 1 }), [0, 0]);
  });
});

describe('prod', () => {
  it('has exact derivatives where there are zeros, to the second order', () => {
    const f = (z: Tensor): Tensor => prod(z);
    close(grad(f)(tensor([2, 0, 3])), [0, 6, 0]);
    close(grad((z: Tensor) => sum(grad(f)(z)))(tensor([2, 0, 3])), [3, 5, 2]);
    close(
      grad((z: Tensor) => sum(prod(z, { axis: [0, 2] })))(
        tensor([
          [
            [1, 2],
            [3, 4],
          ],
          [
            [0, 5],
            [0, 6],
          ],
        ]),
      ),
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [10, 0],
          [72, 0],
        ],
      ],
    );
  });

  it('of nothing is 1, of integers wraps, of bools counts', () => {
    close(prod(zeros([2, 0]), { axis: 1 }), [1, 1]);
    expect(prod(tensor([65536, 65537], { dtype: 'int32' })).item()).toBe(65536);
    expect(prod(tensor([true, true])).dtype).toBe('int32');
  });
});
