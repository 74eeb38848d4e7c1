/** Convolution by way of spectra against the sum that defines it. */
import { pipe } from 'fp-ts/lib/function.js';
import { fftConvolve, grad, jit, mul, sum, type Tensor, tensor, vmap } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

type Mode = 'full' | 'same' | 'valid';

const modes: readonly Mode[] = ['full', 'same', 'valid'];

const wave = (n: number, seed: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(i * i * 0.7 + seed));

/** c[k] = Σⱼ a[j] · v[k − j]. */
const full = (a: readonly number[], v: readonly number[]): number[] => {
  const c = new Array<number>(a.length + v.length - 1).fill(0);
  a.forEach((x, i) => {
    v.forEach((y, j) => {
      c[i + j]! += x * y;
    });
  });
  return c;
};

/** What of the full result a mode keeps, by NumPy's words: as long as `a` and centred, or with complete overlap only. */
const kept = <T>(mode: Mode, c: readonly T[], n: number, m: number): T[] => {
  if (mode === 'full') return [...c];
  if (mode === 'valid') return c.slice(Math.min(n, m) - 1, Math.max(n, m));
  const before = Math.floor((c.length - n) / 2);
  return c.slice(before, before + n);
};

/** The same of matrices. */
const full2 = (a: readonly number[][], v: readonly number[][]): number[][] => {
  const c = Array.from({ length: a.length + v.length - 1 }, () =>
    new Array<number>(a[0]!.length + v[0]!.length - 1).fill(0),
  );
  a.forEach((p, i) => {
    v.forEach((q, j) => {
      full(p, q).forEach((z, k) => {
        c[i + j]![k]! += z;
      });
    });
  });
  return c;
};

const rows = (n: number, m: number, seed: number): number[][] =>
  Array.from({ length: n }, (_, i) => wave(m, seed + 5 * i));

const f64 = (x: unknown): Tensor => tensor(x as number[], { dtype: 'float64' }) as Tensor;

describe.each(modes)('of one axis, mode %s', mode => {
  const lengths = [
    [1, 1],
    [1, 5],
    [5, 1],
    [4, 3],
    [3, 4],
    [4, 4],
    [7, 2],
    [100, 31],
    [31, 100],
    [257, 129],
    [3000, 1201],
  ];
  it.each(lengths)('of %i and %i elements', (n, m) => {
    const [a, v] = [wave(n!, 1), wave(m!, 2)];
    const wanted = kept(mode, full(a, v), n!, m!);
    close(fftConvolve(f64(a), f64(v), { mode }), wanted, 1e-12);
    const single = fftConvolve(tensor(a), tensor(v), { mode });
    expect(single.dtype).toBe('float32');
    // Each element is a sum of at most 1201 products of numbers up to 1, whose size is about √1201.
    close(single as Tensor, wanted, 4e-5);
  });
});

describe('several axes', () => {
  const [a, v] = [rows(6, 9, 1), rows(4, 5, 2)];

  it.each(modes)('both of two, mode %s', mode => {
    const whole = kept(mode, full2(a, v), 6, 4).map(row => kept(mode, row, 9, 5));
    close(fftConvolve(f64(a), f64(v), { mode }), whole, 1e-13);
    close(fftConvolve(f64(a), f64(v), { mode, axes: [-1, 0] }), whole, 1e-13);
  });

  it('one of two, the other going along or broadcast', () => {
    const kernels = rows(6, 4, 3);
    const each = a.map((row, i) => full(row, kernels[i]!));
    close(fftConvolve(f64(a), f64(kernels), { axes: [1] }), each, 1e-13);
    const shared = a.map(row => kept('same', full(row, kernels[2]!), 9, 4));
    close(fftConvolve(f64(a), f64([kernels[2]]), { axes: [-1], mode: 'same' }), shared, 1e-13);
    close(pipe(f64(a), fftConvolve(f64([kernels[2]]), { axes: [1], mode: 'same' })), shared, 1e-13);
    const columns = full2(
      a,
      v.map(row => [row[0]!]),
    );
    close(fftConvolve(f64(a), f64(v.map(row => [row[0]])), { axes: [0] }), columns, 1e-13);
    close(fftConvolve(f64(a), f64(v.map(row => [row[0]]))), columns, 1e-13);
  });

  it('three, where the kernel is a product', () => {
    const cube = Array.from({ length: 3 }, (_, i) => rows(4, 5, 7 + i));
    const [p, q, r] = [wave(2, 1), wave(3, 2), wave(4, 3)];
    const kernel = p.map(x => q.map(y => r.map(z => x * y * z)));
    const along = (x: Tensor, axis: number, k: number[]): Tensor => {
      const shape = [0, 1, 2].map(i => (i === axis ? k.length : 1));
      return fftConvolve(x, tensor(Float64Array.from(k), shape), { axes: [axis] }) as Tensor;
    };
    const wanted = along(along(along(f64(cube), 0, p), 1, q), 2, r);
    close(fftConvolve(f64(cube), f64(kernel)), wanted.toArray() as never, 1e-13);
  });

  it('none, and no rows at all', () => {
    close(fftConvolve(tensor(3), tensor(4)), 12);
    const none = tensor(new Float32Array(0), [0, 5]);
    expect(fftConvolve(none as Tensor, tensor([[1, 2, 3]]), { axes: [1] }).shape).toEqual([0, 7]);
  });

  it('integers count as float32, two floats meet in the larger', () => {
    const [ints, floats] = [tensor([1, 2], { dtype: 'int32' }), f64([1, 1])];
    expect(fftConvolve(ints, ints).dtype).toBe('float32');
    close(fftConvolve(ints, ints), [1, 4, 4]);
    expect(fftConvolve(ints as Tensor, floats).dtype).toBe('float64');
  });
});

describe('transformations', () => {
  const [a, v, w] = [wave(9, 1), wave(4, 2), wave(12, 3)];
  const weighted = (x: Tensor, y: Tensor, mode: Mode): Tensor => {
    const c = fftConvolve(x, y, { mode }) as Tensor;
    return sum(mul(mul(c, c), f64(w.slice(0, c.shape[0])))) as Tensor;
  };
  const plain = (x: readonly number[], y: readonly number[], mode: Mode): number =>
    kept(mode, full(x, y), x.length, y.length).reduce((s, c, i) => s + c * c * w[i]!, 0);

  it.each(modes)('derivatives with respect to both, mode %s', mode => {
    const slope = (f: (x: number[]) => number, x: number[]): number[] =>
      x.map((_, i) => {
        const moved = (by: number): number => f(x.map((y, j) => (i === j ? y + by : y)));
        return (moved(1e-5) - moved(-1e-5)) / 2e-5;
      });
    const first = grad((x: Tensor) => weighted(x, f64(v), mode))(f64(a)) as Tensor;
    close(
      first,
      slope(x => plain(x, v, mode), a),
      1e-8,
    );
    const second = grad((y: Tensor) => weighted(f64(a), y, mode))(f64(v)) as Tensor;
    close(
      second,
      slope(y => plain(a, y, mode), v),
      1e-8,
    );
    // The convolution is bilinear: with respect to one operand the function is a square, 2 f = x · f′.
    close(sum(mul(first, f64(a))) as Tensor, 2 * plain(a, v, mode), 1e-12);
  });

  it('second derivatives, as a directional derivative of the first', () => {
    const first = grad((x: Tensor) => weighted(x, f64(v), 'same')) as (x: Tensor) => Tensor;
    const direction = wave(9, 8);
    const along = grad((x: Tensor) => sum(mul(first(x), f64(direction))) as Tensor)(f64(a)) as Tensor;
    // The function is quadratic, so that differences of its derivative are exact.
    const moved = first(f64(a.map((x, i) => x + direction[i]!))).toArray() as number[];
    const here = first(f64(a)).toArray() as number[];
    close(
      along,
      moved.map((x, i) => x - here[i]!),
      1e-12,
    );
  });

  it('vmap over one and over both, and jit', () => {
    const batch = rows(3, 9, 4);
    const kernels = rows(3, 4, 5);
    const one = vmap((x: Tensor) => fftConvolve(x, f64(v), { mode: 'same' }) as Tensor)(f64(batch)) as Tensor;
    close(
      one,
      batch.map(row => kept('same', full(row, v), 9, 4)),
      1e-13,
    );
    const both = vmap((x: Tensor, y: Tensor) => fftConvolve(x, y) as Tensor)(f64(batch), f64(kernels)) as Tensor;
    close(
      both,
      batch.map((row, i) => full(row, kernels[i]!)),
      1e-13,
    );
    close(jit((x: Tensor) => fftConvolve(x, f64(v)) as Tensor)(f64(a)) as Tensor, full(a, v), 1e-13);
  });
});
