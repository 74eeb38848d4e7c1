/** Elementwise primitives with operands of every kind: what device code is tried on, and what must come out. */

import { canOperate } from '../../src/tensor/backend/gpu/language/operations.js';
import type { DType, TypedArray } from '../../src/tensor/dtype.js';
import { allocate } from '../../src/tensor/dtype.js';
import type { Params } from '../../src/tensor/graph.js';
import { elementwise } from '../../src/tensor/primitives/elementwise.js';

export interface Case {
  readonly name: string;
  readonly op: string;
  readonly params: Params;
  readonly dtypes: readonly DType[];
  readonly dtype: DType;
  readonly operands: readonly TypedArray[];
  readonly expected: TypedArray;
  /** The one operand stands at all places, as the same text. */
  readonly twice: boolean;
}

/** A linear congruential generator: the same numbers each time. */
const generator = (seed: number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
};

const big = 3.4028234663852886e38;
const special = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  -1.5,
  2,
  -2,
  2.5,
  -2.5,
  3,
  -3,
  big,
  -big,
  2 ** -126,
  -(2 ** -126),
  1e-10,
  -1e-10,
  1e10,
  -1e10,
  0.3,
  -0.3,
  88.7,
  -87.3,
  89.3,
  100,
  -100,
  1.0000001,
  0.9999999,
  Math.PI / 2,
  Math.PI,
  -Math.PI,
  1000,
  16777216,
  16777215,
  8388609,
  4194304.5,
  255,
  255.7,
  256,
  65535.9,
  2 ** 31,
  -(2 ** 31),
  2147483520,
  2 ** 32,
  4294967040,
  -2147483904,
  0.999,
  -0.999,
  0.29,
  -0.29,
  0.41,
  10.2,
  -7.5,
  -30.25,
  34,
];

const floats = (count: number): number[] => {
  const random = generator(7);
  return [
    ...special,
    ...Array.from({ length: count }, () => (random() - 0.5) * 2),
    ...Array.from({ length: count }, () => (random() - 0.5) * 20),
    ...Array.from({ length: count }, () => (random() - 0.5) * 180),
    ...Array.from({ length: count }, () => (random() < 0.5 ? -1 : 1) * 2 ** ((random() - 0.5) * 240)),
    // Near the zero of the logarithm, and near those of sines and cosines up to where they are ours.
    ...Array.from({ length: count }, () => 1 + (random() - 0.5) * 2 ** (-20 * random())),
    ...Array.from({ length: count }, () => (Math.floor(random() * 1300) * Math.PI) / 2),
    ...Array.from({ length: count }, () => (Math.floor(random() * 130_000) * Math.PI) / 2),
  ];
};

const integers = (dtype: 'int32' | 'uint32'): number[] => {
  const random = generator(11);
  const few = [
    0, 1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 255, 256, 32767, 32768, 65535, 65536, 65537, 16777217, 2147483647,
  ];
  const signed = dtype === 'int32' ? [...few.map(x => -x), -2147483648] : [...few.map(x => 4294967295 - x), 2147483648];
  return [...few, ...signed, ...Array.from({ length: 40 }, () => Math.floor(random() * 2 ** 32))];
};

const values = (dtype: DType, count: number): TypedArray => {
  const list =
    dtype === 'bool'
      ? [0, 1]
      : dtype === 'uint8'
        ? Array.from({ length: 256 }, (_, i) => i)
        : dtype === 'int32' || dtype === 'uint32'
          ? integers(dtype)
          : floats(count);
  const array = allocate(dtype, list.length);
  list.forEach((x, i) => {
    array[i] = x;
  });
  return array;
};

/** Each with each of the special values, and what else there is in two orders. */
const pairs = (xs: TypedArray, ys: TypedArray): readonly [TypedArray, TypedArray] => {
  const [many, others] = [Math.min(xs.length, special.length), Math.min(ys.length, special.length)];
  const length = many * others + 2 * xs.length;
  const left = xs.slice(0, 0).constructor as new (length: number) => TypedArray;
  const right = ys.slice(0, 0).constructor as new (length: number) => TypedArray;
  const [a, b] = [new left(length), new right(length)];
  let at = 0;
  for (let i = 0; i < many; i++) {
    for (let j = 0; j < others; j++) {
      a[at] = xs[i]!;
      b[at++] = ys[j]!;
    }
  }
  for (let i = 0; i < xs.length; i++) {
    a[at] = xs[i]!;
    b[at++] = ys[(i * 7 + 3) % ys.length]!;
    a[at] = xs[i]!;
    b[at++] = ys[(i * 13 + 5) % ys.length]!;
  }
  return [a, b];
};

const all: readonly DType[] = ['float32', 'int32', 'uint32', 'uint8', 'bool'];
const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

const meaning = (op: string, params: Params, dtypes: readonly DType[]) => {
  const entry = elementwise[op as keyof typeof elementwise] as unknown as {
    scalar(params: Params, dtype: DType): (...operands: number[]) => number;
  };
  // A select's dtype is that of what it selects from.
  return entry.scalar(params, op === 'select' ? dtypes[1]! : dtypes[0]!);
};

const caseOf = (
  op: string,
  params: Params,
  dtypes: readonly DType[],
  dtype: DType,
  operands: readonly TypedArray[],
  twice = false,
): Case => {
  const scalar = op === 'copy' ? (x: number) => x : meaning(op, params, dtypes);
  const expected = allocate(dtype, operands[0]!.length);
  for (let i = 0; i < expected.length; i++) expected[i] = scalar(...dtypes.map((_, k) => operands[twice ? 0 : k]![i]!));
  const to = op === 'cast' ? ` to ${dtype}` : '';
  const name = `${op} of ${dtypes.join(', ')}${to}${twice ? ', twice the same' : ''}`;
  return { name, op, params, dtypes, dtype, operands, expected, twice };
};

const unary = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'rsqrt',
  'sin',
  'cos',
  'tan',
  'tanh',
  'sigmoid',
  'erf',
  'erfc',
  'erfinv',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'asinh',
  'acosh',
  'atanh',
  'lgamma',
  'polygamma',
  'not',
  'stopGradient',
  'copy',
];
const binary = [
  'atan2',
  'hypot',
  'logaddexp',
  'add',
  'sub',
  'mul',
  'div',
  'rem',
  'pow',
  'max',
  'min',
  'and',
  'or',
  'xor',
  'shiftLeft',
  'shiftRight',
  'shiftRightLogical',
  ...comparisons,
];

/** Every elementwise primitive with every dtype that device code knows it for. */
export const cases = (): readonly Case[] => {
  const list: Case[] = [];
  for (const dtype of all) {
    for (const op of unary) {
      const params = op === 'polygamma' ? { order: 0 } : {};
      if (canOperate(op, params, [dtype], dtype)) list.push(caseOf(op, params, [dtype], dtype, [values(dtype, 100)]));
    }
    for (const op of binary) {
      const result = comparisons.includes(op) ? 'bool' : dtype;
      if (!canOperate(op, {}, [dtype, dtype], result)) continue;
      list.push(caseOf(op, {}, [dtype, dtype], result, pairs(values(dtype, 100), values(dtype, 100))));
      list.push(caseOf(op, {}, [dtype, dtype], result, [values(dtype, 100)], true));
    }
    for (const to of all) list.push(caseOf('cast', { dtype: to }, [dtype], to, [values(dtype, 100)]));
    const [x, y] = pairs(values(dtype, 100), values(dtype, 100));
    const condition = Uint8Array.from(x, (_, i) => (i * 5 + (i >> 3)) & 1);
    list.push(caseOf('select', {}, ['bool', dtype, dtype], dtype, [condition, x, y]));
  }
  const words = values('uint32', 0);
  const turned = (by: number) => Uint32Array.from(words, (_, i) => words[(i * by + by) % words.length]!);
  const blocks = [words, turned(3), turned(5), turned(7)];
  for (const [rounds, word] of [
    [20, 0],
    [20, 1],
    [13, 'xor'],
  ] as const) {
    list.push(caseOf('threefry2x32', { rounds, word }, ['uint32', 'uint32', 'uint32', 'uint32'], 'uint32', blocks));
  }
  return list;
};
