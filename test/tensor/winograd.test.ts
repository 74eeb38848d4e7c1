/** Convolutions by minimal algorithms: that these are convolutions, which are done so, how good they are, and that bits are those of their terms. */
import { conv2d, jit, setThreads, setWinograd, silu, type Tensor, threadInfo } from 'tenfold';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Forms,
  minimal,
  tileSides,
  transposed,
} from '../../src/tensor/backend/wasm/contraction/winograd/forms.js';
import { worth } from '../../src/tensor/backend/wasm/threads/work.js';
import type { ConvRole } from '../../src/tensor/primitives/signatures.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import {
  at,
  both,
  type ConvCase,
  computed,
  conv,
  convOperands,
  kindsOf,
  leaf,
  planFor,
  roles,
  same,
  stored,
  turned,
  written,
} from './contraction-cases.js';
import { randomOf } from './differential.js';

afterEach(() => setWinograd(true));

const dot = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((all, each, i) => all + each * (y[i] ?? 0), 0);

const applied = ({ between, results }: Forms, x: readonly number[]): readonly number[] => {
  const known = [...x, ...between.map(form => dot(form, x))];
  return results.map(form => dot(form, known));
};

describe('the forms', () => {
  it.each(tileSides)('of %s results give sums of three products each', side => {
    const { input, kernel, output, products } = minimal[side];
    const random = randomOf(side);
    for (let run = 0; run < 20; run++) {
      const x = Array.from({ length: side + 2 }, () => random() - 0.5);
      const taps = Array.from({ length: 3 }, () => random() - 0.5);
      const [transformed, weights] = [applied(input, x), applied(kernel, taps)];
      expect([transformed.length, weights.length]).toEqual([products, products]);
      const y = applied(
        output,
        transformed.map((each, i) => each * weights[i]!),
      );
      expect(y.length).toBe(side);
      y.forEach((each, i) => {
        expect(each).toBeCloseTo(dot(taps, x.slice(i, i + 3)), 13);
      });
    }
  });
});

describe('the transposed forms', () => {
  it.each(tileSides)('with tiles of %s give the gradient of the taps', side => {
    const { input, kernel, output } = minimal[side];
    const random = randomOf(side);
    const numbers = (count: number): readonly number[] => Array.from({ length: count }, () => random() - 0.5);
    const [x, back] = [numbers(side + 2), numbers(side)];
    const places = applied(transposed(output), back);
    const taps = applied(
      transposed(kernel),
      applied(input, x).map((each, i) => each * places[i]!),
    );
    expect(taps.length).toBe(3);
    taps.forEach((each, k) => {
      expect(each).toBeCloseTo(dot(back, x.slice(k, k + side)), 13);
    });
  });
});

/** What a plan does with a convolution: by tiles of how many results along an axis, or null. */
const sideOf = (result: Tensor): number | null => {
  const [step] = planFor(nodeOf(result)).steps;
  if (step?.kind !== 'contraction') throw new Error('no contraction');
  const { contraction } = step;
  return 'side' in contraction ? contraction.side : null;
};

const image = (n: number, channels: number, height: number, width = height): Tensor =>
  stored([n, channels, height, width]);
const kernels = (rows: number, channels: number, ...taps: readonly number[]): Tensor =>
  stored([rows, channels, ...(taps.length === 0 ? [3, 3] : taps)], 7);
const convolved = (x: Tensor, w: Tensor, options = {}): Tensor => conv2d(x, w, { padding: 1, ...options }) as Tensor;

describe('which convolutions', () => {
  it('depends on sides, channels and taps', () => {
    expect(sideOf(convolved(image(1, 16, 8), kernels(16, 16)))).toBe(4);
    expect(sideOf(convolved(image(1, 32, 12, 20), kernels(40, 32)))).toBe(4);
    expect(sideOf(convolved(image(1, 16, 4), kernels(16, 16)))).toBe(2);
    expect(sideOf(convolved(image(1, 16, 2), kernels(16, 16)))).toBe(2);
    expect(sideOf(convolved(image(1, 16, 8, 6), kernels(16, 16)))).toBe(2);
    expect(sideOf(convolved(image(1, 16, 10), kernels(16, 16), { padding: 0 }))).toBe(4);
    expect(sideOf(convolved(image(1, 16, 7), kernels(16, 16)))).toBeNull();
    expect(sideOf(convolved(image(1, 15, 8), kernels(16, 15)))).toBeNull();
    expect(sideOf(convolved(image(1, 16, 8), kernels(15, 16)))).toBe(4);
    expect(sideOf(convolved(image(1, 16, 8), kernels(1, 16)))).toBe(4);
    expect(sideOf(convolved(image(1, 321, 8), kernels(16, 321)))).toBeNull();
    expect(sideOf(convolved(image(1, 16, 8), kernels(16, 16, 1, 3), { padding: [0, 1] }))).toBeNull();
    expect(sideOf(convolved(image(1, 16, 8), kernels(16, 16, 5, 5), { padding: 2 }))).toBeNull();
    expect(sideOf(convolved(image(1, 16, 8), kernels(16, 16), { stride: 2 }))).toBeNull();
    expect(sideOf(convolved(image(1, 16, 8), kernels(16, 16), { dilation: 2, padding: 2 }))).toBeNull();
    expect(sideOf(convolved(image(1, 32, 8), kernels(32, 16), { groups: 2 }))).toBeNull();
  });

  it('does not depend on how many images there are', () => {
    for (const n of [1, 3, 16, 300]) {
      expect(sideOf(convolved(image(n, 16, 8), kernels(16, 16)))).toBe(4);
      expect(sideOf(convolved(image(n, 16, 2), kernels(16, 16)))).toBe(2);
    }
  });

  it('are gradients too, and none where they are not wanted', () => {
    const one = caseOf(3, 16, 20, [8, 12]);
    for (const role of ['input', 'kernel'] as const) {
      const gradient = (): Tensor => wrap(conv(one, role, convOperands(one, role))) as Tensor;
      expect(sideOf(gradient())).toBe(4);
      setWinograd(false);
      expect(sideOf(gradient())).toBeNull();
      setWinograd(true);
    }
  });

  it('are gradients of kernels where there are tiles enough and the products fit the cache', () => {
    const gradientOf = (one: ConvCase): number | null =>
      sideOf(wrap(conv(one, 'kernel', convOperands(one, 'kernel'))) as Tensor);
    expect(gradientOf(caseOf(16, 16, 16, [4, 4]))).toBe(4);
    expect(gradientOf(caseOf(15, 16, 16, [4, 4]))).toBe(2);
    expect(gradientOf(caseOf(3, 16, 16, [4, 4]))).toBeNull();
    expect(gradientOf(caseOf(2, 128, 128, [16, 16]))).toBe(2);
    expect(gradientOf(caseOf(2, 256, 256, [16, 16]))).toBeNull();
  });
});

type Pair = readonly [number, number];

const caseOf = (
  n: number,
  c: number,
  o: number,
  size: Pair,
  padding: readonly [Pair, Pair] = [
    [1, 1],
    [1, 1],
  ],
): ConvCase => ({ n, g: 1, c, o, size, kernel: [3, 3], padding });

/** In one task and in many, of whole images and of bands, with rows in one block and in several, with images cut off. */
const cases: Readonly<Record<string, ConvCase>> = {
  'an image': caseOf(1, 16, 16, [8, 8]),
  'one row': caseOf(3, 20, 1, [8, 12]),
  'three rows in tiles of two': caseOf(2, 17, 3, [6, 10]),
  'tiles of two': caseOf(3, 17, 19, [6, 10]),
  'images of one tile': caseOf(21, 20, 33, [2, 2]),
  'images of one row of tiles': caseOf(5, 16, 23, [4, 24]),
  'more images than a task has': caseOf(37, 16, 18, [8, 12]),
  bands: caseOf(2, 24, 20, [32, 48]),
  'bands of a row of tiles': caseOf(1, 18, 17, [12, 256]),
  'rows in blocks': caseOf(3, 130, 150, [8, 8]),
  'many channels': caseOf(2, 320, 40, [8, 4]),
  'no padding': caseOf(
    2,
    16,
    16,
    [10, 14],
    [
      [0, 0],
      [0, 0],
    ],
  ),
  'more padding before than behind': caseOf(
    2,
    16,
    16,
    [7, 9],
    [
      [2, 1],
      [0, 1],
    ],
  ),
  'padding that cuts off': caseOf(
    2,
    16,
    16,
    [12, 11],
    [
      [-1, 3],
      [4, -1],
    ],
  ),
};

const byWinograd = (root: () => ReturnType<typeof nodeOf>): Float32Array => computed(root());
const directly = (root: () => ReturnType<typeof nodeOf>): Float32Array => {
  setWinograd(false);
  const values = computed(root());
  setWinograd(true);
  return values;
};

/** The sum of the magnitudes of terms, as a convolution of magnitudes: the largest within 4 places each way. */
const magnitudes = (one: ConvCase, role: ConvRole): Float64Array => {
  const operands = convOperands(one, role).map(each => leaf(each.shape, computed(each).map(Math.abs)));
  const result = conv(one, role, operands as never);
  const sums = directly(() => result);
  const [height, width] = result.shape.slice(-2) as [number, number];
  return Float64Array.from(sums, (_, flat) => {
    const [plane, y, x] = [Math.floor(flat / (height * width)), Math.floor(flat / width) % height, flat % width];
    let largest = 0;
    for (let i = Math.max(0, y - 3); i < Math.min(height, y + 4); i++)
      for (let j = Math.max(0, x - 3); j < Math.min(width, x + 4); j++)
        largest = Math.max(largest, sums[(plane * height + i) * width + j]!);
    return largest;
  });
};

describe('the values', () => {
  describe.each(roles)('of the %s', role => {
    it.each(Object.entries(cases))('with %s', (name, one) => {
      const make = () => conv(one, role, convOperands(one, role));
      const [got, wanted] = [byWinograd(make), directly(make)];
      const sizes = magnitudes(one, role);
      let worst = 0;
      got.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - wanted[i]!) / sizes[i]!);
      });
      expect(worst, name).toBeLessThan(16 * 2 ** -23);
    });
  });

  it('err no more than twice as much as sums with tiles of two, and six times with tiles of four', () => {
    const exactly = (one: ConvCase): Float64Array => {
      const [x, w] = convOperands(one, 'output').map(each => computed(each)) as [Float32Array, Float32Array];
      const { n, c, o, size } = one;
      const [height, width] = size as Pair;
      return Float64Array.from({ length: n * o * height * width }, (_, flat) => {
        const [j, i] = [flat % width, Math.floor(flat / width) % height];
        const [row, sample] = [Math.floor(flat / (width * height)) % o, Math.floor(flat / (width * height * o))];
        let all = 0;
        for (let l = 0; l < c; l++)
          for (let a = 0; a < 3; a++)
            for (let b = 0; b < 3; b++) {
              const [y, z] = [i + a - 1, j + b - 1];
              if (y < 0 || z < 0 || y >= height || z >= width) continue;
              all += x[((sample * c + l) * height + y) * width + z]! * w[((row * c + l) * 3 + a) * 3 + b]!;
            }
        return all;
      });
    };
    const rms = (got: Float32Array, wanted: Float64Array): number =>
      Math.sqrt(wanted.reduce((all, value, i) => all + (got[i]! - value) ** 2, 0) / wanted.length);
    for (const [one, times] of [
      [caseOf(2, 64, 16, [6, 6]), 2],
      [caseOf(2, 64, 16, [8, 8]), 6],
    ] as const) {
      const wanted = exactly(one);
      const make = () => conv(one, 'output', convOperands(one, 'output'));
      expect(rms(byWinograd(make), wanted)).toBeLessThan(times * rms(directly(make), wanted));
    }
  });
});

describe('the bits', () => {
  const threads = threadInfo().threads;
  const least = { ...worth };
  afterEach(() => {
    Object.assign(worth, least);
    setThreads(threads);
  });

  it('of an image alone are those among others', () => {
    for (const one of [caseOf(37, 16, 18, [8, 12]), caseOf(21, 20, 33, [2, 2]), caseOf(5, 130, 60, [8, 8])]) {
      const [x, w] = convOperands(one, 'output') as [ReturnType<typeof nodeOf>, ReturnType<typeof nodeOf>];
      const whole = leaf(conv(one, 'output', [x, w]).shape, computed(conv(one, 'output', [x, w])));
      for (const index of [0, 1, one.n - 1]) {
        const alone = conv({ ...one, n: 1 }, 'output', [written(at(x, 0, index)), w]);
        same(computed(alone), computed(at(whole, 0, index)), `image ${index} of ${one.n}`);
      }
    }
  });

  it('are the same on any number of threads', () => {
    Object.assign(worth, { kernel: 0, tile: 0, program: 0, waking: 0, waiting: 10_000 });
    for (const [name, one] of Object.entries(cases)) {
      for (const role of ['output', 'kernel'] as const) {
        const make = () => conv(one, role, convOperands(one, role));
        setThreads(1);
        const alone = computed(make());
        for (const count of [2, 3]) {
          setThreads(count);
          same(computed(make()), alone, `${name}, the ${role} on ${count} threads`);
        }
      }
    }
  });

  it('are those of other views of the same operands', () => {
    const one = caseOf(3, 16, 17, [8, 12]);
    const [x, w] = convOperands(one, 'output') as [ReturnType<typeof nodeOf>, ReturnType<typeof nodeOf>];
    const plain = computed(conv(one, 'output', [x, w]));
    same(computed(conv(one, 'output', [turned(written(turned(x))), w])), plain, 'a turned image');
    same(computed(conv(one, 'output', [x, turned(written(turned(w)))])), plain, 'turned kernels');
    const [u, y] = convOperands(one, 'kernel') as [ReturnType<typeof nodeOf>, ReturnType<typeof nodeOf>];
    const gradient = computed(conv(one, 'kernel', [u, y]));
    same(computed(conv(one, 'kernel', [turned(written(turned(u))), y])), gradient, 'an input that is turned');
    same(computed(conv(one, 'kernel', [u, turned(written(turned(y)))])), gradient, 'an output that is turned');
  });

  it('change with the setting, also of what was compiled before, and come back', () => {
    const [x, w] = [image(2, 24, 8), kernels(16, 24)];
    const f = jit((each: Tensor) => convolved(each, w));
    const bits = (): Float32Array => f(x).dataSync() as Float32Array;
    const before = bits();
    setWinograd(false);
    const direct = bits();
    setWinograd(true);
    expect(direct.some((value, i) => value !== before[i])).toBe(true);
    same(bits(), before, 'again');
  });
});

describe('kernels around them', () => {
  const [x, w] = [image(3, 32, 8), kernels(24, 32)];
  const bias = stored([24, 1, 1], 3);

  it('are one step with them', () => {
    expect(kindsOf(planFor(nodeOf(silu(both(convolved(x, w), bias)) as Tensor)))).toEqual(['contraction']);
    expect(kindsOf(planFor(nodeOf(convolved(silu(x) as Tensor, w))))).toEqual(['contraction']);
  });

  it('are one step with the gradient of a kernel, row by row', () => {
    const one = caseOf(3, 18, 20, [8, 12]);
    const gradient = (): Tensor => wrap(conv(one, 'kernel', convOperands(one, 'kernel'))) as Tensor;
    const behind = (each: Tensor): Tensor => silu(both(each, stored([18, 3, 3], 4))) as Tensor;
    expect(kindsOf(planFor(nodeOf(behind(gradient()))))).toEqual(['contraction']);
    const apart = wrap(written(nodeOf(gradient()))) as Tensor;
    same(computed(nodeOf(behind(gradient()))), computed(nodeOf(behind(apart))), 'a gradient');
  });

  it('change no bit', () => {
    for (const [name, one] of Object.entries({ images: x, bands: image(1, 20, 32, 48), blocks: image(2, 130, 8) })) {
      const [, channels] = one.shape as readonly number[];
      const w = kernels(channels === 130 ? 150 : 24, channels!);
      const shift = stored([w.shape[0]!, 1, 1], 3);
      const apart = (each: Tensor): Tensor => wrap(written(nodeOf(each))) as Tensor;
      const together = computed(nodeOf(silu(both(convolved(silu(one) as Tensor, w), shift)) as Tensor));
      const separate = computed(nodeOf(silu(both(apart(convolved(apart(silu(one) as Tensor), w)), shift)) as Tensor));
      same(together, separate, name);
    }
  });
});

it('leaves no result out where memory held something else before', () => {
  // Scratch memory that was used by others: infinities there come into nothing.
  computed(nodeOf(both(leafOf([200_000], Number.POSITIVE_INFINITY), leafOf([200_000], 0))));
  const one = caseOf(1, 16, 16, [6, 6]);
  expect(computed(conv(one, 'output', convOperands(one, 'output'))).every(Number.isFinite)).toBe(true);
});

const leafOf = (shape: readonly number[], value: number): Tensor =>
  wrap(leaf(shape, new Float32Array(shape.reduce((p, n) => p * n, 1)).fill(value))) as Tensor;
