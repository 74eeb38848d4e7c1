import { inspect } from 'node:util';
import { add, arange, grad, reshape, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { expect, it } from 'vitest';

it('prints in the manner of NumPy', () => {
  expect(String(tensor(2.5))).toBe('Tensor float32[] 2.5');
  expect(String(tensor([1, 2, 3]))).toBe('Tensor float32[3]\n[1., 2., 3.]');
  expect(
    String(
      tensor([
        [1, -20.5],
        [3, 4],
      ]),
    ),
  ).toBe('Tensor float32[2, 2]\n[[  1.0, -20.5],\n [  3.0,   4.0]]');
  expect(String(tensor([true, false]))).toBe('Tensor bool[2]\n[ true, false]');
  expect(String(tensor([1, 200], { dtype: 'int32' }))).toBe('Tensor int32[2]\n[  1, 200]');
  expect(
    String(
      tensor(
        [
          [[1], [2]],
          [[3], [4]],
        ],
        { dtype: 'int32' },
      ),
    ),
  ).toBe('Tensor int32[2, 2, 1]\n[[[1],\n  [2]],\n\n [[3],\n  [4]]]');
});

it('writes what is special, very large or very small', () => {
  expect(String(tensor([Number.NaN, Infinity, -Infinity, 1]))).toBe('Tensor float32[4]\n[ nan,  inf, -inf,   1.]');
  expect(String(tensor([1e-7, 1]))).toBe('Tensor float32[2]\n[1.0000e-7, 1.0000e+0]');
  expect(String(tensor([1 / 3, 2 / 3]))).toBe('Tensor float32[2]\n[0.3333, 0.6667]');
  expect(String(zeros([0, 3]))).toBe('Tensor float32[0, 3]\n[]');
});

it('abbreviates what is long', () => {
  expect(String(arange(2000, { dtype: 'int32' } as never))).toContain('...');
  const text = String(reshape(arange(4000), [40, 100]));
  expect(text.split('\n')).toHaveLength(8);
  expect(text).toContain('[   0.,    1.,    2., ...,   97.,   98.,   99.]');
});

it('computes what it prints, is what console.log shows, and does not read placeholders', () => {
  expect(inspect(add(tensor([1]), 1))).toBe('Tensor float32[1]\n[2.]');
  let seen = '';
  vmap((x: Tensor) => {
    seen = String(x);
    return x;
  })(tensor([[1, 2]]) as Tensor);
  expect(seen).toBe('Tensor float32[2] (a placeholder of vmap)');
  grad((x: Tensor) => {
    seen = String(x);
    return sum(x);
  })(tensor([7]) as Tensor);
  expect(seen).toBe('Tensor float32[1]\n[7.]');
});
