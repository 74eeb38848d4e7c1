import { describe, expect, it } from 'vitest';
import type { Node } from '../../src/tensor/graph.js';
import type { ConvRole } from '../../src/tensor/primitives/signatures.js';
import { range, sizeOf } from '../../src/tensor/shape.js';
import {
  batched,
  type ConvCase,
  computed,
  conv,
  convCases,
  convOperands,
  convolved,
  dot,
  leaf,
  near,
  noise,
  noiseOf,
  planFor,
  productOf,
  roles,
  shapesOf,
  views,
} from './contraction-cases.js';
import { below, pick, type Random, randomOf } from './differential.js';

const oneOf = <T>(random: Random, ...from: readonly T[]): T => pick(random, from);
const edges = [127, 128, 129, 255, 256, 257, 319, 320, 321, 700];

describe('a product is right', () => {
  it('of any lengths, through views', () => {
    const random = randomOf(9);
    const kinds = Object.values(views);
    for (let run = 0; run < 140; run++) {
      const length = (): number => 1 + below(random, 70);
      const lengths = [length(), length(), length()] as [number, number, number];
      if (run % 2 === 0) lengths[below(random, 3)] = pick(random, edges);
      if (run % 4 === 0) lengths[below(random, 3)] = pick(random, edges);
      if (run % 35 === 1) lengths[below(random, 3)] = 2050;
      const [m, k, n] = lengths;
      const many = oneOf(random, 1, 1, 2, 3, 7);
      const [x, y] = [noiseOf([many, m, k], run), noiseOf([many, k, n], run + 1)];
      const through = (z: Node): Node => (random() < 0.5 ? z : pick(random, kinds)(z));
      const wanted = productOf([many, m, k, n], computed(x), computed(y));
      near(computed(batched(through(x), through(y))), wanted, `${many} × ${m} × ${k} · ${k} × ${n}`);
    }
  });

  it('of no terms, and of nothing', () => {
    expect([...computed(dot(noiseOf([2, 0]), noiseOf([0, 3])))]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(computed(dot(noiseOf([0, 4]), noiseOf([4, 3])))).toHaveLength(0);
  });

  it('where something is infinite or no number, there only', () => {
    for (const [m, k, n] of [
      [1, 5, 9],
      [7, 321, 11],
      [45, 33, 70],
      [3, 4, 1],
    ] as const) {
      for (const special of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const [left, right] = [noise(m * k, 1), noise(k * n, 2)];
        left[(m - 1) * k + (k >> 1)] = special;
        right[(k - 1) * n + (n >> 1)] = special;
        right[n - 1] = -special;
        const got = computed(dot(leaf([m, k], left), leaf([k, n], right)));
        near(got, productOf([1, m, k, n], left, right), `${m} × ${k} · ${k} × ${n} with ${special}`);
        expect(got.filter(Number.isFinite).length).toBe((m - 1) * Math.max(0, n - (n > 1 ? 2 : 1)));
      }
    }
  });
});

/** A convolution of about a million terms at most. */
const randomCase = (random: Random): ConvCase => {
  const rank = 1 + below(random, 3);
  const axes = range(rank);
  const upTo = (most: number): number => 1 + below(random, most);
  const size = axes.map(() => upTo([40, 20, 8][rank - 1]!));
  const kernel = axes.map(i => Math.min(size[i]!, upTo(oneOf(random, 1, 3, 5))));
  const dilation = axes.map(i => (random() < 0.3 && kernel[i]! * 2 <= size[i]! ? 2 : 1));
  const strides = axes.map(() => oneOf(random, 1, 1, 1, 2, 3, ...(rank === 1 ? [5] : [])));
  const padding = axes.map(() => [below(random, 4) - 1, below(random, 4) - 1] as const);
  const one = { n: upTo(4), g: oneOf(random, 1, 1, 2, 3), o: upTo(20), c: upTo(20), size, kernel };
  const made = { ...one, strides, dilation, padding };
  const places = shapesOf(made).output;
  if (places.includes(0)) return { ...made, padding: axes.map(() => [3, 3] as const), dilation: axes.map(() => 1) };
  const room = 1_000_000 / sizeOf([...places, ...kernel, one.c]);
  if (random() < 0.3 && room > 1) return { ...made, c: Math.min(700, Math.floor(one.c * room)) };
  return room < 1 ? { ...made, n: 1, o: Math.max(1, Math.floor(one.o * room)) } : made;
};

const checkConv = (one: ConvCase, of: ConvRole, through: (x: Node) => Node, what: string): void => {
  const [x, y] = convOperands(one, of);
  const wanted = convolved(one, of, computed(x), computed(y));
  near(computed(conv(one, of, [through(x), through(y)])), wanted, `${what}: ${of}, ${JSON.stringify(one)}`);
};

describe('a convolution is right', () => {
  it('in the cases of above, and with kernels that are packed in parts', () => {
    for (const [name, one] of Object.entries(convCases)) for (const of of roles) checkConv(one, of, x => x, name);
    const large: ConvCase = {
      ...{ n: 1, g: 1, o: 520, c: 512, size: [5, 5], kernel: [3, 3] },
      padding: [
        [1, 1],
        [1, 1],
      ],
    };
    for (const of of roles) checkConv(large, of, x => x, 'large');
    // In groups, and with strides whose parts have kernels of their own.
    const parts: ConvCase = { n: 2, g: 2, o: 130, c: 150, size: [5, 6], kernel: [3, 3], strides: [2, 2] };
    for (const of of roles) checkConv(parts, of, x => x, 'large with strides');
  });

  it('with strides as long as the kernel, as images are cut into patches', () => {
    const one: ConvCase = { n: 1, g: 1, o: 8, c: 3, size: [64, 64], kernel: [32, 32], strides: [32, 32] };
    for (const of of roles) checkConv(one, of, x => x, 'patches');
  });

  it('for every width up to 40', () => {
    for (let width = 1; width <= 40; width++) {
      const one: ConvCase = {
        ...{ n: 2, g: 1, o: 9, c: 3, size: [3, width], kernel: [2, 3] },
        padding: [
          [1, 0],
          [1, 1],
        ],
      };
      for (const of of roles) checkConv(one, of, x => x, 'a width');
    }
  });

  it('of any lengths, through views', () => {
    const random = randomOf(21);
    const kinds = Object.values(views);
    for (let run = 0; run < 130; run++) {
      const one = randomCase(random);
      const through = (z: Node): Node => (random() < 0.6 ? z : pick(random, kinds)(z));
      for (const of of roles) checkConv(one, of, through, `case ${run}`);
    }
  });

  it('where something is infinite or no number, there only', () => {
    for (const [name, one] of Object.entries(convCases)) {
      for (const of of roles) {
        for (const operand of [0, 1]) {
          for (const special of [Number.NaN, Number.POSITIVE_INFINITY]) {
            const small = { ...one, n: 2 };
            const given = convOperands(small, of);
            const arrays = given.map(x => computed(x).slice());
            const array = arrays[operand]!;
            array[array.length >> 1] = special;
            const [x, y] = given.map((z, i) => leaf(z.shape, arrays[i]!)) as [Node, Node];
            const got = computed(conv(small, of, [x, y]));
            near(got, convolved(small, of, arrays[0]!, arrays[1]!), `${name}: ${of} with ${special} in ${operand}`);
          }
        }
      }
    }
  });
});

it('the cases are contractions, and views are read where they are', () => {
  for (const one of Object.values(convCases)) {
    for (const of of roles) {
      const [step] = planFor(conv(one, of, convOperands(one, of))).steps;
      expect(step!.kind).toBe('contraction');
    }
  }
  for (const view of Object.values(views)) {
    expect(planFor(batched(view(noiseOf([2, 9, 30])), noiseOf([2, 30, 9]))).steps).toHaveLength(1);
  }
});
