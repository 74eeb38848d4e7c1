/**
 * How exact transforms are at large lengths. Each of the log₂ n levels that a transform by factors of 2 has adds an error of
 * about one unit roundoff u, relative to the norm of what it transforms (Higham, Accuracy and Stability of Numerical
 * Algorithms, 24.1); sums of many terms, as here, have fewer levels. So all errors are bounded by u · log₂ n, which is about
 * three times what is seen, also where the length is a large prime and three transforms of more than twice the length are in
 * turn. A chirp or twiddle factor of an angle that is not reduced exactly would make errors that grow with n instead.
 */
import { type Complex, fft, ifft, irfft, rfft, type Tensor, tensor } from 'tenfold';
import { describe, expect, it } from 'vitest';

type Parts = readonly [re: Float64Array, im: Float64Array];

const unit = { float32: 2 ** -24, float64: 2 ** -53 };

const bound = (n: number, dtype: keyof typeof unit): number => unit[dtype] * Math.log2(n);

/** Noise between −1 and 1, of numbers that float32 holds. */
const noise = (n: number, seed: number): Float64Array => {
  let state = seed;
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
};

const complex = ([re, im]: Parts, dtype: keyof typeof unit): Complex => ({
  re: tensor(re, [re.length], { dtype }) as Tensor,
  im: tensor(im, [im.length], { dtype }) as Tensor,
});

const partsOf = ({ re, im }: Complex): Parts => [
  Float64Array.from(re.dataSync() as Float64Array),
  Float64Array.from(im.dataSync() as Float64Array),
];

/** The sum of squares, summed by Kahan's method: the sum itself must be more exact than what is asked of transforms. */
const energy = (parts: readonly Float64Array[]): number => {
  let [sum, rest] = [0, 0];
  for (const part of parts) {
    for (const x of part) {
      const term = x * x + rest;
      const next = sum + term;
      rest = term - (next - sum);
      sum = next;
    }
  }
  return sum;
};

/** The norm of the difference by the norm of what is right. */
const errorOf = (got: readonly Float64Array[], wanted: readonly Float64Array[]): number =>
  Math.sqrt(energy(wanted.map((part, i) => part.map((x, j) => x - got[i]![j]!))) / energy(wanted));

/** exp(2πi · k / n) for the integers k of a function of the place, by angles of at most half a turn. */
const turns = (n: number, place: (j: number) => number): Parts => {
  const angles = Float64Array.from({ length: n }, (_, j) => {
    const k = place(j) % n;
    return (2 * Math.PI * (2 * k > n ? k - n : k)) / n;
  });
  return [angles.map(Math.cos), angles.map(Math.sin)];
};

describe.each([
  ['a power of two', 4096],
  ['a larger one', 65536],
  ['a power of three', 3 ** 9],
  ['the first primes', 2 * 3 * 5 * 7 * 11 * 13],
  ['two primes above 97', 101 * 103],
  ['a prime', 10007],
  ['a larger prime', 65537],
])('of %s, the length %i', (_, n) => {
  const signal: Parts = [noise(n, 1), noise(n, 2)];

  it('float32 against float64', () => {
    const wanted = partsOf(fft(complex(signal, 'float64')));
    const spectrum = fft(complex(signal, 'float32'));
    expect(spectrum.re.dtype).toBe('float32');
    expect(errorOf(partsOf(spectrum), wanted)).toBeLessThan(bound(n, 'float32'));
    // Two transforms, each with its errors.
    expect(errorOf(partsOf(ifft(spectrum)), signal)).toBeLessThan(2 * bound(n, 'float32'));
  });

  it('float32 of a real signal', () => {
    const half = rfft(tensor(signal[0], [n], { dtype: 'float32' }) as Tensor);
    const wanted = partsOf(rfft(tensor(signal[0]) as Tensor));
    expect(errorOf(partsOf(half), wanted)).toBeLessThan(bound(n, 'float32'));
    const back = Float64Array.from(irfft(half, { n }).dataSync() as Float32Array);
    expect(errorOf([back], [signal[0]])).toBeLessThan(2 * bound(n, 'float32'));
  });

  it('float64: back again, and the energy', () => {
    const spectrum = fft(complex(signal, 'float64'));
    expect(errorOf(partsOf(ifft(spectrum)), signal)).toBeLessThan(2 * bound(n, 'float64'));
    expect(Math.abs(energy(partsOf(spectrum)) / (n * energy(signal)) - 1)).toBeLessThan(2 * bound(n, 'float64'));
  });

  it('float64: one element, and one frequency', () => {
    const place = Math.floor(0.7 * n);
    const delta: Parts = [new Float64Array(n), new Float64Array(n)];
    delta[0][place] = 1;
    const [re, im] = turns(n, j => place * j);
    const conjugate: Parts = [re, im.map(x => -x)];
    expect(errorOf(partsOf(fft(complex(delta, 'float64'))), conjugate)).toBeLessThan(bound(n, 'float64'));
    const line: Parts = [delta[0].map(x => n * x), delta[1]];
    expect(errorOf(partsOf(fft(complex([re, im], 'float64'))), line)).toBeLessThan(bound(n, 'float64'));
  });
});

it('of a prime of a million, float32 against float64, and the energy', () => {
  const n = 1000003;
  const signal: Parts = [noise(n, 3), noise(n, 4)];
  const wanted = partsOf(fft(complex(signal, 'float64')));
  expect(Math.abs(energy(wanted) / (n * energy(signal)) - 1)).toBeLessThan(2 * bound(n, 'float64'));
  expect(errorOf(partsOf(fft(complex(signal, 'float32'))), wanted)).toBeLessThan(bound(n, 'float32'));
}, 60_000);
