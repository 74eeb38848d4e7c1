/** Fourier transforms against the sum that defines them. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  type Complex,
  fft,
  fft2,
  fftfreq,
  fftn,
  fftshift,
  grad,
  ifft,
  ifft2,
  ifftn,
  ifftshift,
  irfft,
  jit,
  mul,
  rfft,
  rfftfreq,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const wave = (n: number, seed: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(i * i * 0.7 + seed));

/** Some elements of the spectrum, by the definition: [k, re, im]. */
const defined = (re: Float64Array, im: Float64Array, places: readonly number[]): number[][] => {
  const n = re.length;
  const roots = Array.from({ length: n }, (_, k) => [
    Math.cos((2 * Math.PI * k) / n),
    -Math.sin((2 * Math.PI * k) / n),
  ]);
  return places.map(k => {
    let [x, y] = [0, 0];
    for (let j = 0; j < n; j++) {
      const [c, s] = roots[(j * k) % n] as [number, number];
      x += re[j]! * c - im[j]! * s;
      y += re[j]! * s + im[j]! * c;
    }
    return [x, y];
  });
};

const at = ({ re, im }: Complex, places: readonly number[]): number[][] => {
  const [x, y] = [re.dataSync(), im.dataSync()];
  return places.map(k => [Number(x[k]), Number(y[k])]);
};

describe('float64, all within 1e-10 of the definition', () => {
  const lengths = [...Array.from({ length: 130 }, (_, i) => i + 1), 256, 1000, 1009, 2048, 4096, 10007];
  it.each(lengths)('of the length %i', n => {
    const [a, c] = [wave(n, 1), wave(n, 2)];
    const z: Complex = { re: tensor(a), im: tensor(c) };
    const places = n <= 1009 ? Array.from({ length: n }, (_, k) => k) : [0, 1, 5, n >> 1, (n >> 1) + 1, n - 1];
    const spectrum = fft(z);
    close(at(spectrum, places), defined(a, c, places), 1e-10);
    const back = ifft(spectrum);
    close(back.re.dataSync(), a, 1e-11);
    close(back.im.dataSync(), c, 1e-11);
    const energy = (s: Complex): number => Number(sum(add(square(s.re), square(s.im))).item());
    expect(Math.abs(energy(spectrum) / energy(z) / n - 1)).toBeLessThan(1e-12);
    const half = rfft(z.re);
    expect(half.re.shape).toEqual([(n >> 1) + 1]);
    const firsts = places.filter(k => k <= n >> 1);
    close(at(half, firsts), defined(a, new Float64Array(n), firsts), 1e-10);
    close(irfft(half, { n }).dataSync(), a, 1e-11);
  });
});

it('data last, jit, vmap, first and second derivatives', () => {
  const x = tensor(wave(140, 3), [2, 70]) as Tensor;
  const whole = rfft(x).re.toArray();
  close(pipe(x, rfft({ norm: 'backward' })).re, whole as never, 1e-12);
  close(jit((y: Tensor) => rfft(y).re)(x) as Tensor, whole as never, 1e-12);
  close(vmap((y: Tensor) => rfft(y).re)(x) as Tensor, whole as never, 1e-12);
  // By Parseval f(x) = n Σ x², hence f′ = 2 n x, and the derivative of Σ x f′ is 4 n x.
  for (const n of [5, 70, 101]) {
    const v = tensor(wave(n, 4)) as Tensor;
    const f = (y: Tensor): Tensor => {
      const { re, im } = fft(y);
      return sum(add(square(re), square(im))) as Tensor;
    };
    const first = grad(f) as (y: Tensor) => Tensor;
    close(first(v), (mul(v, 2 * n) as Tensor).toArray() as never, 1e-10);
    const second = grad((y: Tensor) => sum(mul(y, first(y))) as Tensor)(v) as Tensor;
    close(second, (mul(v, 4 * n) as Tensor).toArray() as never, 1e-10);
  }
});

describe('several axes', () => {
  const image = (dtype: 'float32' | 'float64' = 'float64'): Tensor =>
    tensor(wave(2 * 6 * 5, 3), [2, 6, 5], { dtype }) as Tensor;

  it('one axis after another, with lengths and norms of their own', () => {
    const x = image();
    const wanted = fft(fft(x, { axis: 2, n: 4, norm: 'ortho' }), { axis: 0, n: 3, norm: 'ortho' });
    const got = fftn(x, { s: [3, 4], axes: [0, -1], norm: 'ortho' });
    expect(got.re.shape).toEqual([3, 6, 4]);
    close(got.re, wanted.re.toArray() as never, 1e-12);
    close(got.im, wanted.im.toArray() as never, 1e-12);
    close(fft2(x).re, fftn(x, { axes: [1, 2] }).re.toArray() as never, 1e-12);
  });

  it('and back', () => {
    const x = image();
    close(ifftn(fftn(x)).re, x.toArray() as never, 1e-12);
    close(ifft2(fft2(x)).re, x.toArray() as never, 1e-12);
  });

  it('frequencies as NumPy has them, and in the middle along one axis', () => {
    expect(fftfreq(5, { d: 0.5, dtype: 'float64' }).toArray()).toEqual([0, 0.4, 0.8, -0.8, -0.4]);
    expect(rfftfreq(5, { d: 0.5, dtype: 'float64' }).toArray()).toEqual([0, 0.4, 0.8]);
    const x = tensor([
      [0, 1, 2],
      [3, 4, 5],
    ]) as Tensor;
    expect(fftshift(x, { axes: 1 }).toArray()).toEqual([
      [2, 0, 1],
      [5, 3, 4],
    ]);
    expect(pipe(fftshift(x), ifftshift()).toArray()).toEqual(x.toArray());
  });
});
