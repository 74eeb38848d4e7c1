/** Kernels beside the reference at the lengths, dtypes and views at which they change what they do. */
import * as fc from 'fast-check';
import { exp, logSoftmax, logsumexp, mean, mul, softmax, std, sub, type Tensor, variance } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { type WasmMemory, wasmApi } from '../../src/tensor/backend/wasm/api.js';
import { link } from '../../src/tensor/backend/wasm/assembler.js';
import { libraryFunctions } from '../../src/tensor/backend/wasm/contraction/library.js';
import { writeProgram } from '../../src/tensor/backend/wasm/emit.js';
import { hasFma } from '../../src/tensor/backend/wasm/features.js';
import { functionsFor } from '../../src/tensor/backend/wasm/imports.js';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { allocate, bytesOf, type DType, dtypes, isFloat, type TypedArray } from '../../src/tensor/dtype.js';
import { bufferNode, DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { range, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import { compare, graphs, randomArray, randomOf } from './differential.js';
import { rowGraphs } from './row-graphs.js';

const numeric: readonly DType[] = ['float32', 'float64', 'int32', 'uint32'];
const floats: readonly DType[] = ['float32', 'float64'];

const leafOf = (shape: Shape, dtype: DType, array: TypedArray): Node =>
  bufferNode(shape, new HostStorage(dtype, array));
/** Moderate values. */
const leaf = (shape: Shape, dtype: DType = 'float32', seed = sizeOf(shape)): Node =>
  leafOf(shape, dtype, randomArray(randomOf(seed), dtype, sizeOf(shape), 0));
const number = (value: number, { shape, dtype }: Node): Node =>
  b.broadcast(b.constant({ value: new DynamicNumber(value), dtype }), { shape });

/** Compares, and sees to it that there was something to compare. */
const check = (roots: readonly Node[], share = 1): void => {
  const { elements, compared } = compare(roots, wasmBackend);
  if (compared < share * elements) expect.fail(`only ${compared} of ${elements} elements are known`);
};

const reduced = (x: Node, axes: readonly number[]): Node[] => [
  b.sum(x, { axes }),
  b.reduceMax(x, { axes }),
  b.reduceMin(x, { axes }),
];

describe('reductions', () => {
  const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 1023, 1024, 1025, 1031, 1032, 1033, 2048, 2049, 5000];

  for (const dtype of numeric) {
    it(`of ${dtype} along, across and between, each alone and all in one kernel`, () => {
      for (const length of lengths) {
        const [along, across, between] = [
          leaf([3, length], dtype),
          leaf([length, 5], dtype),
          leaf([2, length, 3], dtype),
        ];
        const cases = [
          [along, [1]],
          [across, [0]],
          [between, [1]],
        ] as const;
        for (const [x, axes] of cases) check(reduced(x, axes));
        for (let i = 0; i < 3; i++) check(cases.map(([x, axes]) => reduced(x, axes)[i]!));
      }
    });
  }

  it('over one, two and three axes, neighbours or not', () => {
    for (const shape of [
      [3, 5, 7],
      [9, 33, 4],
      [2, 1, 300],
      [41, 5, 50],
      [1, 1030, 2],
    ]) {
      for (const dtype of numeric) {
        const x = leaf(shape, dtype);
        for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], [2, 0], []]) check(reduced(x, axes));
      }
    }
  });

  it('of NaN, infinities and zeros of both signs, wherever they stand', () => {
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    const fillings: readonly (readonly number[])[] = [
      [-0, -0],
      [0, -0],
      [-0, 0],
      [inf, -inf],
      [-inf, -inf],
      [inf, inf],
      [nan, nan],
    ];
    for (const dtype of floats) {
      for (const length of [1, 3, 4, 8, 13, 1024, 1030, 2050]) {
        const rows: TypedArray[] = fillings.map(([p, q]) => {
          const row = allocate(dtype, length).fill(p!);
          row[length - 1] = q!;
          return row;
        });
        const ordinary = randomArray(randomOf(length), dtype, length, 0);
        for (const place of [0, 1, length >> 1, length - 9, length - 2, length - 1]) {
          for (const value of [nan, inf, -inf]) {
            const row = ordinary.slice();
            if (place >= 0 && place < length) row[place] = value;
            rows.push(row);
          }
        }
        const all = allocate(dtype, rows.length * length);
        rows.forEach((row, i) => {
          all.set(row, i * length);
        });
        const x = leafOf([rows.length, length], dtype, all);
        const turned = b.permute(x, { axes: [1, 0] });
        // Written out, so that it is walked through across.
        const columns = leafOf(
          [length, rows.length],
          dtype,
          (
            wasmBackend.compile(programOfPending([turned]).program).run([x.value as Storage], [])[0] as Storage
          ).readSync(),
        );
        for (const [operand, axes] of [
          [x, [1]],
          [columns, [0]],
        ] as const) {
          check(reduced(operand, axes));
          for (const one of reduced(operand, axes)) check([one]);
        }
      }
    }
  });

  it('says that the largest and smallest of zeros is a zero without sign, however it is reached', () => {
    for (const dtype of floats) {
      for (const [length, place] of [
        [5, 0],
        [5, 4],
        [1500, 3],
        [1500, 1499],
      ] as const) {
        const array = allocate(dtype, length).fill(-0);
        array[place] = 0;
        const x = leafOf([length], dtype, array);
        const both = b.broadcast(b.reshape(x, { shape: [length, 1] }), { shape: [length, 3] });
        const roots = [x, both].flatMap(y => [b.reduceMax(y, { axes: [0] }), b.reduceMin(y, { axes: [0] })]);
        const { program, scalars } = programOfPending(roots);
        for (const result of wasmBackend.compile(program).run([x.value as Storage], scalars))
          for (const value of (result as Storage).readSync()) expect(Object.is(value, 0)).toBe(true);
      }
    }
  });
});

describe('phases that are interleaved', () => {
  it.each(dtypes)('of %s, in vectors with gaps between them', dtype => {
    for (const phases of [2, 3, 5, 7]) {
      for (const length of [8, 9, 31]) {
        const [x, y] = [leaf([3, length, 1], dtype), leaf([3, length, 1], dtype)];
        const own = leaf([3, length, phases], dtype);
        const shape = [3, length, phases];
        const [p, q] = [b.broadcast(x, { shape }), b.broadcast(y, { shape })];
        const phase = b.eq(b.iota({ shape, dtype: 'int32', axis: 2 }), number(1, leaf(shape, 'int32')));
        check([b.select(phase, p, q), b.select(b.eq(p, q), own, p), b.cast(p, { dtype: 'float64' })]);
        const padded = b.pad(leaf([3, length - 2, 1], dtype), { low: [0, 1, 0], high: [0, 1, 0], interior: [0, 0, 0] });
        check([b.select(phase, b.broadcast(padded, { shape }), q)]);
      }
    }
  });
});

describe('products', () => {
  const lengths = [1, 2, 3, 7, 8, 9, 17, 33, 1023, 1025, 2049];

  it.each(numeric)('of %s along, across and between', dtype => {
    for (const length of lengths) {
      for (const [shape, axis] of [
        [[3, length], 1],
        [[length, 5], 0],
        [[2, length, 3], 1],
      ] as const) {
        const array = allocate(dtype, sizeOf(shape));
        const u = randomOf(length);
        for (let i = 0; i < array.length; i++) array[i] = isFloat(dtype) ? 0.9 + 0.2 * u() : 1 + Math.floor(7 * u());
        const x = leafOf(shape, dtype, array);
        check([b.prod(x, { axes: [axis] }), b.prod(x, { axes: shape.map((_, i) => i) }), b.sum(x, { axes: [axis] })]);
      }
    }
  });
});

describe('rows that are walked through several times', () => {
  const normalised = (x: Tensor, axis: number): Tensor => mul(sub(x, mean(x, { axis, keepDims: true })), 0.5) as Tensor;
  const programs: Readonly<Record<string, (x: Tensor, axis: number) => Tensor>> = {
    softmax: (x, axis) => softmax(x, { axis }),
    logSoftmax: (x, axis) => logSoftmax(x, { axis }),
    variance: (x, axis) => variance(x, { axis }),
    'log-sum-exp': (x, axis) => logsumexp(x, { axis }),
    'values by their standard deviation': (x, axis) => mul(x, std(x, { axis, keepDims: true })) as Tensor,
    'normalise, exp, normalise': (x, axis) => normalised(exp(normalised(x, axis)) as Tensor, axis),
    'softmax of softmax': (x, axis) => softmax(mul(softmax(x, { axis }), 3), { axis }),
  };
  for (const [name, program] of Object.entries(programs)) {
    it(name, () => {
      for (const dtype of floats) {
        for (const length of [...range(40).map(i => i + 1), 1000, 1025]) {
          const roots = [program(wrap(leaf([3, length], dtype)), 1), program(wrap(leaf([length, 3], dtype)), 0)];
          // The square root of a variance that is 0 but for rounding may be anything.
          check(roots.map(nodeOf), length < 3 ? 0.3 : 0.99);
        }
      }
      // The longest row that stays in the cache, and beyond.
      for (const length of [2 ** 16, 70_000]) check([nodeOf(program(wrap(leaf([2, length])), 1))], 0.99);
    });
  }
});

describe('rows of many values', () => {
  it('keep several dear ones from walk to walk', () => {
    for (const dtype of floats) {
      for (const length of [3, 8, 21, 300, 1029]) {
        const shape = [4, length];
        const over = (x: Node): Node =>
          b.broadcast(b.reshape(b.sum(b.mul(x, number(1 / length, x)), { axes: [1] }), { shape: [4, 1] }), { shape });
        const x = leaf(shape, dtype);
        const [p, q, r] = [b.exp(x), b.tanh(x), b.sigmoid(b.neg(x))];
        const mixed = b.add(b.mul(p, over(q)), b.sub(b.mul(q, over(r)), b.mul(r, over(p))));
        const again = b.cos(mixed);
        check([b.sub(b.mul(b.cast(b.lt(p, over(r)), { dtype }), again), b.add(over(again), q))], 0.9);
      }
    }
  });

  it('are cut into kernels that engines take: of many long functions, walked through in eight parts', () => {
    for (const op of ['pow', 'erf'] as const) {
      let x = b.abs(leaf([2, 1007], 'float64'));
      for (let i = 0; i < 120; i++) x = op === 'pow' ? b.pow(x, number(0.5 + (i % 3), x)) : b[op](x);
      const { program, scalars, leaves } = programOfPending([b.sum(x, { axes: [1] })]);
      const given = leaves.map(each => each.value as Storage);
      expect(wasmBackend.compile(program).run(given, scalars)).toHaveLength(1);
    }
  });
});

describe('values stored beside reductions of them', () => {
  it('of any length, along and across', () => {
    for (const dtype of numeric) {
      for (const length of [1, 2, 3, 5, 7, 8, 9, 16, 17, 100, 1027]) {
        for (const other of [1, 3, 4, 9, 260]) {
          if (length * other > 30_000) continue;
          for (const [shape, axes] of [
            [[other, length], [1]],
            [[length, other], [0]],
          ] as const) {
            const x = b.sub(leaf(shape, dtype), leaf(shape, dtype, 2));
            const y = b.abs(x);
            check([x, y, ...reduced(x, axes)]);
            check([y, b.sum(y, { axes })]);
          }
        }
      }
    }
  });

  it('rows are stored with values that are made of them', () => {
    for (const length of [4, 16, 17, 300, 1029]) {
      const x = leaf([5, length]);
      const rows = b.reduceMax(x, { axes: [1] });
      const spread = b.broadcast(b.reshape(rows, { shape: [5, 1] }), { shape: [5, length] });
      const low = b.sub(x, spread);
      check([rows, low, b.sum(low, { axes: [1] }), b.neg(rows)]);
    }
  });
});

describe('values of several widths in one kernel', () => {
  it('casts in chains, there and back', () => {
    for (const [i, from] of dtypes.entries()) {
      for (const by of dtypes) {
        for (const to of dtypes) {
          const roots = [1, 5, 67].map(length => {
            const x = leaf([length], from, 7 * i + length);
            return b.cast(b.cast(b.cast(x, { dtype: by }), { dtype: to }), { dtype: from });
          });
          const x = leaf([67], from);
          const middle = b.cast(x, { dtype: by });
          check([...roots, middle, b.cast(middle, { dtype: to })]);
        }
      }
    }
  });

  it('comparisons, choices and sums of one width decided by another', () => {
    for (const length of [1, 2, 3, 5, 8, 33, 130]) {
      const shape = [3, length];
      for (const wide of [true, false]) {
        const [x, y] = [leaf(shape, wide ? 'float64' : 'float32', 3), leaf(shape, wide ? 'float32' : 'float64', 4)];
        const [whole, byte, flag] = [leaf(shape, 'int32', 5), leaf(shape, 'uint8', 6), leaf(shape, 'bool', 7)];
        const above = b.lt(x, b.cast(y, { dtype: x.dtype }));
        const mask = b.xor(b.and(above, b.ne(whole, number(0, whole))), flag);
        const roots = [
          mask,
          b.select(mask, y, b.cast(byte, { dtype: y.dtype })),
          b.select(mask, whole, b.cast(x, { dtype: 'int32' })),
          b.select(above, byte, b.cast(mask, { dtype: 'uint8' })),
          b.add(b.cast(mask, { dtype: x.dtype }), b.cast(flag, { dtype: x.dtype })),
        ];
        check(roots);
        const reductions = [
          b.cast(mask, { dtype: 'int32' }),
          b.cast(byte, { dtype: 'uint32' }),
          whole,
          y,
          b.select(mask, x, b.cast(whole, { dtype: x.dtype })),
        ];
        for (const axes of [[0], [1]]) check(reductions.flatMap(each => reduced(each, axes)));
      }
    }
  });
});

describe('loads through views', () => {
  /** Views of this shape: a buffer that is larger, turned, cut. */
  const views: Readonly<Record<string, (shape: Shape, dtype: DType, axis: number) => Node>> = {
    whole: (shape, dtype) => leaf(shape, dtype),
    flipped: (shape, dtype, axis) => b.flip(leaf(shape, dtype), { axes: [axis] }),
    strided: (shape, dtype, axis) => {
      const step = shape.map((_, i) => (i === axis ? 3 : 1));
      const long = shape.map((n, i) => n * step[i]!);
      return b.slice(leaf(long, dtype), { start: shape.map(() => 0), stop: long, step });
    },
    'strided backwards': (shape, dtype, axis) => {
      const step = shape.map((_, i) => (i === axis ? 2 : 1));
      const long = shape.map((n, i) => n * step[i]!);
      const cut = b.slice(b.flip(leaf(long, dtype), { axes: [axis] }), { start: shape.map(() => 0), stop: long, step });
      return cut;
    },
    broadcast: (shape, dtype, axis) =>
      b.broadcast(
        leaf(
          shape.map((n, i) => (i === axis ? 1 : n)),
          dtype,
        ),
        { shape },
      ),
    'padded in front': (shape, dtype, axis) => {
      const low = shape.map((n, i) => (i === axis ? Math.ceil(n / 2) : 0));
      const none = shape.map(() => 0);
      return b.pad(
        leaf(
          shape.map((n, i) => n - low[i]!),
          dtype,
        ),
        { low, high: none, interior: none },
      );
    },
    'padded behind': (shape, dtype, axis) => {
      const high = shape.map((n, i) => (i === axis ? Math.ceil(n / 2) : 0));
      const none = shape.map(() => 0);
      return b.pad(
        leaf(
          shape.map((n, i) => n - high[i]!),
          dtype,
        ),
        { low: none, high, interior: none },
      );
    },
    'padded, strided and flipped': (shape, dtype, axis) => {
      const none = shape.map(() => 0);
      const long = shape.map((n, i) => (i === axis ? 2 * n : n));
      const inner = long.map((n, i) => (i === axis ? n - Math.min(3, n - 1) - 1 : n));
      const low = long.map((n, i) => (i === axis ? Math.min(3, n - 1) : 0));
      const padded = b.pad(leaf(inner, dtype), { low, high: long.map((_, i) => (i === axis ? 1 : 0)), interior: none });
      const step = shape.map((_, i) => (i === axis ? 2 : 1));
      return b.flip(b.slice(padded, { start: none, stop: long, step }), { axes: [axis] });
    },
    transposed: (shape, dtype) => b.permute(leaf([...shape].reverse(), dtype), { axes: [...shape.keys()].reverse() }),
    indices: (shape, dtype, axis) => b.iota({ shape, dtype: dtype === 'bool' ? 'int32' : dtype, axis }),
    'padded indices': (shape, dtype, axis) => {
      const low = shape.map((_, i) => (i === axis ? 1 : 0));
      const none = shape.map(() => 0);
      const whole = b.iota({
        shape: shape.map((n, i) => n - low[i]!),
        dtype: dtype === 'bool' ? 'float32' : dtype,
        axis,
      });
      return b.flip(b.pad(whole, { low, high: none, interior: none }), { axes: [axis] });
    },
  };
  for (const [name, view] of Object.entries(views)) {
    it(name, () => {
      for (const dtype of ['float32', 'float64', 'int32', 'uint8', 'bool'] as const) {
        for (const length of [1, 2, 3, 4, 5, 8, 9, 13, 16, 17, 40]) {
          for (const shape of [
            [3, length],
            [length, 6],
            [2, length, 5],
          ]) {
            for (const axis of shape.keys()) {
              const x = view(shape, dtype, axis);
              const other = leaf(shape, x.dtype, 99);
              const number = numeric.includes(x.dtype) ? x : b.cast(x, { dtype: 'float32' });
              check([
                b.select(b.ne(x, other), x, other),
                ...shape.flatMap((_, over) => reduced(number, [over]).slice(0, 2)),
              ]);
            }
          }
        }
      }
    });
  }

  it('of long strides behind padding, where addresses go below 0', () => {
    // The buffer is as low in memory as can be: nothing but it is large.
    for (const dtype of ['float32', 'float64', 'uint8'] as const) {
      const columns = b.permute(leaf([5, 700], dtype), { axes: [1, 0] });
      for (const low of range(8)) {
        const padded = b.pad(columns, { low: [0, low], high: [0, 1], interior: [0, 0] });
        const number = dtype === 'uint8' ? b.cast(padded, { dtype: 'float32' }) : padded;
        expectAlone([b.sum(number, { axes: [1] })]);
        expectAlone([b.sum(b.flip(number, { axes: [1] }), { axes: [1] })]);
      }
    }
  });

  it('of which nothing is valid, in any shape', () => {
    for (const dtype of ['float32', 'float64', 'int32'] as const) {
      const nothing = b.pad(leaf([4, 0, 3], dtype), { low: [1, 2, 0], high: [0, 3, 2], interior: [0, 0, 1] });
      check([b.neg(nothing), ...[[0], [1], [2], [0, 1], [0, 1, 2]].flatMap(axes => reduced(nothing, axes))]);
      const apart = b.slice(b.pad(leaf([4, 5], dtype), { low: [3, 2], high: [0, 1], interior: [0, 0] }), {
        start: [0, 1],
        stop: [3, 8],
        step: [1, 1],
      });
      check([b.reshape(apart, { shape: [7, 3] }), ...[[0], [1], [0, 1]].flatMap(axes => reduced(apart, axes))]);
      const row = b.slice(apart, { start: [1, 0], stop: [2, 7], step: [1, 1] });
      const place = b.slice(row, { start: [0, 0], stop: [1, 1], step: [1, 1] });
      check([b.neg(b.reshape(row, { shape: [7] })), ...reduced(row, [0, 1]), b.neg(b.reshape(place, { shape: [] }))]);
      // An axis of length 1 in the padding, between two others.
      const padded = b.pad(leaf([3, 2, 4], dtype), { low: [0, 1, 0], high: [0, 0, 0], interior: [0, 0, 0] });
      const between = b.slice(padded, { start: [0, 0, 0], stop: [3, 1, 4], step: [1, 1, 1] });
      for (const axes of [[0], [2], [0, 2], [0, 1, 2]]) for (const one of reduced(between, axes)) check([b.neg(one)]);
    }
  });
});

describe('maps', () => {
  const dear = (x: Node): Node => b.exp(b.tanh(x));

  it('of sizes around the vectors that are computed side by side', () => {
    for (const [dtype, sizes] of [
      ['float32', [...range(24).map(i => 248 + i), 511, 512, 513, 1023, 100_003]],
      ['float64', [...range(16).map(i => 120 + i), 255, 256, 257, 50_001]],
    ] as const) {
      for (const size of sizes) {
        check([dear(leaf([size], dtype))]);
        if (size < 2000)
          check([dear(b.add(leaf([3, size], dtype), b.broadcast(leaf([size], dtype), { shape: [3, size] })))]);
      }
    }
  });

  it('of many operations', () => {
    for (const size of [255, 256, 257, 263, 264, 265, 1031]) {
      let x = leaf([size]);
      for (let i = 0; i < 12; i++) x = b.sub(b.tanh(x), b.mul(b.sigmoid(x), number(0.25 + i, x)));
      check([x]);
      for (let i = 0; i < 20; i++) x = b.add(b.cos(x), b.abs(x));
      check([x]);
    }
  });

  it('of sizes around those done by one call', () => {
    for (const dtype of ['float32', 'float64', 'uint8'] as const) {
      for (const size of [2 ** 14 - 5, 2 ** 14 - 1, 2 ** 14, 2 ** 14 + 1, 2 ** 14 + 3, 2 ** 15 - 1, 2 ** 15 + 7]) {
        const x = leaf([size], dtype);
        check([b.select(b.lt(x, b.flip(x, { axes: [0] })), x, leaf([size], dtype, 5))]);
        if (dtype !== 'uint8') check([dear(x)]);
      }
    }
    for (const shape of [
      [3, 2 ** 13 + 1],
      [130, 257],
      [1000, 17],
      [5, 2 ** 14],
      [70, 3, 81],
      [2 ** 14 + 1, 2],
    ]) {
      const x = leaf(shape);
      const [row, column] = [leaf(shape.slice(-1)), leaf([...shape.slice(0, -1), 1])];
      const mixed = b.sub(b.mul(x, b.broadcast(row, { shape })), b.broadcast(column, { shape }));
      check([mixed, b.sum(mixed, { axes: [shape.length - 1] })]);
      check([b.sum(mixed, { axes: [0] }), b.reduceMax(mixed, { axes: [0] })]);
    }
  });
});

describe('nothing at all', () => {
  it('wherever a length is 0', () => {
    for (const shape of [[0], [3, 0], [0, 4], [2, 0, 3], [0, 0]]) {
      for (const dtype of dtypes) {
        const x = leaf(shape, dtype);
        const flat = b.reshape(x, { shape: [0] });
        const rank = shape.length;
        const roots = [
          b.select(b.eq(x, x), x, x),
          b.cast(x, { dtype: 'float64' }),
          b.permute(x, { axes: [...shape.keys()].reverse() }),
          b.flip(x, { axes: [0] }),
          b.pad(x, { low: shape.map(() => 1), high: shape.map(() => 0), interior: shape.map(() => 2) }),
          b.broadcast(x, { shape: [3, ...shape] }),
          b.slice(
            leaf(
              shape.map(n => n + 2),
              dtype,
            ),
            {
              start: shape.map(() => 1),
              stop: shape.map(n => n + 1),
              step: shape.map(() => 1),
            },
          ),
          b.concat([flat, leaf([2], dtype), flat], { axis: 0 }),
          b.gather(leaf([5], dtype), leaf(shape, 'int32'), { axis: 0 }),
          b.argsort(x, { axis: 0 }),
        ];
        check(roots);
        if (!numeric.includes(dtype)) continue;
        const axes = shape.keys();
        check([
          ...[...axes].map(axis => b.sum(x, { axes: [axis] })),
          b.sum(x, { axes: range(rank) }),
          ...range(rank)
            .filter(axis => shape[axis]! > 0)
            .flatMap(axis => reduced(x, [axis]).slice(1)),
          b.add(b.sum(x, { axes: range(rank) }), number(2, leaf([], dtype))),
          b.dotGeneral(b.reshape(x, { shape: [3, 0] }), b.reshape(x, { shape: [0, 2] }), {
            lhsBatch: [],
            rhsBatch: [],
            lhsContract: [1],
            rhsContract: [0],
          }),
          b.dotGeneral(b.reshape(x, { shape: [0, 3] }), leaf([3, 2], dtype), {
            lhsBatch: [],
            rhsBatch: [],
            lhsContract: [1],
            rhsContract: [0],
          }),
        ]);
      }
    }
  });
});

// ——— Alone in a memory ———

const instantiate = (bytes: Uint8Array, env: Readonly<Record<string, unknown>>) => {
  const { Instance, Module } = wasmApi();
  return new Instance(new Module(bytes), { env }).exports;
};

const same = (x: Uint8Array, y: Uint8Array): boolean => Buffer.compare(x, y) === 0;
const garbage = Uint8Array.from({ length: 2 ** 16 }, (_, i) => (i * 167 + 91) & 0xff);
const sixteen = (bytes: number): number => Math.ceil(bytes / 16) * 16;
const lowest = 1024;
const slack = 64;

/**
 * Runs a program in a memory of its own, full of garbage: inputs as low as they can be, or at the end. Throws when something
 * is written that is neither result nor temporary; returns the bytes of the results.
 */
const alone = (roots: readonly Node[], where: 'low' | 'high'): readonly Uint8Array[] => {
  const { program, scalars, leaves } = programOfPending(roots);
  const plan = planOf(program);
  const inputs = leaves.map(each => (each.value as Storage).readSync());
  const made = plan.made.map(({ shape, dtype }) => sizeOf(shape) * bytesOf[dtype]);
  const tableBytes = 4 * (inputs.length + made.length);
  /** Inputs, results, the arena, the table. */
  const sizes = [...inputs.map(({ byteLength }) => byteLength), ...made, plan.bytes, tableBytes];
  const order = range(sizes.length);
  if (where === 'high') order.reverse();
  const pages = Math.ceil((sizes.reduce((sum, bytes) => sum + sixteen(bytes) + 32, 0) + lowest + slack) / 2 ** 16);
  const memory: WasmMemory = new (wasmApi().Memory)({ initial: pages, maximum: pages });
  const all = new Uint8Array(memory.buffer);
  for (let page = 0; page < pages; page++) all.set(garbage, page * 2 ** 16);
  const places = new Array<number>(sizes.length);
  if (where === 'low') {
    let next = lowest;
    for (const i of order) {
      places[i] = next;
      next += sixteen(sizes[i]!) + 32;
    }
  } else {
    let end = all.length - slack;
    for (const i of [...inputs.keys(), ...order.filter(i => i >= inputs.length)]) {
      places[i] = end - sixteen(sizes[i]!);
      end = places[i]! - 32;
    }
  }
  inputs.forEach((array, i) => {
    all.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), places[i]!);
  });
  const [arena, table] = [places[sizes.length - 2]!, places[sizes.length - 1]!];
  const view = new DataView(memory.buffer);
  for (let i = 0; i < inputs.length + made.length; i++) view.setUint32(table + 4 * i, places[i]!, true);
  const types: DType[] = [];
  const visit = (each: typeof program): void => {
    types.push(...each.scalars.map(({ dtype }) => dtype));
    for (const { bodies } of each.instructions) bodies.forEach(visit);
  };
  visit(program);
  types.forEach((dtype, i) => {
    all.set(new Uint8Array(allocate(dtype, 1).fill(scalars[i]!).buffer), arena + 16 * i);
  });
  const library = instantiate(link(libraryFunctions(hasFma())).bytes, { memory });
  const { bytes, imports } = link([{ name: 'main', writer: writeProgram(plan) }]);
  const { main } = instantiate(bytes, { ...library, ...functionsFor(imports, memory), memory });
  const before = all.slice();
  (main as (arena: number, table: number, thread: number, threads: number) => void)(arena, table, 0, 1);
  const results = made.map((size, i) => all.slice(places[inputs.length + i]!, places[inputs.length + i]! + size));
  for (const i of range(sizes.length).slice(inputs.length, -1)) {
    const [from, to] = [places[i]!, places[i]! + sixteen(sizes[i]!)];
    all.set(before.subarray(from, to), from);
  }
  if (!same(all, before)) {
    const wrong = all.findIndex((byte, i) => byte !== before[i]);
    throw new Error(`byte ${wrong} is written, which belongs to nobody (${where})`);
  }
  return results;
};

/** What a program makes alone, wherever its inputs are, has to be what the backend makes and the reference means. */
function expectAlone(roots: readonly Node[]): void {
  const pending = roots.filter(node => node.value === null);
  compare(pending, wasmBackend);
  const [low, high] = [alone(pending, 'low'), alone(pending, 'high')];
  expect(
    high.every((bytes, i) => same(bytes, low[i]!)),
    'the same bits wherever inputs are',
  ).toBe(true);
  const { program, scalars, leaves } = programOfPending(pending);
  const { results } = planOf(program);
  const values = wasmBackend.compile(program).run(
    leaves.map(each => each.value as Storage),
    scalars,
  );
  results.forEach((result, i) => {
    if (!('kind' in result) || result.kind !== 'made') return;
    const array = (values[i] as Storage).readSync();
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    expect(same(low[result.index]!, bytes), `output ${i} is what it was in another memory`).toBe(true);
  });
}

describe('alone in a memory full of garbage', () => {
  for (const [name, generated, runs] of [
    ['graphs', graphs(), 150],
    ['graphs of rows', rowGraphs(), 150],
  ] as const) {
    it(`random ${name} read what is theirs and write what is theirs`, () => {
      fc.assert(
        fc.property(generated, ({ roots }) => expectAlone(roots)),
        { numRuns: runs, seed: 21, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true },
      );
    });
  }
});

describe('random graphs of rows', () => {
  it('agree with the reference', () => {
    const count = { elements: 0, compared: 0 };
    fc.assert(
      fc.property(rowGraphs(), ({ roots }) => {
        const { elements, compared } = compare(roots, wasmBackend);
        count.elements += elements;
        count.compared += compared;
      }),
      { numRuns: 400, seed: 31, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true },
    );
    expect(count.compared).toBeGreaterThan(0.85 * count.elements);
  });
});
