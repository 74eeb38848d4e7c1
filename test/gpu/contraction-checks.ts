/** What contractions on every launcher have to give: sums within what adding float32 in any order may lose. */
import { expect } from 'vitest';
import type { Traits } from '../../src/tensor/backend/gpu/pass.js';
import { b } from '../../src/tensor/build.js';
import { bufferNode, type Node } from '../../src/tensor/graph.js';
import { range, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage } from '../../src/tensor/storage.js';
import {
  at,
  batched,
  computed,
  conv,
  convCases,
  convOperands,
  convolved,
  dot,
  near,
  noiseOf,
  productOf,
  roles,
  turned,
  views,
} from '../tensor/contraction-cases.js';
import type { Place } from './contraction-job.js';
import { type Outcome, runOn } from './contraction-runner.js';

type Check = (place: Place) => Promise<void>;

const padded = (x: Node, low: number, high: number): Node =>
  b.pad(at(at(x, x.shape.length - 2, low, x.shape.at(-2)! - high), x.shape.length - 1, low, x.shape.at(-1)! - high), {
    low: x.shape.map((_, axis) => (axis >= x.shape.length - 2 ? low : 0)),
    high: x.shape.map((_, axis) => (axis >= x.shape.length - 2 ? high : 0)),
    interior: x.shape.map(() => 0),
  });

/** Stacks of matrices, given by what they are seen through. */
const products = async (
  place: Place,
  sizes: readonly [number, number, number, number],
  traits: Partial<Traits> = {},
  see: readonly [(x: Node) => Node, (x: Node) => Node] = [x => x, x => x],
): Promise<Outcome> => {
  const [batch, m, k, n] = sizes;
  const [x, y] = [see[0](noiseOf([batch, m, k], 1)), see[1](noiseOf([batch, k, n], 2))];
  const outcome = await runOn(place, [batched(x, y)], traits);
  near(outcome.arrays[0]!, productOf(sizes, computed(x), computed(y)), `[${sizes}]`);
  return outcome;
};

const sizes = [
  [1, 1, 1],
  [2, 3, 5],
  [1, 17, 63],
  [64, 65, 1],
  [63, 64, 65],
  [129, 17, 64],
  [5, 129, 128],
  [65, 33, 129],
  [128, 32, 64],
  [130, 20, 68],
] as const;

/** Numbers in [−1, 1], of which elementary functions lose little. */
const small = (shape: readonly number[], seed: number): Node =>
  bufferNode(
    shape,
    new HostStorage(
      'float32',
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * seed + seed)),
    ),
  );

/** Numbers that are the same within so much. */
const close = (got: Float32Array, wanted: ArrayLike<number>, room: number, what: string): void => {
  expect(got.length, what).toBe(wanted.length);
  const off = got.findIndex((x, i) => !(Math.abs(x - wanted[i]!) <= room));
  if (off >= 0) expect.fail(`${what}: element ${off} is ${got[off]} instead of ${wanted[off]} ± ${room}`);
};

const spread = (x: Node, shape: readonly number[]): Node => b.broadcast(x, { shape });

const convolutions: Record<string, Check> = Object.fromEntries(
  Object.entries(convCases).map(([name, one], number): [string, Check] => [
    `convolutions ${name}`,
    async place => {
      for (const [i, of] of roles.entries()) {
        const [x, y] = convOperands(one, of);
        const seen: readonly [Node, Node] = (i + number) % 2 === 0 ? [x, y] : [views.flipped!(x), views.turned!(y)];
        const { arrays } = await runOn(place, [conv(one, of, seen)]);
        near(arrays[0]!, convolved(one, of, computed(x), computed(y)), of);
      }
    },
  ]),
);

export const contractionChecks: Readonly<Record<string, Check>> = {
  'products of odd sizes': async place => {
    for (const [m, k, n] of sizes) {
      // Large tiles and small ones.
      await products(place, [1, m, k, n], { threads: n % 2 === 0 ? 1 : 1024 });
    }
  },
  'stacks of products': async place => {
    for (const batch of [2, 5]) await products(place, [batch, 17, 9, 40]);
    await products(place, [70, 3, 2, 4]);
  },
  'products of what is seen through views': async place => {
    const all: Record<string, (x: Node) => Node> = { ...views, padded: x => padded(x, 1, 2) };
    const names = Object.keys(all);
    for (const [i, name] of names.entries()) {
      const other = names[(i + 1) % names.length]!;
      const { passes } = await products(place, [2, 20, 12, 36], { threads: 1 }, [all[name]!, all[other]!]);
      expect(passes.length, `${name} and ${other}: read in place`).toBe(1);
    }
  },
  'products along several axes': async place => {
    const [x, y] = [noiseOf([3, 4, 6, 5], 1), noiseOf([5, 7, 4, 3], 2)];
    const sum = b.dotGeneral(x, y, { lhsContract: [0, 3], rhsContract: [3, 0], lhsBatch: [1], rhsBatch: [2] });
    const { arrays } = await runOn(place, [sum]);
    const [left, right] = [turned(x, [1, 2, 0, 3]), turned(y, [2, 3, 0, 1])];
    near(arrays[0]!, productOf([4, 6, 15, 7], computed(left), computed(right)), 'several axes');
  },
  'vectors and numbers': async place => {
    const [x, y] = [noiseOf([3000], 1), noiseOf([3000], 2)];
    const { arrays } = await runOn(place, [dot(x, y)], { threads: 512 });
    near(arrays[0]!, productOf([1, 1, 3000, 1], computed(x), computed(y)), 'of two vectors');
    const half = spread(b.constant({ value: { value: 0.5, class: 2 } as never, dtype: 'float32' }), [3000, 2]);
    const { arrays: sums } = await runOn(place, [dot(x, half)]);
    near(sums[0]!, productOf([1, 1, 3000, 2], computed(x), new Float32Array(6000).fill(0.5)), 'with a number');
    const [one, other] = [noiseOf([9, 1], 3), noiseOf([1, 20], 4)];
    const { arrays: outer } = await runOn(place, [dot(one, other)]);
    near(outer[0]!, productOf([1, 9, 1, 20], computed(one), computed(other)), 'outer');
  },
  'terms that several share': async place => {
    const { passes } = await products(place, [1, 12, 3001, 8], { threads: 4096 });
    expect(passes.length).toBeGreaterThan(1);
    await products(place, [2, 7, 2500, 20], { threads: 8192 });
    const one = { n: 40, g: 1, o: 3, c: 4, size: [20], kernel: [3], strides: [2], padding: [[1, 1]] as const };
    const [x, y] = convOperands(one, 'kernel');
    const { arrays } = await runOn(place, [conv(one, 'kernel', [x, y])], { threads: 2048 });
    near(arrays[0]!, convolved(one, 'kernel', computed(x), computed(y)), 'the gradient of a kernel');
  },
  'the same bits every time': async place => {
    const [x, y] = [noiseOf([20, 700], 1), noiseOf([700, 30], 2)];
    const [first, second] = [await runOn(place, [dot(x, y)]), await runOn(place, [dot(x, y)])];
    expect(first.arrays[0]).toEqual(second.arrays[0]);
  },
  ...convolutions,
  'convolutions of what is padded outside': async place => {
    const one = {
      n: 2,
      g: 2,
      o: 3,
      c: 5,
      size: [9, 11],
      kernel: [5, 4],
      strides: [2, 1],
      padding: [
        [1, 2],
        [0, 1],
      ] as const,
    };
    for (const of of roles) {
      const [x, y] = convOperands(one, of).map(operand => padded(operand, 1, 2)) as [Node, Node];
      const { arrays, passes } = await runOn(place, [conv(one, of, [x, y])], { threads: 1 });
      near(arrays[0]!, convolved(one, of, computed(x), computed(y)), of);
      expect(passes.length, `${of}: read in place`).toBe(1);
    }
  },
  'kernels behind products': async place => {
    const [m, k, n] = [21, 30, 44];
    const [x, y, bias, residual] = [small([m, k], 1.7), small([k, n], 2.3), small([n], 0.9), small([m, n], 3.1)];
    // Made anew each time: what others are built on is stored as well.
    const biased = (): Node => b.add(dot(x, y), spread(bias, [m, n]));
    const roots: Record<string, () => readonly Node[]> = {
      'bias and activation': () => {
        const sum = biased();
        return [b.mul(b.tanh(sum), b.sigmoid(sum))];
      },
      'a residual': () => [b.add(biased(), residual)],
      'several results': () => {
        const sum = biased();
        return [b.tanh(sum), b.add(sum, residual)];
      },
      'the product as well': () => {
        const product = dot(x, y);
        return [product, b.tanh(product)];
      },
      'a comparison': () => [b.cast(b.lt(residual, biased()), { dtype: 'float32' })],
      'other axes': () => [
        b.mul(b.reshape(dot(x, y), { shape: [3, 7, 4, 11] }), spread(small([7, 1, 11], 1.1), [3, 7, 4, 11])),
      ],
    };
    for (const [name, make] of Object.entries(roots)) {
      for (const threads of [1, 2 ** 14]) {
        const nodes = make();
        const { arrays, passes } = await runOn(place, nodes, { threads });
        nodes.forEach((node, i) => {
          // 30 terms of at most 1, twice over; what gpu.js has for tanh is off by 1.5e-5.
          close(arrays[i]!, computed(node), 6e-5, `${name}, result ${i}`);
        });
        if (threads === 1 && (nodes.length === 1 || place.traits.shaders)) expect(passes.length, name).toBe(1);
      }
    }
  },
  'kernels behind products whose terms several share': async place => {
    const [m, k, n] = [20, 400, 30];
    const [x, y, residual] = [small([m, k], 1.7), small([k, n], 2.3), small([m, n], 3.1)];
    // Made anew each time, as above.
    const gains = (): Node => spread(small([4, 1, 30], 1.1), [4, 5, 30]);
    const roots: Record<string, () => readonly Node[]> = {
      'a residual': () => [b.max(b.add(dot(x, y), residual), residual)],
      'other axes': () => [b.mul(b.reshape(dot(x, y), { shape: [4, 5, 30] }), gains())],
      'a number': () => [b.cast(b.lt(residual, dot(x, y)), { dtype: 'float32' })],
      'several results': () => {
        const product = dot(x, y);
        return [b.neg(product), b.add(product, residual)];
      },
      'the product as well': () => {
        const product = dot(x, y);
        return [product, b.neg(product)];
      },
    };
    for (const [name, make] of Object.entries(roots)) {
      for (const threads of [2 ** 12, 2 ** 16]) {
        const nodes = make();
        const { arrays, passes } = await runOn(place, nodes, { threads });
        nodes.forEach((node, i) => {
          // 400 terms of at most 1.
          close(arrays[i]!, computed(node), 4e-4, `${name}, result ${i}`);
        });
        if (!place.traits.shaders) continue;
        // The parts, and what adds them up.
        if (nodes.length === 1) expect(passes.length, name).toBe(2);
        else expect(passes.length, name).toBeGreaterThan(2);
      }
    }
  },
  'kernels behind convolutions': async place => {
    const one = {
      n: 2,
      g: 2,
      o: 8,
      c: 6,
      size: [9, 8],
      kernel: [3, 3],
      strides: [2, 1],
      padding: [
        [1, 1],
        [1, 1],
      ] as const,
    };
    for (const of of roles) {
      const operands = convOperands(one, of);
      const product = conv(one, of, operands);
      const bias = small(product.shape.slice(1, 3), 1.3);
      const shape = product.shape;
      const sum = b.add(product, spread(b.reshape(bias, { shape: [1, ...bias.shape, 1, 1] }), shape));
      const { arrays } = await runOn(place, [b.max(sum, product)]);
      const [x, y] = operands.map(operand => computed(operand)) as [Float32Array, Float32Array];
      const wanted = convolved(one, of, x, y);
      const biases = computed(bias);
      const inner = shape[3]! * shape[4]!;
      near(
        arrays[0]!,
        i => {
          const { value, magnitude, terms } = wanted(i);
          const extra = biases[Math.floor(i / inner) % biases.length]!;
          return { value: value + Math.max(0, extra), magnitude: magnitude + Math.abs(extra), terms: terms + 1 };
        },
        of,
      );
    }
  },
  'integers modulo 2^32': async place => {
    const [m, k, n] = [9, 20, 16];
    for (const dtype of ['int32', 'uint32'] as const) {
      const elements = (size: number, f: (i: number) => number): Int32Array | Uint32Array =>
        dtype === 'int32'
          ? Int32Array.from({ length: size }, (_, i) => f(i))
          : Uint32Array.from({ length: size }, (_, i) => f(i));
      const make = (size: number, seed: number): Int32Array | Uint32Array =>
        elements(size, i => Math.imul(i + seed, 0x9e3779b1));
      const [left, right] = [make(m * k, 1), make(k * n, 1000)];
      const x = bufferNode([m, k], new HostStorage(dtype, left));
      const y = bufferNode([k, n], new HostStorage(dtype, right));
      const { arrays } = await runOn(place, [dot(x, y)]);
      const got = elements(m * n, i => arrays[0]![2 * i]! + 65536 * arrays[0]![2 * i + 1]!);
      const wanted = elements(m * n, i =>
        range(k).reduce(
          (sum, l) => (sum + Math.imul(left[Math.floor(i / n) * k + l]!, right[l * n + (i % n)]!)) | 0,
          0,
        ),
      );
      expect(got).toEqual(wanted);
    }
  },
  'zeros of padding are terms, and beyond the result of a strided convolution there are none': async place => {
    const one = { n: 1, g: 1, o: 1, c: 1, size: [9], kernel: [3], strides: [2], padding: [[1, 1]] as const };
    for (const of of ['output', 'input'] as const) {
      const [x, y] = convOperands(one, of).map(operand => computed(operand).slice()) as [Float32Array, Float32Array];
      const kernel = of === 'output' ? y : x;
      kernel[0] = Number.POSITIVE_INFINITY;
      const shapes = convOperands(one, of).map(({ shape }) => shape);
      const nodes = [x, y].map((array, i) => bufferNode(shapes[i]!, new HostStorage('float32', array)));
      const { arrays } = await runOn(place, [conv(one, of, nodes as [Node, Node])]);
      const wanted = convolved(one, of, x, y);
      arrays[0]!.forEach((got, i) => {
        const { value } = wanted(i);
        expect(Number.isFinite(got), `${of} ${i}: ${got} instead of ${value}`).toBe(Number.isFinite(value));
      });
    }
  },
};
