/**
 * Bits do not depend on circumstances: a sum of the same terms has the same bits wherever the axis is, whatever the operand
 * is a view of, and whatever else its kernel does; and so have products.
 */
import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { allocate, type FloatDType, type TypedArray } from '../../src/tensor/dtype.js';
import { bufferNode, DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { range, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { graphs as bodies } from '../../src/tensor/transform/graphs.js';
import { below, randomOf, shuffled } from './differential.js';

/** The value of one root, the others in the same program. */
const computed = (root: Node, ...others: readonly Node[]): TypedArray => {
  const { program, scalars, leaves, stored } = programOfPending([root, ...others]);
  const values = wasmBackend.compile(program).run(
    leaves.map(each => each.value as Storage),
    scalars,
  );
  return (values[stored.indexOf(root)] as Storage).readSync();
};

const leaf = (shape: Shape, array: TypedArray, dtype: FloatDType): Node =>
  bufferNode(shape, new HostStorage(dtype, array));

/**
 * Terms of all magnitudes, the larger ones in pairs that cancel: what is left of the others meanwhile depends on the order,
 * even where float32 are added in float64.
 */
const termsOf = (length: number, dtype: FloatDType, seed: number): TypedArray => {
  const random = randomOf(seed);
  const terms = allocate(dtype, length).map(() => (random() - 0.5) * 2 ** (random() * 10 - 5));
  const places = shuffled(random, range(length));
  for (let i = 0; i + 1 < length / 2; i += 2) {
    terms[places[i]!] = (random() - 0.5) * 2 ** (38 + random() * 10);
    terms[places[i + 1]!] = -terms[places[i]!]!;
  }
  return terms;
};

/** The terms at one place of an array of this shape, along the axis; other numbers everywhere else. */
const placed = (terms: TypedArray, shape: Shape, axis: number, at: readonly number[], dtype: FloatDType): Node => {
  const array = termsOf(sizeOf(shape), dtype, 5);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((p, n) => p * n, 1));
  const start = at.reduce((sum, index, i) => sum + (i === axis ? 0 : index * strides[i]!), 0);
  terms.forEach((term, i) => {
    array[start + i * strides[axis]!] = term;
  });
  return leaf(shape, array, dtype);
};

const number = (value: number, { shape, dtype }: Node): Node =>
  b.broadcast(b.constant({ value: new DynamicNumber(value), dtype }), { shape });
const sum = (x: Node, ...axes: readonly number[]): Node => b.sum(x, { axes });

type Circumstance = (terms: TypedArray, dtype: FloatDType) => number | undefined;

/** The sum of the terms in all the ways that there are to come by it. */
const circumstances: Readonly<Record<string, Circumstance>> = {
  alone: (terms, dtype) => computed(sum(leaf([terms.length], terms, dtype), 0))[0],
  'a row among others': (terms, dtype) => computed(sum(placed(terms, [7, terms.length], 1, [4, 0], dtype), 1))[4],
  'a column among others': (terms, dtype) => computed(sum(placed(terms, [terms.length, 6], 0, [0, 5], dtype), 0))[5],
  'a column of so many that they are done in strips': (terms, dtype) =>
    terms.length > 300 ? undefined : computed(sum(placed(terms, [terms.length, 601], 0, [0, 599], dtype), 0))[599],
  'an axis in the middle': (terms, dtype) =>
    computed(sum(placed(terms, [3, terms.length, 5], 1, [2, 0, 3], dtype), 1))[2 * 5 + 3],
  'over two axes': (terms, dtype) => {
    const first = range(terms.length + 1).findLast(n => n > 0 && n * n <= terms.length && terms.length % n === 0)!;
    const shape = [2, first, terms.length / first];
    const both = allocate(dtype, 2 * terms.length);
    both.set(terms, terms.length);
    return computed(sum(leaf(shape, both, dtype), 1, 2))[1];
  },
  'over axes that are apart': (terms, dtype) => {
    // [first, 4, second], of which place 2 in the middle has the terms.
    const first = range(terms.length + 1).findLast(n => n > 0 && n * n <= terms.length && terms.length % n === 0)!;
    const second = terms.length / first;
    const array = termsOf(4 * terms.length, dtype, 3);
    terms.forEach((term, i) => {
      array[(Math.floor(i / second) * 4 + 2) * second + (i % second)] = term;
    });
    return computed(sum(leaf([first, 4, second], array, dtype), 0, 2))[2];
  },
  'of a transposed view': (terms, dtype) =>
    computed(sum(b.permute(placed(terms, [terms.length, 5], 0, [0, 1], dtype), { axes: [1, 0] }), 1))[1],
  'of a flipped view': (terms, dtype) =>
    computed(sum(b.flip(leaf([terms.length], terms.slice().reverse(), dtype), { axes: [0] }), 0))[0],
  'of every third element': (terms, dtype) => {
    const long = termsOf(3 * terms.length, dtype, 8);
    terms.forEach((term, i) => {
      long[3 * i + 1] = term;
    });
    return computed(
      sum(b.slice(leaf([long.length], long, dtype), { start: [1], stop: [long.length], step: [3] }), 0),
    )[0];
  },
  'of a part of a row, on no boundary of vectors': (terms, dtype) => {
    const long = termsOf(terms.length + 6, dtype, 9);
    long.set(terms, 3);
    const cut = b.slice(leaf([long.length], long, dtype), { start: [3], stop: [terms.length + 3], step: [1] });
    return computed(sum(cut, 0))[0];
  },
  'of a view that has been written out': (terms, dtype) => {
    const x = b.permute(placed(terms, [terms.length, 3], 0, [0, 1], dtype), { axes: [1, 0] });
    return computed(sum(leaf([3, terms.length], computed(x), dtype), 1))[1];
  },
  'fused with what makes the terms': (terms, dtype) => {
    const half = leaf(
      [2, terms.length],
      Float64Array.from([...terms, ...terms], x => x / 2),
      'float64',
    );
    const x = b.cast(half, { dtype });
    return computed(sum(b.add(x, x), 1))[1];
  },
  'fused with what makes the terms, across': (terms, dtype) => {
    const x = placed(terms, [terms.length, 9], 0, [0, 8], dtype);
    return computed(sum(b.neg(b.mul(b.abs(x), b.sign(b.neg(x)))), 0))[8];
  },
  'fused with what uses the sum': (terms, dtype) => {
    const total = sum(placed(terms, [4, terms.length], 1, [3, 0], dtype), 1);
    return computed(b.mul(total, number(-2, total)))[3]! / -2;
  },
  'stored beside the terms': (terms, dtype) => {
    const x = placed(terms, [4, terms.length], 1, [3, 0], dtype);
    const y = b.neg(x);
    return -computed(sum(y, 1), y)[3]!;
  },
  'beside other reductions': (terms, dtype) => {
    const x = placed(terms, [4, terms.length], 1, [3, 0], dtype);
    return computed(sum(x, 1), b.reduceMax(x, { axes: [1] }), sum(b.abs(x), 1))[3];
  },
  'beside other reductions, across': (terms, dtype) => {
    const x = placed(terms, [terms.length, 4], 0, [0, 3], dtype);
    return computed(sum(x, 0), b.reduceMax(x, { axes: [0] }), sum(b.abs(x), 0))[3];
  },
  'in a kernel with values of 64 bits': (terms, dtype) => {
    const x = placed(terms, [4, terms.length], 1, [3, 0], dtype);
    return computed(
      sum(x, 1),
      sum(b.cast(x, { dtype: 'float64' }), 1),
      sum(b.exp(b.cast(b.neg(b.abs(x)), { dtype: 'float64' })), 1),
    )[3];
  },
  'in a kernel with values of 64 bits, across': (terms, dtype) => {
    const x = placed(terms, [terms.length, 3], 0, [0, 2], dtype);
    return computed(sum(x, 0), sum(b.exp(b.cast(b.neg(b.abs(x)), { dtype: 'float64' })), 0))[2];
  },
  'in a row that is walked through again': (terms, dtype) => {
    const x = placed(terms, [4, terms.length], 1, [3, 0], dtype);
    const total = sum(x, 1);
    const spread = b.broadcast(b.reshape(total, { shape: [4, 1] }), { shape: x.shape });
    return computed(total, b.sub(x, spread), sum(b.abs(b.sub(x, spread)), 1))[3];
  },
  'of every step of a fold': (terms, dtype) => {
    const xs = placed(terms, [3, terms.length], 1, [2, 0], dtype);
    const zero = number(0, leaf([], allocate(dtype, 1), dtype));
    const avals = [
      { shape: [], dtype },
      { shape: [terms.length], dtype },
    ] as const;
    const body = bodies.trace(avals, ([carry, x]) => [carry!, sum(x!, 0)]);
    const tuple = b.fold([zero, xs], { body, length: 3, captures: 0, carries: 1, reverse: false });
    return computed(b.output(tuple, { index: 1 }))[2];
  },
};

/** All up to 40, the places where something changes, and some of the others. */
const lengths = (seed: number): readonly number[] => {
  const random = randomOf(seed);
  const edges = [63, 64, 65, 127, 128, 129, 255, 256, 257, 1016, 1023, 1024, 1025, 1031, 1032, 1033, 2047, 2048, 2049];
  return [...range(40).map(i => i + 1), ...edges, ...range(12).map(() => 1 + below(random, 3000)), 3000];
};

describe('sums', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    it(`of ${dtype} have the same bits in all circumstances`, () => {
      for (const length of lengths(dtype === 'float32' ? 1 : 2)) {
        const terms = termsOf(length, dtype, length);
        const wanted = circumstances.alone!(terms, dtype);
        for (const [name, circumstance] of Object.entries(circumstances)) {
          const got = circumstance(terms, dtype);
          if (got !== undefined && got !== wanted) {
            expect.fail(`${length} terms, ${name}: ${got} instead of ${wanted}`);
          }
        }
      }
    });
  }

  it('would notice terms that are added in another order', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const other = [17, 33, 100, 300, 1000, 1100, 2500, 3000].filter(length => {
        const terms = termsOf(length, dtype, length);
        return circumstances.alone!(terms, dtype) !== circumstances.alone!(terms.slice().reverse(), dtype);
      });
      expect(other.length).toBeGreaterThan(3);
    }
  });
});

describe('products', () => {
  const params = (l: number, r: number) => ({ lhsBatch: [], rhsBatch: [], lhsContract: [l], rhsContract: [r] });
  it('have the same bits for a row and a column of many, for turned operands, in batches', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const [m, k, n] of [
        [5, 7, 9],
        [4, 64, 8],
        [13, 1025, 6],
        [1, 300, 17],
        [33, 2, 1],
      ] as const) {
        const [left, right] = [termsOf(m * k, dtype, 1), termsOf(k * n, dtype, 2)];
        const [x, y] = [leaf([m, k], left, dtype), leaf([k, n], right, dtype)];
        const wanted = [...computed(b.dotGeneral(x, y, params(1, 0)))];
        const turned = (z: Node): Node => b.permute(z, { axes: [1, 0] });
        const written = (z: Node): Node => leaf(turned(z).shape, computed(turned(z)), dtype);
        expect([...computed(b.dotGeneral(written(x), y, params(0, 0)))]).toEqual(wanted);
        expect([...computed(b.dotGeneral(turned(written(x)), turned(written(y)), params(1, 0)))]).toEqual(wanted);
        expect([...computed(turned(b.dotGeneral(y, x, params(0, 1))))]).toEqual(wanted);
        const [i, j] = [m >> 1, n - 1];
        const row = b.slice(x, { start: [i, 0], stop: [i + 1, k], step: [1, 1] });
        const column = b.slice(y, { start: [0, j], stop: [k, n], step: [1, 1] });
        expect([...computed(b.dotGeneral(row, column, params(1, 0)))]).toEqual([wanted[i * n + j]]);
        const batch = (z: Node): Node => b.broadcast(z, { shape: [3, ...z.shape] });
        const batched = b.dotGeneral(batch(x), batch(y), {
          lhsBatch: [0],
          rhsBatch: [0],
          lhsContract: [2],
          rhsContract: [1],
        });
        expect([...computed(batched)]).toEqual([...wanted, ...wanted, ...wanted]);
      }
    }
  });
});

describe('a program', () => {
  it('gives the same bits again, after others and beside others', () => {
    const x = leaf([50, 70], termsOf(3500, 'float32', 1), 'float32');
    const make = (): Node =>
      sum(b.exp(b.neg(b.abs(b.sub(x, b.broadcast(b.reduceMax(x, { axes: [0] }), { shape: [50, 70] }))))), 1);
    const wanted = [...computed(make())];
    for (let i = 1; i < 40; i++) {
      const other = leaf([i, 97], termsOf(97 * i, 'float32', i), 'float32');
      computed(sum(b.mul(other, other), i % 2));
      if (i % 10 === 0) expect([...computed(make())]).toEqual(wanted);
      expect([...computed(make(), sum(b.tanh(x), i % 2), b.mul(x, number(i, x)))]).toEqual(wanted);
    }
  });

  it('has the kernels that are meant here: along, across, fused and not', () => {
    const kernels = (...roots: readonly Node[]): number => planOf(programOfPending(roots).program).steps.length;
    const x = leaf([9, 100], termsOf(900, 'float32', 1), 'float32');
    const y = b.neg(x);
    expect(kernels(sum(y, 1), y)).toBe(1);
    expect(kernels(sum(x, 0), b.reduceMax(x, { axes: [0] }))).toBe(1);
    expect(kernels(sum(x, 0), sum(x, 1))).toBe(2);
  });
});
