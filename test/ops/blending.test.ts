import { pipe } from 'fp-ts/lib/function.js';
import { clamp, grad, jit, lerp, nanToNum, ShapeError, sum, type Tensor, tensor, vmap } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const slope = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => grad((y: Tensor) => sum(f(y)))(x) as Tensor;

describe('lerp', () => {
  const [a, b] = [tensor([0.1, 1e8]), tensor([0.7, -3])];

  it('meets both ends exactly and goes beyond them', () => {
    expect(lerp(a, b, 0).toArray()).toEqual(a.toArray());
    expect(lerp(a, b, 1).toArray()).toEqual(b.toArray());
    expect(lerp(a, b, tensor([0, 1])).toArray()).toEqual([a.toArray()[0], -3]);
    close(lerp(tensor([0, 10]), 20, 1.5), [30, 25]);
    close(lerp(1, tensor([3, 5]), -1), [-1, -3]);
  });

  it('of three that broadcast, whole ones too', () => {
    const weights = tensor([[0], [0.25], [1]]);
    close(lerp(tensor([0, 8], { dtype: 'int32' }), 4, weights), [
      [0, 8],
      [1, 7],
      [4, 4],
    ]);
    close(lerp(tensor([0, 8], { dtype: 'int32' }), 4, 0.25), [1, 7]);
    expect(lerp(a, tensor([1], { dtype: 'float64' }), 0.5).dtype).toBe('float64');
    // @ts-expect-error lerp: lengths 2 and 3 differ and neither is 1
    expect(caught(() => lerp(a, b, tensor([1, 2, 3])))).toBeInstanceOf(ShapeError);
  });

  it('has slopes in all three', () => {
    const w = tensor([0.25, 0.75]);
    close(
      slope(x => lerp(x, b, w), a),
      [0.75, 0.25],
    );
    close(
      slope(x => lerp(a, x, w), b),
      [0.25, 0.75],
    );
    close(
      slope(x => lerp(tensor([1, 2]), tensor([4, 8]), x), w),
      [3, 6],
    );
  });

  it('in other forms', () => {
    const whole = lerp(a, b, 0.3).toArray();
    expect(pipe(a, lerp(b, 0.3)).toArray()).toEqual(whole);
    close(jit((x: Tensor, y: Tensor, w: number) => lerp(x, y, w))(a, b, 0.3), whole as number[]);
    expect(vmap((x: Tensor, y: Tensor) => lerp(x, y, 0.3))(a, b).toArray()).toEqual(whole);
  });
});

describe('nanToNum', () => {
  const x = [1, NaN, Infinity, -Infinity, -2];

  it('fills in what the dtype has at its ends, or what is given', () => {
    expect(nanToNum(tensor(x, { dtype: 'float64' })).toArray()).toEqual([
      1,
      0,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
      -2,
    ]);
    const most = Math.fround(3.4028234663852886e38);
    expect(nanToNum(tensor(x)).toArray()).toEqual([1, 0, most, -most, -2]);
    expect(nanToNum(tensor(x), { nan: 7, negInf: -Infinity }).toArray()).toEqual([1, 7, most, -Infinity, -2]);
    expect(pipe(tensor(x), nanToNum({ posInf: 3, negInf: 4 })).toArray()).toEqual([1, 0, 3, 4, -2]);
    expect(vmap(nanToNum)(tensor(x)).toArray()).toEqual([1, 0, most, -most, -2]);
  });

  it('leaves integers as they are, and has a slope where nothing was filled in', () => {
    expect(nanToNum(tensor([1, -2], { dtype: 'int32' }), { nan: 0.5 }).toArray()).toEqual([1, -2]);
    expect(nanToNum(tensor([true])).dtype).toBe('int32');
    expect(slope(y => nanToNum(y), tensor(x)).toArray()).toEqual([1, 0, 0, 0, 1]);
  });
});

describe('clamp', () => {
  const x = tensor([-2, -1, 0.5, 1, 2, NaN]);

  it('by one bound, and by tensors', () => {
    close(clamp(x, -1, null), [-1, -1, 0.5, 1, 2, NaN]);
    close(clamp(x, null, 1), [-2, -1, 0.5, 1, 1, NaN]);
    close(clamp(x, 1, -1), [-1, -1, -1, -1, -1, NaN]);
    close(clamp(tensor([-2, 0, 2]), tensor([[-1], [1]]), tensor([0, 1, 1])), [
      [-1, 0, 1],
      [0, 1, 1],
    ]);
    expect(clamp(tensor([-2, 2], { dtype: 'int32' }), null, 1).toArray()).toEqual([-2, 1]);
    expect(clamp(tensor([1], { dtype: 'int32' }), tensor([0.5]), null).dtype).toBe('float32');
    close(pipe(x, clamp(null, tensor(1))), [-2, -1, 0.5, 1, 1, NaN]);
    close(jit((y: Tensor, high: number) => clamp(y, null, high))(x, 1), [-2, -1, 0.5, 1, 1, NaN]);
  });

  it('hands a bound the slope of what it bounds', () => {
    const [low, high] = [tensor([-1, -1, -1]), tensor([1, 1, 1])];
    const y = tensor([-2, 1, 3]);
    close(
      slope(v => clamp(v, low, high), y),
      [0, 1, 0],
    );
    close(
      slope(v => clamp(y, v, high), low),
      [1, 0, 0],
    );
    close(
      slope(v => clamp(y, low, v), high),
      [0, 0, 1],
    );
  });
});
