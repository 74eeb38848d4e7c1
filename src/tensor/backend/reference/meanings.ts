/**
 * What each primitive does to arrays, as plainly as it can be said: the oracle that every other backend is
 * tested against. Computes in float64 and rounds once, when the result is stored. Elementwise primitives are
 * missing here on purpose: their meaning is in the primitive table.
 */
import { allocate, copyOf, type DType, isFloat, type TypedArray } from '../../dtype.js';
import type { ElementwisePrimitives, ParamsOf, PrimitiveName } from '../../primitives/signatures.js';
import { type Aval, range, sizeOf, stridesOf } from '../../shape.js';
import { conv } from './conv.js';
import { cholesky, lu, triangularSolve } from './decompositions.js';
import { dotGeneral } from './dot.js';
import { orthogonalRows } from './rotations.js';
import { copy, offsets } from './strided.js';

/** The elements of a result; of several results an array of them. */
export type Value = TypedArray | readonly TypedArray[];

export interface Context {
  readonly inputAvals: readonly Aval[];
  readonly aval: Aval;
  readonly outputs: readonly Aval[] | null;
  /** The bodies of the primitive, in the order of its parameters. */
  readonly bodies: readonly ((inputs: readonly TypedArray[]) => readonly TypedArray[])[];
}

type Meaning<P> = (inputs: readonly TypedArray[], params: P, context: Context) => Value;

type Meanings = {
  readonly [P in Exclude<PrimitiveName, keyof ElementwisePrimitives>]: Meaning<ParamsOf<P>>;
};

const filled = ({ shape, dtype }: Aval): TypedArray => allocate(dtype, sizeOf(shape));

/** A result gathered from one operand through strides. */
const strided = (x: TypedArray, aval: Aval, offset: number, strides: readonly number[]): TypedArray => {
  const array = filled(aval);
  copy(aval.shape, { array, offset: 0, strides: stridesOf(aval.shape) }, { array: x, offset, strides });
  return array;
};

/** What was computed in float64 is rounded once. */
const rounded = (x: TypedArray, { dtype }: Aval): TypedArray => (dtype === 'float32' ? Float32Array.from(x) : x);

const picked = <T>(list: readonly T[], axes: readonly number[]): T[] => axes.map(axis => list[axis]!);

/** One number out of the elements at `inner` offsets from each of the outer ones. */
const reduce = (
  x: TypedArray,
  { shape }: Aval,
  axes: readonly number[],
  aval: Aval,
  combine: (x: TypedArray, base: number, inner: Int32Array) => number,
): TypedArray => {
  const strides = stridesOf(shape);
  const kept = range(shape.length).filter(axis => !axes.includes(axis));
  const outer = offsets(picked(shape, kept), picked(strides, kept));
  const inner = offsets(picked(shape, axes), picked(strides, axes));
  const out = filled(aval);
  for (let i = 0; i < out.length; i++) out[i] = combine(x, outer[i]!, inner);
  return out;
};

/** Pairwise, in blocks of 128, so that the error grows with the logarithm of the length. */
const pairwiseSum = (x: TypedArray, base: number, inner: Int32Array): number => {
  const sum = (from: number, to: number): number => {
    if (to - from <= 128) {
      let total = 0;
      for (let i = from; i < to; i++) total += x[base + inner[i]!]!;
      return total;
    }
    const middle = (from + to) >> 1;
    return sum(from, middle) + sum(middle, to);
  };
  return sum(0, inner.length);
};

const wrappingSum = (x: TypedArray, base: number, inner: Int32Array): number => {
  let total = 0;
  for (const offset of inner) total = (total + x[base + offset]!) | 0;
  return total;
};

const extremum = (better: (x: number, than: number) => boolean) => (x: TypedArray, base: number, inner: Int32Array) =>
  x[base + inner[position(better)(x, base, inner)]!]!;

/** The first best place; a NaN is better than everything. */
const position = (better: (x: number, than: number) => boolean) => (x: TypedArray, base: number, inner: Int32Array) => {
  let best = 0;
  for (let i = 0; i < inner.length; i++) {
    const [value, held] = [x[base + inner[i]!]!, x[base + inner[best]!]!];
    if (Number.isNaN(held)) return best;
    if (Number.isNaN(value) || better(value, held)) best = i;
  }
  return best;
};

const larger = (x: number, than: number): boolean => x > than;
const smaller = (x: number, than: number): boolean => x < than;

const times = (dtype: DType) => (isFloat(dtype) ? (x: number, y: number): number => x * y : Math.imul);
const plus =
  (dtype: DType) =>
  (x: number, y: number): number =>
    isFloat(dtype) ? x + y : (x + y) | 0;

const product = (dtype: DType) => (x: TypedArray, base: number, inner: Int32Array) =>
  inner.reduce((total, offset) => times(dtype)(total, x[base + offset]!), 1);

/** Along an axis, from its start or its end: `next` is told where an element is and where its predecessor was. */
const scan = (
  { shape }: Aval,
  { axis, reverse = false }: { readonly axis: number; readonly reverse?: boolean },
  next: (at: number, before: number | null) => void,
): void => {
  const strides = stridesOf(shape);
  const rest = range(shape.length).filter(other => other !== axis);
  for (const base of offsets(picked(shape, rest), picked(strides, rest))) {
    let before: number | null = null;
    for (let i = 0; i < shape[axis]!; i++) {
      const at: number = base + (reverse ? shape[axis]! - 1 - i : i) * strides[axis]!;
      next(at, before);
      before = at;
    }
  }
};

/** Positions of the best so far, the latest of equal ones. */
const runningPosition =
  (better: (x: number, than: number) => boolean) =>
  ([x]: readonly TypedArray[], { axis }: { readonly axis: number }, { aval }: Context): TypedArray => {
    const out = filled(aval);
    const stride = stridesOf(aval.shape)[axis]!;
    let [best, place] = [0, 0];
    scan(aval, { axis }, (at, before) => {
      place = before === null ? 0 : place + 1;
      const loses = before !== null && !Number.isNaN(x![at]) && (Number.isNaN(x![best]) || better(x![best]!, x![at]!));
      if (!loses) best = at;
      out[at] = loses ? out[at - stride]! : place;
    });
    return out;
  };

export const meanings: Meanings = {
  iota: (_, { shape, axis }, { aval }) => {
    const out = filled(aval);
    const stride = stridesOf(shape)[axis]!;
    for (let i = 0; i < out.length; i++) out[i] = Math.floor(i / stride) % shape[axis]!;
    return out;
  },
  // A program is given the values of these instead of computing them.
  constant: () => [],
  buffer: () => [],
  parameter: () => [],
  // A program has the operations of its body instead.
  custom: () => [],

  reshape: ([x]) => x!,
  mark: ([x]) => x!,
  permute: ([x], { axes }, { aval, inputAvals }) => strided(x!, aval, 0, picked(stridesOf(inputAvals[0]!.shape), axes)),
  broadcast: ([x], { shape }, { aval, inputAvals }) => {
    if (x!.length === 1) return filled(aval).fill(x![0]!);
    const own = inputAvals[0]!.shape;
    const strides = stridesOf(own).map((stride, axis) => (own[axis] === 1 ? 0 : stride));
    return strided(x!, aval, 0, [...new Array<number>(shape.length - own.length).fill(0), ...strides]);
  },
  slice: ([x], { start, step }, { aval, inputAvals }) => {
    const strides = stridesOf(inputAvals[0]!.shape);
    const offset = start.reduce((sum, from, axis) => sum + from * strides[axis]!, 0);
    return strided(
      x!,
      aval,
      offset,
      strides.map((stride, axis) => stride * step[axis]!),
    );
  },
  pad: ([x], { low, interior }, { aval, inputAvals }) => {
    const out = filled(aval);
    const strides = stridesOf(aval.shape);
    const shape = inputAvals[0]!.shape;
    const to = {
      array: out,
      offset: low.reduce((sum, n, axis) => sum + n * strides[axis]!, 0),
      strides: strides.map((stride, axis) => stride * (interior[axis]! + 1)),
    };
    copy(shape, to, { array: x!, offset: 0, strides: stridesOf(shape) });
    return out;
  },
  flip: ([x], { axes }, { aval }) => {
    const strides = stridesOf(aval.shape);
    const offset = axes.reduce((sum, axis) => sum + Math.max(0, aval.shape[axis]! - 1) * strides[axis]!, 0);
    return strided(
      x!,
      aval,
      offset,
      strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
    );
  },
  concat: (xs, { axis }, { aval, inputAvals }) => {
    const out = filled(aval);
    const strides = stridesOf(aval.shape);
    let offset = 0;
    xs.forEach((x, i) => {
      const { shape } = inputAvals[i]!;
      copy(shape, { array: out, offset, strides }, { array: x, offset: 0, strides: stridesOf(shape) });
      offset += shape[axis]! * strides[axis]!;
    });
    return out;
  },
  gather: ([x, indices], { axis }, { aval, inputAvals }) => {
    const { shape, dtype } = inputAvals[0]!;
    const length = shape[axis]!;
    const block = sizeOf(shape.slice(axis + 1));
    const out = filled(aval);
    const outer = sizeOf(shape.slice(0, axis));
    const count = indices!.length;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < count; i++) {
        const index = indices![i]!;
        const to = (o * count + i) * block;
        if (index >= 0 && index < length) {
          const from = (o * length + index) * block;
          out.set(x!.subarray(from, from + block), to);
        } else {
          out.fill(isFloat(dtype) ? Number.NaN : 0, to, to + block);
        }
      }
    }
    return out;
  },
  scatterAdd: ([updates, indices], { axis, length }, { aval, inputAvals }) => {
    const before = sizeOf(inputAvals[0]!.shape.slice(0, axis));
    const block = sizeOf(aval.shape.slice(axis + 1));
    const count = indices!.length;
    const out = isFloat(aval.dtype) ? new Float64Array(sizeOf(aval.shape)) : filled(aval);
    for (let o = 0; o < before; o++) {
      for (let i = 0; i < count; i++) {
        const index = indices![i]!;
        if (index < 0 || index >= length) continue;
        const [to, from] = [(o * length + index) * block, (o * count + i) * block];
        for (let j = 0; j < block; j++) out[to + j] = out[to + j]! + updates![from + j]!;
      }
    }
    return rounded(out, aval);
  },

  cumsum: ([x], params, { aval }) => {
    const sums = isFloat(aval.dtype) ? new Float64Array(x!.length) : filled(aval);
    const add = plus(aval.dtype);
    scan(aval, params, (at, before) => {
      sums[at] = before === null ? x![at]! : add(sums[before]!, x![at]!);
    });
    return rounded(sums, aval);
  },
  recurrence: ([factors, x], params, { aval }) => {
    const h = isFloat(aval.dtype) ? new Float64Array(x!.length) : filled(aval);
    const [add, mul] = [plus(aval.dtype), times(aval.dtype)];
    scan(aval, params, (at, before) => {
      h[at] = before === null ? x![at]! : add(mul(factors![at]!, h[before]!), x![at]!);
    });
    return rounded(h, aval);
  },
  cumargmax: runningPosition(larger),
  cumargmin: runningPosition(smaller),

  sum: ([x], { axes }, { aval, inputAvals }) =>
    reduce(x!, inputAvals[0]!, axes, aval, isFloat(aval.dtype) ? pairwiseSum : wrappingSum),
  reduceMax: ([x], { axes }, { aval, inputAvals }) => reduce(x!, inputAvals[0]!, axes, aval, extremum(larger)),
  reduceMin: ([x], { axes }, { aval, inputAvals }) => reduce(x!, inputAvals[0]!, axes, aval, extremum(smaller)),
  prod: ([x], { axes }, { aval, inputAvals }) => reduce(x!, inputAvals[0]!, axes, aval, product(aval.dtype)),
  argmax: ([x], { axes }, { aval, inputAvals }) => reduce(x!, inputAvals[0]!, axes, aval, position(larger)),
  argmin: ([x], { axes }, { aval, inputAvals }) => reduce(x!, inputAvals[0]!, axes, aval, position(smaller)),
  dotGeneral: ([lhs, rhs], params, { aval, inputAvals }) =>
    dotGeneral(lhs!, rhs!, [inputAvals[0]!, inputAvals[1]!], params, aval),
  conv: ([x, y], params, { aval, inputAvals }) => conv(x!, y!, inputAvals, params, aval),

  // The slot of an output's input holds a tuple; the interpreter hands its members over as the inputs.
  output: (results, { index }) => results[index]!,
  call: (inputs, _, { bodies: [body] }) => body!(inputs),
  external: (inputs, { run }, { inputAvals, outputs, aval }) => {
    // It may have kept its arrays.
    const made = run(inputs, inputAvals, outputs ?? [aval]).map(copyOf);
    return outputs === null ? made[0]! : made;
  },
  cond: ([index, ...operands], _, { bodies }) =>
    bodies[Math.min(bodies.length - 1, Math.max(0, index![0]!))]!(operands),
  while: (inputs, { testCaptures, bodyCaptures }, { bodies: [test, body] }) => {
    const forTest = inputs.slice(0, testCaptures);
    const forBody = inputs.slice(testCaptures, testCaptures + bodyCaptures);
    let carries = inputs.slice(testCaptures + bodyCaptures);
    while (test!([...forTest, ...carries])[0]![0] !== 0) carries = [...body!([...forBody, ...carries])];
    return carries;
  },
  fold: (inputs, { length, captures, carries, reverse }, { bodies: [body], outputs }) => {
    const outer = inputs.slice(0, captures);
    let state = inputs.slice(captures, captures + carries);
    const sequences = inputs.slice(captures + carries);
    const stacked = outputs!.slice(carries).map(filled);
    for (let step = 0; step < length; step++) {
      const at = reverse ? length - 1 - step : step;
      const slices = sequences.map(xs => xs.subarray((at * xs.length) / length, ((at + 1) * xs.length) / length));
      const next = body!([...outer, ...state, ...slices]);
      state = next.slice(0, carries);
      stacked.forEach((ys, i) => {
        ys.set(next[carries + i]!, (at * ys.length) / length);
      });
    }
    return [...state, ...stacked];
  },
  cholesky: ([x], _, { aval }) => rounded(cholesky(x!, aval), aval),
  triangularSolve: ([a, y], params, { aval }) => rounded(triangularSolve(a!, y!, params, aval), aval),
  lu: ([x], _, { inputAvals, outputs }) => {
    const [packed, order] = lu(x!, inputAvals[0]!);
    return [rounded(packed, outputs![0]!), order];
  },
  orthogonalRows: ([x], { columns }, { aval }) => rounded(orthogonalRows(x!, columns, aval), aval),
  argsort: ([x], { axis }, { aval, inputAvals }) => {
    const out = filled(aval);
    const { shape } = inputAvals[0]!;
    const rest = range(shape.length).filter(other => other !== axis);
    const lengths = picked(shape, rest);
    const [strides, outStrides] = [stridesOf(shape), stridesOf(aval.shape)];
    const bases = offsets(lengths, picked(strides, rest));
    const outBases = offsets(lengths, picked(outStrides, rest));
    bases.forEach((base, row) => {
      const at = (i: number): number => x![base + i * strides[axis]!]!;
      const order = range(shape[axis]!).sort((i, j) => {
        const [p, q] = [at(i), at(j)];
        if (Number.isNaN(p) || Number.isNaN(q)) return Number(Number.isNaN(p)) - Number(Number.isNaN(q));
        return p - q || 0;
      });
      order.slice(0, aval.shape[axis]).forEach((from, i) => {
        out[outBases[row]! + i * outStrides[axis]!] = from;
      });
    });
    return out;
  },
};
