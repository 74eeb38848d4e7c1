/**
 * Holding a backend against the reference: how far two correct computations of a program may lie apart, and random
 * programs to try it on.
 *
 * No fixed tolerance fits random graphs: 1e-6 is too much for a permutation, too little behind a cancellation, and
 * after a `floor` nothing is close. So errors are analysed as the program is run (Wilkinson's running error analysis).
 * Each element travels with a bound on how far another backend may be off at this place:
 *
 * - What IEEE 754 or integer arithmetic defines to the last bit (movement, comparisons, min, max, casts, rem, but also
 *   + − × ÷ √) has no error of its own: on exact operands the result must be equal. The sign of zero is left open.
 * - A function (exp, tanh, pow, …) may be off by c·eps·|result|, eps being 2^-23 or 2^-52.
 * - A sum or contraction may add in any order, so it may be off by c·eps·Σ|terms|: cancellation is in the sum. (Worst
 *   cases grow with the length of a naive sum, errors as met with its root: c = 16 is enough for hundreds of terms, and
 *   for contractions, which are such sums, it grows from there on.)
 * - Errors of operands pass on: through what is linear by the primitive itself, applied to magnitudes; through other
 *   elementwise primitives by evaluating them at the ends of the interval of each operand (and at 0 if that is inside).
 * - Where that changes an integer, a truth value, a position, a branch or the class of a number (finite or not), the
 *   result is unknown and not compared. Whatever depends on exact values alone is never unknown.
 */
import * as fc from 'fast-check';
import type { Backend } from '../../src/tensor/backend/backend.js';
import { evaluateInstruction, referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { offsets } from '../../src/tensor/backend/reference/strided.js';
import { b, make } from '../../src/tensor/build.js';
import { type Instruction, type Program, programOfPending, type Scalar } from '../../src/tensor/compile/program.js';
import { showProgram } from '../../src/tensor/compile/show.js';
import { allocate, type DType, dtypes, isFloat, type TypedArray } from '../../src/tensor/dtype.js';
import {
  bufferNode,
  DynamicNumber,
  Graph,
  mix,
  type Node,
  type Params,
  resolve,
  topological,
} from '../../src/tensor/graph.js';
import { operandRoles, outputLength } from '../../src/tensor/primitives/convolution.js';
import type { CustomRule } from '../../src/tensor/primitives/custom.js';
import type { ExternalParams } from '../../src/tensor/primitives/external.js';
import { full } from '../../src/tensor/primitives/full.js';
import { polygamma } from '../../src/tensor/primitives/gamma.js';
import { inverse } from '../../src/tensor/primitives/movement.js';
import { results } from '../../src/tensor/primitives/results.js';
import type { ConvParams, FoldParams, PrimitiveName, WhileParams } from '../../src/tensor/primitives/signatures.js';
import { entryOf } from '../../src/tensor/primitives/table.js';
import {
  type Aval,
  range,
  type Shape,
  sameShape,
  showAval,
  showShape,
  sizeOf,
  stridesOf,
} from '../../src/tensor/shape.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { graphs as bodies } from '../../src/tensor/transform/graphs.js';

// ——— Running error analysis ———

/** Elements, and for each how far another backend may be off: Infinity is unknown, no array is exact. */
interface Bounded {
  readonly value: TypedArray;
  readonly error: Float64Array | null;
  /** Whether the sign of zeros is certain. */
  readonly signed: boolean;
}
type Slot = Bounded | readonly Bounded[];
/** What a backend may do other than the reference, beyond the order of sums. */
export interface Tolerance {
  /** Eps that a function, or a sum in terms of its magnitudes, may be off. */
  readonly c: number;
  /** Eps that + − × ÷ √ may be off: GPUs are free to fuse and to divide by reciprocals. */
  readonly arithmetic: number;
  /** Whether numbers below 2^-126 may count as zero. */
  readonly flushes: boolean;
  /** By function: what it may be off whatever its result. */
  readonly absolute: Readonly<Record<string, number>>;
  /** The largest argument of sine, cosine and tangent that is looked at. */
  readonly turns: number;
  /** By function: eps that it may be off, where that is more than `c`. */
  readonly relative: Readonly<Record<string, number>>;
}

/** IEEE 754. */
const strict = (c: number): Tolerance => ({
  c,
  arithmetic: 0,
  flushes: false,
  absolute: {},
  turns: Number.POSITIVE_INFINITY,
  relative: {},
});

/** What is exact in IEEE 754, and but nearly so on GPUs. */
const nearlyExact = new Set<string>(['add', 'sub', 'mul', 'div', 'sqrt', 'rem', 'cast'] satisfies PrimitiveName[]);

/** Of a large argument the period has to be known to many digits, which GPUs do not. */
const periodic = new Set<string>(['sin', 'cos', 'tan'] satisfies PrimitiveName[]);

/** The least float32 that is not denormal. */
const leastNormal = 2 ** -126;

type Rule = (
  instruction: Instruction,
  inputs: readonly Bounded[],
  context: {
    readonly allowed: Tolerance;
    readonly bodies: readonly ((inputs: readonly Bounded[]) => readonly Bounded[])[];
  },
) => Slot;

const eps = { float32: 2 ** -23, float64: 2 ** -52 };
const smallest = { float32: 2 ** -149, float64: 2 ** -1074 };
const roundTo = (dtype: DType): ((x: number) => number) => (dtype === 'float32' ? Math.fround : x => x);

/** The functions without an exactly defined result. A primitive that is not named here has to be exact. */
const approximate = new Set<string>([
  'exp',
  'expm1',
  'log',
  'log1p',
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
  'atan2',
  'hypot',
  'logaddexp',
  'lgamma',
  'polygamma',
  'pow',
] satisfies PrimitiveName[]);
/** Elementwise primitives that leave the sign of zeros no less certain than it was. */
const keepsSigns = new Set<string>(['neg', 'abs', 'stopGradient', 'cast', 'select'] satisfies PrimitiveName[]);
/** The operands whose sign decides when they are zero: between ∞ and −∞, or between the sides of the cut of atan2. */
const poleOperands: Readonly<Record<string, readonly number[]>> = {
  div: [1],
  rsqrt: [0],
  pow: [0],
  polygamma: [0],
  atan2: [0, 1],
};

/**
 * The ends of an interval tell what happens inside where a primitive is monotone in each operand. For the others: when
 * the intervals of operands x and y, by ex and ey to each side, are so wide that something else happens inside.
 * (Sine and cosine simply change no more than their operand does.)
 */
type Straddles = (x: number, y: number, value: number, ex: number, ey: number) => boolean;
const meet: Straddles = (x, y, _, ex, ey) => ex + ey > 0 && Math.abs(x - y) <= ex + ey;
const bends = (order: number, x: number, ex: number): boolean => {
  const [low, high] = [x - ex, x + ex];
  const pole = low <= 0 && Math.floor(Math.min(high, 0)) >= Math.ceil(low);
  return ex > 0 && (pole || polygamma(order, low) * polygamma(order, high) <= 0);
};
const straddles: Readonly<Record<string, Straddles>> = {
  atan2: (y, x, _, ey, ex) => ey + ex > 0 && Math.abs(y) <= ey && x <= ex,
  lgamma: (x, _, __, ex) => bends(0, x, ex),
  // Of any order.
  polygamma: (x, _, __, ex) => bends(1, x, ex) || bends(2, x, ex) || bends(3, x, ex),
  eq: meet,
  ne: meet,
  tan: (_, __, value, ex) => ex * (1 + value * value) > 1 / 64,
  // Of a negative number only whole powers are numbers, and between the ends there may be one.
  pow: (x, y, _, ex, ey) => ey > 0 && x - ex < 0 && Math.floor(y + ey) >= Math.ceil(y - ey),
  // Between two multiples of y it is linear.
  rem: (x, y, _, ex, ey) => {
    const quotient = (p: number, q: number): number => Math.round((p - (p % q)) / q);
    const ends = [x - ex, x + ex].flatMap(p => [y - ey, y + ey].map(q => quotient(p, q)));
    const known = ends.every(q => q === ends[0] && Math.abs(q) < 2 ** 52);
    return ex + ey > 0 && Number.isFinite(x) && !(known && Math.abs(y) > ey);
  },
};

const exact = (value: TypedArray, signed = false): Bounded => ({ value, error: null, signed });
const bounded = (value: TypedArray, error: Float64Array, signed = false): Bounded => ({
  value,
  error: error.every(e => e === 0) ? null : error,
  signed,
});
const lost = ({ value }: Bounded): Bounded => bounded(value, new Float64Array(value.length).fill(Infinity));
const errorOf = ({ value, error }: Bounded): Float64Array => error ?? new Float64Array(value.length);
const isUnknown = ({ error }: Bounded): boolean => error?.some(e => e !== 0) ?? false;
const magnitudes = ({ value }: Bounded): Float64Array => Float64Array.from(value as Float64Array, Math.abs);
const finiteMagnitudes = ({ value }: Bounded): Float64Array =>
  Float64Array.from(value as Float64Array, x => (Number.isFinite(x) ? Math.abs(x) : 0));

/** Runs one instruction on the reference backend; on errors, operands and result are float64. */
const apply = (instruction: Instruction, operands: readonly TypedArray[], onErrors = false): TypedArray => {
  const float64 = (aval: Aval): Aval => (onErrors ? { ...aval, dtype: 'float64' } : aval);
  const inputAvals = instruction.inputAvals.map((aval, i) =>
    operands[i] instanceof Float64Array ? float64(aval) : aval,
  );
  const executable = referenceBackend.compile({
    inputs: inputAvals,
    scalars: [],
    scalarCount: 0,
    instructions: [
      {
        ...instruction,
        inputs: range(operands.length),
        inputAvals,
        aval: float64(instruction.aval),
        result: operands.length,
      },
    ],
    outputs: [operands.length],
    slots: operands.length + 1,
    hash: 0,
  });
  const storages = operands.map((array, i) => new HostStorage(inputAvals[i]!.dtype, array));
  return (executable.run(storages, [])[0] as Storage).readSync();
};
const applyTo = (instruction: Instruction, inputs: readonly Bounded[]): TypedArray =>
  apply(
    instruction,
    inputs.map(({ value }) => value),
  );

const moved: Rule = (instruction, inputs) => {
  const value = applyTo(instruction, inputs);
  const signed = inputs.every(x => x.signed);
  if (inputs.every(({ error }) => error === null)) return exact(value, signed);
  return bounded(value, apply(instruction, inputs.map(errorOf), true) as Float64Array, signed);
};

const gathered: Rule = (instruction, [x, indices]) => {
  const value = applyTo(instruction, [x!, indices!]);
  if (isUnknown(indices!)) return lost(exact(value));
  if (x!.error === null) return exact(value, x!.signed);
  const error = apply(instruction, [x!.error, indices!.value], true) as Float64Array;
  // Outside there is NaN for certain.
  return bounded(
    value,
    error.map(e => (Number.isNaN(e) ? 0 : e)),
    x!.signed,
  );
};

/** The operand of a convolution whose elements are the terms of a result, and the axes that are not: by what is the result. */
const convTerms = { output: [1, [0, 1]], input: [0, [0, 2]], kernel: [1, [1, 2]] } as const;

/** Terms of a contraction, at most. */
const depthOf = ({ op, params, inputAvals }: Instruction): number => {
  if (op === 'conv') {
    const [operand, others] = convTerms[(params as unknown as ConvParams).of];
    return sizeOf(inputAvals[operand]!.shape.filter((_, axis) => !(others as readonly number[]).includes(axis)));
  }
  return (params.lhsContract as readonly number[]).reduce((n, axis) => n * inputAvals[0]!.shape[axis]!, 1);
};

/** sum and scatterAdd: linear in the first operand; contractions: in both. */
const accumulated: Rule = (instruction, inputs, { allowed: { c } }) => {
  const { op, aval } = instruction;
  const isProduct = entryOf(op).kind === 'contraction';
  const value = applyTo(instruction, inputs);
  const [x, y] = inputs as [Bounded, Bounded];
  if (op === 'scatterAdd' && isUnknown(y)) return lost(exact(value));
  const on = (first: TypedArray, second: TypedArray): TypedArray =>
    apply(instruction, op === 'sum' ? [first] : [first, isProduct ? second : y.value], true);
  const error = new Float64Array(value.length);
  const add = (part: TypedArray): void => {
    part.forEach((e, i) => {
      error[i] = error[i]! + (Number.isNaN(e) ? Infinity : e);
    });
  };
  if (!isProduct) {
    if (x.error !== null) add(on(x.error, x.error));
  } else {
    if (x.error !== null) add(on(x.error, magnitudes(y)));
    if (y.error !== null) add(on(magnitudes(x), y.error));
    if (x.error !== null && y.error !== null) add(on(x.error, y.error));
  }
  if (isFloat(aval.dtype)) {
    const [unit, least, round] = [eps[aval.dtype], smallest[aval.dtype], roundTo(aval.dtype)];
    const terms = inputs.reduce((n, input) => n + input.value.length, 0);
    // Products are added in float32, one after another: what was said of naive sums.
    const depth = isProduct ? depthOf(instruction) : 1;
    const most = c * Math.max(1, Math.sqrt(depth) / 16);
    on(finiteMagnitudes(x), isProduct ? finiteMagnitudes(y) : x.value).forEach((magnitude, i) => {
      const total = magnitude + error[i]!;
      if (!Number.isFinite(round(total * (1 + most * unit)))) error[i] = Infinity;
      else if (Number.isFinite(value[i]) && total > 0) error[i] = error[i]! + most * unit * total + terms * least;
    });
  }
  return bounded(value, isFloat(aval.dtype) ? error : error.map(e => (e === 0 ? 0 : Infinity)));
};

const extreme: Rule = (instruction, [x]) => {
  const value = applyTo(instruction, [x!]);
  if (x!.error === null) return exact(value);
  return bounded(value, apply({ ...instruction, op: 'reduceMax' }, [x!.error], true) as Float64Array);
};

/** The flat indices of every line along an axis. */
const lines = (shape: Shape, axis: number): number[][] => {
  const strides = stridesOf(shape);
  const others = range(shape.length).filter(other => other !== axis);
  const starts = offsets(
    others.map(other => shape[other]!),
    others.map(other => strides[other]!),
  );
  return [...starts].map(start => range(shape[axis]!).map(i => start + i * strides[axis]!));
};

/** A position is known if nobody else may be better. */
const position =
  (sign: 1 | -1): Rule =>
  (instruction, [x]) => {
    const value = applyTo(instruction, [x!]);
    if (x!.error === null) return exact(value);
    const { value: xs, error: es } = { value: x!.value, error: x!.error };
    const error = lines(instruction.inputAvals[0]!.shape, (instruction.params.axes as number[])[0]!).map((line, i) => {
      const best = line[value[i]!]!;
      const rival = line.some(
        j =>
          es[j] === Infinity ||
          (j !== best && es[j]! + es[best]! > 0 && sign * (xs[j]! - xs[best]!) + es[j]! + es[best]! >= 0),
      );
      return rival ? Infinity : 0;
    });
    return bounded(value, Float64Array.from(error));
  };

/** An order is known if no two neighbours' intervals meet. */
const order: Rule = (instruction, [x]) => {
  const value = applyTo(instruction, [x!]);
  if (x!.error === null) return exact(value);
  if (instruction.params.count !== undefined) return lost(exact(value));
  const error = new Float64Array(value.length);
  for (const line of lines(instruction.aval.shape, instruction.params.axis as number)) {
    // How far up the intervals so far reach, and those of inexact elements: exact ties keep their order.
    let [reached, inexact, unknown] = [-Infinity, -Infinity, false];
    for (const place of line) {
      const at = line[value[place]!]!;
      const [middle, e] = [x!.value[at]!, x!.error[at]!];
      unknown ||= e === Infinity || inexact >= middle - e || (e > 0 && reached >= middle - e);
      if (middle + e > reached) reached = middle + e;
      if (e > 0 && middle + e > inexact) inexact = middle + e;
    }
    if (unknown) for (const place of line) error[place] = Infinity;
  }
  return bounded(value, error);
};

/** Both backends eliminate in the same order, in float64: what is known exactly gives exact results. */
const eliminated: Rule = (instruction, inputs) => {
  const given = inputs.map(({ value }) => value);
  const value = evaluateInstruction(instruction, given, []);
  const known = inputs.every(({ error }) => error === null);
  const bound = (each: TypedArray): Bounded => (known ? exact(each) : lost(exact(each)));
  return ArrayBuffer.isView(value) ? bound(value) : value.map(bound);
};

/** A product is off by that of all factors at their largest, less what it is; and by its own roundings. */
const multiplied: Rule = (instruction, [x], { allowed: { c } }) => {
  const value = applyTo(instruction, [x!]);
  const { aval } = instruction;
  if (!isFloat(aval.dtype)) return isUnknown(x!) ? lost(exact(value)) : exact(value);
  const wide = (values: Float64Array): Float64Array => apply(instruction, [values], true) as Float64Array;
  const sizes = wide(magnitudes(x!));
  const most = wide(magnitudes(x!).map((v, i) => v + errorOf(x!)[i]!));
  const [unit, least, round] = [eps[aval.dtype], smallest[aval.dtype], roundTo(aval.dtype)];
  const own = c * (aval.dtype === 'float64' ? x!.value.length : 1) * unit;
  // Without the finite factors nothing overflows: what is NaN then is so in every order.
  const surely = wide(Float64Array.from(x!.value, v => (Number.isFinite(v) && v !== 0 ? 1 : v)));
  const error = sizes.map((size, i) => {
    // NaN where a partial product is 0 · ∞; and one of them may overflow, or vanish, in another order.
    const extremes = x!.value.some(v => v !== 0 && (Math.abs(v) < 1e-30 || Math.abs(v) > 1e30));
    if (Number.isNaN(value[i])) return x!.error === null && Number.isNaN(surely[i]) ? 0 : Infinity;
    const e = most[i]! - size + own * most[i]! + least;
    return extremes || !Number.isFinite(round(most[i]! * (1 + own))) ? Infinity : e;
  });
  return bounded(value, error);
};

/** Scans, as a bound of their carries goes on from element to element. */
const scanned: Rule = (instruction, inputs, { allowed: { c } }) => {
  const value = applyTo(instruction, inputs);
  const { aval, params, op } = instruction;
  if (!isFloat(aval.dtype)) return inputs.some(isUnknown) ? lost(exact(value)) : exact(value);
  const [unit, least, round] = [eps[aval.dtype], smallest[aval.dtype], roundTo(aval.dtype)];
  const x = inputs[inputs.length - 1]!;
  const [terms, factors] = [errorOf(x), op === 'recurrence' ? inputs[0]! : null];
  const factorErrors = factors === null ? null : errorOf(factors);
  const error = new Float64Array(value.length);
  for (const line of lines(aval.shape, params.axis as number)) {
    const order = params.reverse ? [...line].reverse() : line;
    // The carry is not rounded to float32, and so may be off from a stored value by half a unit.
    let [carry, size, special] = [0, 0, false];
    order.forEach((at, i) => {
      const a = i === 0 ? 0 : factors === null ? 1 : Math.abs(factors.value[at]!);
      const ea = i === 0 || factorErrors === null ? 0 : factorErrors[at]!;
      carry = (i === 0 ? 0 : (a + ea) * carry) + (ea === 0 ? 0 : ea * size) + terms[at]!;
      size = (i === 0 ? 0 : a * size) + Math.abs(x.value[at]!);
      special ||= !Number.isFinite(a) || !Number.isFinite(x.value[at]!);
      const inexact = carry !== 0;
      const total = size + carry;
      if (special && !inexact) error[at] = Number.isFinite(value[at]!) ? c * unit * Math.abs(value[at]!) + least : 0;
      else if (!Number.isFinite(round(total * (1 + c * unit)))) [carry, error[at]] = [Infinity, Infinity];
      else error[at] = carry + c * unit * total + least;
      // The carry is not rounded to float32; in float64 it is, every time.
      if (Number.isFinite(total) && i > 0) carry += eps.float64 * c * total;
    });
  }
  return bounded(value, error);
};

/** The latest best so far is known if nobody else may be as good. */
const runningPosition =
  (sign: 1 | -1): Rule =>
  (instruction, [x]) => {
    const value = applyTo(instruction, [x!]);
    if (x!.error === null) return exact(value);
    const error = new Float64Array(value.length);
    for (const line of lines(instruction.aval.shape, instruction.params.axis as number)) {
      line.forEach((at, i) => {
        const best = line[value[at]!]!;
        const unsure = line.slice(0, i + 1).some(j => {
          const e = x!.error![j]! + x!.error![best]!;
          return x!.error![j] === Infinity || (j !== best && e > 0 && sign * (x!.value[j]! - x!.value[best]!) + e >= 0);
        });
        error[at] = unsure ? Infinity : 0;
      });
    }
    return bounded(value, error);
  };

const distance = (x: number, y: number): number => {
  if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
  const d = Math.abs(x - y);
  return Number.isNaN(d) ? Infinity : d;
};

/** Where to look for what a primitive may give on an operand that may be off by `e`. */
const candidates = (x: number, e: number): readonly number[] =>
  e === 0 ? [x] : Math.abs(x) < e ? [x - e, x + e, x, 0] : [x - e, x + e, x];

const elementwise: Rule = (instruction, inputs, { allowed }) => {
  const { op, params, inputAvals, aval } = instruction;
  const entry = entryOf(op);
  if (entry.kind !== 'elementwise') throw new Error(`no error rule for ${op}`);
  const value = applyTo(instruction, inputs);
  const signed = keepsSigns.has(op) && inputs.every(x => x.signed);
  const single = aval.dtype === 'float32';
  const c = single ? (allowed.relative[op] ?? allowed.c) : allowed.c;
  const own = !isFloat(aval.dtype) ? 0 : approximate.has(op) ? c : nearlyExact.has(op) ? allowed.arithmetic : 0;
  const absolute = single ? (allowed.absolute[op] ?? 0) : 0;
  const flushed = single && allowed.flushes ? 16 * leastNormal : 0;
  const poles = isFloat(aval.dtype)
    ? (poleOperands[op] ?? []).map(operand => inputs[operand]!).filter(x => !x.signed)
    : [];
  if (own + flushed === 0 && poles.length === 0 && inputs.every(({ error }) => error === null))
    return exact(value, signed);
  const scalar = entry.scalar(params, inputAvals[inputAvals.length - 1]!.dtype);
  const round = roundTo(aval.dtype);
  const [unit, least] = isFloat(aval.dtype) ? [eps[aval.dtype], smallest[aval.dtype]] : [0, 0];
  const errors = inputs.map(errorOf);

  const selected = (i: number): number => {
    const [[condition, x, y], [unsure, ex, ey]] = [
      inputs.map(input => input.value[i]!),
      errors.map(error => error[i]!),
    ];
    if (unsure === 0) return (condition !== 0 ? ex : ey)!;
    return distance(x!, y!) + Math.max(ex!, ey!);
  };
  const passed = (i: number): number => {
    const v = value[i]!;
    if (errors.some(error => error[i] === Infinity)) return Infinity;
    if (poles.some(x => x.value[i] === 0) && (op === 'atan2' || Math.abs(v) === Infinity)) return Infinity;
    const [x, y = 0] = inputs.map(input => input.value[i]!);
    const [ex, ey = 0] = errors.map(error => error[i]!);
    if (straddles[op]?.(x!, y, v, ex!, ey)) return Infinity;
    if (single && periodic.has(op) && Math.abs(x!) > allowed.turns) return Infinity;
    // Multiples of y that are denormal are zero.
    if (flushed > 0 && op === 'rem' && Math.abs(y) < 2 ** -100) return Infinity;
    let spread = 0;
    let largest = Math.abs(v);
    // Terms of which only the difference is left.
    const reflection = (): number => (x! < 0 ? Math.abs(v) + Math.abs(scalar(1 - x!)) : 0);
    if (op === 'logaddexp') largest = Math.max(largest, Math.abs(Math.max(x!, y)));
    else if (op === 'lgamma') largest = Math.max(largest, reflection());
    else if (op === 'polygamma' && params.order === 0) largest = Math.max(largest, reflection(), 2);
    if (ex! + ey > 0) {
      for (const p of candidates(x!, ex!)) {
        for (const q of candidates(y, ey)) {
          const w = round(scalar(p, q));
          spread = Math.max(spread, distance(v, w));
          largest = Math.max(largest, Math.abs(w));
        }
      }
    }
    if (!Number.isFinite(v)) return spread;
    if (op === 'sin' || op === 'cos') spread = Math.min(ex!, 2);
    // The larger operand to the last bit, whatever the other one may be.
    const plain = op === 'hypot' && Math.min(Math.abs(x!) + ex!, Math.abs(y) + ey) < 2 ** -60 * largest;
    const below = Math.abs(v) < flushed ? leastNormal : 0;
    const error = spread + below + absolute + (plain ? 0 : own * (unit * largest + least));
    return Number.isFinite(round(Math.abs(v) + error)) ? error : Infinity;
  };
  const of = op === 'select' ? selected : passed;
  const float = isFloat(aval.dtype);
  const error = new Float64Array(value.length);
  for (let i = 0; i < error.length; i++) {
    const e = of(i);
    error[i] = e === 0 || float ? e : Infinity;
  }
  return bounded(value, error, signed);
};

/** Results of a loop stacked step by step. */
const stack = (steps: readonly Bounded[], { shape, dtype }: Aval): Bounded => {
  const value = allocate(dtype, sizeOf(shape));
  const error = new Float64Array(value.length);
  steps.forEach((step, i) => {
    value.set(step.value, i * step.value.length);
    if (step.error !== null) error.set(step.error, i * step.value.length);
  });
  return bounded(
    value,
    error,
    steps.every(step => step.signed),
  );
};

const rules: Readonly<Record<string, Rule>> = {
  gather: gathered,
  scatterAdd: accumulated,
  sum: accumulated,
  dotGeneral: accumulated,
  conv: accumulated,
  reduceMax: extreme,
  reduceMin: extreme,
  argmax: position(1),
  argmin: position(-1),
  argsort: order,
  cholesky: eliminated,
  triangularSolve: eliminated,
  lu: eliminated,
  orthogonalRows: eliminated,
  prod: multiplied,
  cumsum: scanned,
  recurrence: scanned,
  cumargmax: runningPosition(1),
  cumargmin: runningPosition(-1),
  output: ({ params }, [tuple]) => (tuple as unknown as readonly Bounded[])[params.index as number]!,
  // Those that have operands which may be off only move elements.
  external: ({ params, inputAvals, aval, outputs }, inputs) => {
    const run = (operands: readonly TypedArray[]): readonly TypedArray[] =>
      (params as unknown as ExternalParams).run(operands, inputAvals, outputs ?? [aval]);
    const signed = inputs.every(x => x.signed);
    const errors = inputs.every(({ error }) => error === null) ? null : run(inputs.map(errorOf));
    const all = run(inputs.map(({ value }) => value)).map((value, i) =>
      errors === null ? exact(value, signed) : bounded(value, errors[i] as Float64Array, signed),
    );
    return outputs === null ? all[0]! : all;
  },
  call: (_, inputs, { bodies: [body] }) => body!(inputs),
  cond: (_, [index, ...operands], { bodies: branches }) => {
    const results = branches[Math.min(branches.length - 1, Math.max(0, index!.value[0]!))]!(operands);
    return isUnknown(index!) ? results.map(lost) : results;
  },
  while: ({ params }, inputs, { bodies: [test, body] }) => {
    const { testCaptures, bodyCaptures } = params as unknown as WhileParams;
    const forTest = inputs.slice(0, testCaptures);
    const forBody = inputs.slice(testCaptures, testCaptures + bodyCaptures);
    let carries = inputs.slice(testCaptures + bodyCaptures);
    let unsure = false;
    for (;;) {
      const goesOn = test!([...forTest, ...carries])[0]!;
      unsure ||= isUnknown(goesOn);
      if (goesOn.value[0] === 0) return unsure ? carries.map(lost) : carries;
      carries = [...body!([...forBody, ...carries])];
    }
  },
  fold: ({ params, outputs }, inputs, { bodies: [body] }) => {
    const { length, captures, carries, reverse } = params as unknown as FoldParams;
    const part = <T extends TypedArray>(array: T, step: number): T =>
      array.subarray((step * array.length) / length, ((step + 1) * array.length) / length) as T;
    let state = inputs.slice(captures, captures + carries);
    const stacked: Bounded[][] = outputs!.slice(carries).map(() => []);
    for (let i = 0; i < length; i++) {
      const step = reverse ? length - 1 - i : i;
      const slices = inputs.slice(captures + carries).map(({ value, error, signed }) => ({
        value: part(value, step),
        error: error === null ? null : part(error, step),
        signed,
      }));
      const next = body!([...inputs.slice(0, captures), ...state, ...slices]);
      state = next.slice(0, carries);
      stacked.forEach((ys, k) => {
        ys[step] = next[carries + k]!;
      });
    }
    return [...state, ...stacked.map((ys, k) => stack(ys, outputs![carries + k]!))];
  },
};

const ruleOf = (op: string): Rule => {
  const { kind } = entryOf(op);
  return rules[op] ?? (kind === 'source' || kind === 'movement' ? moved : elementwise);
};

/** The outputs of a program with their bounds, computed one instruction at a time on the reference backend. */
const analyse = (
  program: Program,
  inputs: readonly Bounded[],
  scalars: readonly number[],
  allowed: Tolerance,
  settle: (result: Bounded) => Bounded = result => result,
): readonly Slot[] => {
  const slots: Slot[] = [...inputs];
  program.scalars.forEach(({ slot, dtype }, i) => {
    slots[slot] = exact(allocate(dtype, 1).fill(scalars[i]!), true);
  });
  let next = program.scalars.length;
  for (const instruction of program.instructions) {
    const runs = instruction.bodies.map(body => {
      const own = scalars.slice(next, next + body.scalarCount);
      next += body.scalarCount;
      return (given: readonly Bounded[]) => analyse(body, given, own, allowed, settle) as readonly Bounded[];
    });
    const operands = instruction.inputs.map(slot => slots[slot]!) as readonly Bounded[];
    const result = ruleOf(instruction.op)(instruction, operands, { allowed, bodies: runs });
    slots[instruction.result] = Array.isArray(result) ? result : settle(result as Bounded);
  }
  return program.outputs.map(slot => slots[slot]!);
};

/**
 * A backend that is as wrong as it may be: each result of a function or a sum is off by a random part of what is
 * allowed, zeros have any sign. What it gives must be accepted.
 */
export const carelessBackend = (c: number): Backend => ({
  name: 'careless',
  compile: program => ({
    run: (inputs, scalars) => {
      const random = randomOf(program.hash);
      const settle = ({ value, error, signed }: Bounded): Bounded => {
        const other = value.slice();
        for (let i = 0; i < other.length; i++) {
          const [x, e] = [value[i]!, error?.[i] ?? 0];
          if (e > 0 && e < Infinity) other[i] = x + (1.9 * random() - 0.95) * e;
          if (x === 0 && !signed && random() < 0.5) other[i] = -x;
        }
        return exact(other, signed);
      };
      const slots = analyse(program, inputs.map(leafOf), scalars, strict(c), settle);
      return program.outputs.map((slot, o) => {
        const avals = avalsOf(program, slot);
        const parts = list<Bounded>(slots[o]!).map(({ value }, i) => new HostStorage(avals[i]!.dtype, value));
        return Array.isArray(slots[o]) ? parts : parts[0]!;
      });
    },
  }),
});

// ——— Comparing ———

/** How programs are shown beside messages that speak of slots. */
export const bySlots = { inputs: [], outputs: [], slots: true } as const;

/** The shapes and dtypes of what a slot holds. */
const avalsOf = (program: Program, slot: number): readonly Aval[] => {
  const scalar = program.scalars.find(each => each.slot === slot);
  if (scalar !== undefined) return [{ shape: [], dtype: scalar.dtype }];
  const instruction = program.instructions.find(({ result }) => result === slot);
  return instruction === undefined ? [program.inputs[slot]!] : (instruction.outputs ?? [instruction.aval]);
};

const coordinates = (flat: number, shape: Shape): number[] =>
  stridesOf(shape).map((stride, axis) => Math.floor(flat / stride) % shape[axis]!);

type Values = readonly (Storage | readonly Storage[])[];
type Count = { elements: number; compared: number };

const list = <T>(one: T | readonly T[]): readonly T[] => (Array.isArray(one) ? one : [one as T]);

/** What is wrong with the values a program gave, or null. */
const faultIn = (program: Program, expected: readonly Slot[], values: Values, count: Count): string | null => {
  if (values.length !== expected.length) return `${values.length} outputs instead of ${expected.length}`;
  for (const [o, slot] of program.outputs.entries()) {
    const [wanted, given, avals] = [list<Bounded>(expected[o]!), list<Storage>(values[o]!), avalsOf(program, slot)];
    if (given.length !== wanted.length) return `output ${o} has ${given.length} parts instead of ${wanted.length}`;
    for (const [part, aval] of avals.entries()) {
      const name = `output ${o} (%${slot}${avals.length > 1 ? `, part ${part}` : ''}, ${showAval(aval)})`;
      const [{ value, error }, storage] = [wanted[part]!, given[part]!];
      const got = storage.readSync();
      if (storage.dtype !== aval.dtype || got.constructor !== allocate(aval.dtype, 0).constructor)
        return `${name} came as ${storage.dtype} in a ${got.constructor.name}`;
      if (storage.size !== value.length || got.length !== value.length)
        return `${name} came with ${got.length} elements (size ${storage.size})`;
      let [worst, excess, wrong] = [-1, 0, 0];
      for (let i = 0; i < value.length; i++) {
        const allowed = error?.[i] ?? 0;
        if (allowed !== Infinity) count.compared++;
        const off = distance(value[i]!, got[i]!);
        if (off <= allowed) continue;
        wrong++;
        if (worst >= 0 && !(off / allowed > excess)) continue;
        worst = i;
        excess = off / allowed;
      }
      count.elements += value.length;
      if (worst >= 0) {
        return (
          `${name} is wrong in ${wrong} of ${value.length} places, worst at ${showShape(coordinates(worst, aval.shape))} ` +
          `(flat ${worst}): expected ${value[worst]}, got ${got[worst]}, allowed difference ${error?.[worst] ?? 0}`
        );
      }
    }
  }
  return null;
};

/** The scalars of a program in the order in which a run is given them. */
const scalarsIn = (program: Program): readonly Scalar[] => [
  ...program.scalars,
  ...program.instructions.flatMap(({ bodies: inner }) => inner.flatMap(scalarsIn)),
];
const operationsIn = ({ instructions }: Program): readonly string[] =>
  instructions.flatMap(({ op, bodies: inner }) => [op, ...inner.flatMap(operationsIn)]);

/** Other numbers that the same program may be given; loops that end by their values keep theirs. */
const otherNumbers = (program: Program, scalars: readonly number[]): readonly number[] => {
  if (operationsIn(program).includes('while')) return scalars;
  const all = scalarsIn(program);
  return scalars.map((value, i) => {
    if (all[i]!.class !== 2 || !isFloat(all[i]!.dtype)) return value;
    return new DynamicNumber(value * 0.75).class === 2 ? value * 0.75 : value * 0.7;
  });
};

const sameBits = (a: Values, c: Values): boolean =>
  a.every((one, o) =>
    list<Storage>(one).every((storage, part) => {
      const other = list<Storage>(c[o]!)[part]!.readSync();
      return storage.readSync().every((x, i) => Object.is(x, other[i]));
    }),
  );

/** A program with every slot as an output. */
const opened = (program: Program): Program => ({
  ...program,
  outputs: program.instructions.map(({ result }) => result),
  hash: mix(program.hash, 1),
});

/** Which instruction goes wrong first when every slot is an output, given what the program gives then. */
const firstFault = (
  program: Program,
  values: Values,
  inputs: readonly Storage[],
  scalars: readonly number[],
  allowed: Tolerance,
): string => {
  const open = opened(program);
  const expected = analyse(open, inputs.map(leafOf), scalars, allowed);
  const wrong = open.instructions.find(({ result }, i) => {
    const one = { ...open, outputs: [result] };
    return faultIn(one, [expected[i]!], values.slice(i, i + 1), { elements: 0, compared: 0 }) !== null;
  });
  return wrong === undefined
    ? 'with every slot as an output all of them are right'
    : `with every slot as an output the first wrong one is %${wrong.result} = ${wrong.op}`;
};

const leafOf = (storage: Storage): Bounded => exact(storage.readSync(), true);

/** A program that is to be compared, and what it is given. */
interface Trial {
  readonly program: Program;
  readonly inputs: readonly Storage[];
  readonly before: readonly TypedArray[];
  readonly scalars: readonly number[];
  /** Other numbers that it is given the second time. */
  readonly others: readonly number[];
}

const trialOf = (roots: readonly Node[]): Trial => {
  const pending = roots.map(resolve).filter(node => node.value === null);
  const { program, scalars, leaves } = programOfPending(pending);
  const inputs = leaves.map(leaf => leaf.value as Storage);
  const before = inputs.map(storage => storage.readSync().slice());
  return { program, inputs, before, scalars, others: otherNumbers(program, scalars) };
};

/** What is wrong with what the runs gave, the second with other scalars, and for which scalars; null if nothing is. */
const faultOf = (
  { program, inputs, before, scalars, others }: Trial,
  [first, second, third]: readonly [Values, Values, Values],
  allowed: Tolerance,
  count: Count,
): { readonly what: string; readonly scalars: readonly number[] } | null => {
  const fault = faultIn(program, analyse(program, inputs.map(leafOf), scalars, allowed), first, count);
  if (fault !== null) return { what: fault, scalars };
  if (!sameBits(first, third)) return { what: 'run again it gives other bits', scalars };
  if (others.some((value, i) => value !== scalars[i])) {
    const uncounted = { elements: 0, compared: 0 };
    const then = faultIn(program, analyse(program, inputs.map(leafOf), others, allowed), second, uncounted);
    if (then !== null) return { what: `with other scalars ${then}`, scalars: others };
  } else if (!sameBits(first, second)) return { what: 'run again it gives other bits', scalars };
  const written = inputs.findIndex((storage, i) => !storage.readSync().every((x, j) => Object.is(x, before[i]![j])));
  return written < 0 || allowed.flushes ? null : { what: `input %${written} was written to`, scalars };
};

const disagreement = (backend: Backend, what: string, hint: string, trial: Trial, cause?: unknown): Error =>
  new Error(
    `${backend.name} disagrees with the reference: ${what}\n${hint}\n${showProgram(trial.program, trial.scalars, bySlots)}`,
    { cause },
  );

/**
 * Computes the pending roots on a backend and throws unless it agrees with the reference; see the top of this file for
 * what that means. The program also has to give the same bits when it is run again, to follow when its scalars change,
 * and to leave its inputs and earlier results alone. The nodes stay pending.
 *
 * @param c how many eps a function, or a sum in terms of its magnitudes, may be off
 * @returns how many elements there were, and how many of them were compared because their value is known
 */
export const compare = (roots: readonly Node[], backend: Backend, c = 16): Readonly<Count> => {
  const count: Count = { elements: 0, compared: 0 };
  const trial = trialOf(roots);
  const { program, inputs, scalars, others } = trial;
  const hintFor = (values: readonly number[]): string => {
    try {
      return firstFault(program, backend.compile(opened(program)).run(inputs, values), inputs, values, strict(c));
    } catch (error) {
      return `with every slot as an output it throws ${error}`;
    }
  };
  const runs = (): readonly Values[] => {
    try {
      const executable = backend.compile(program);
      return [scalars, others, scalars].map(values => executable.run(inputs, values));
    } catch (error) {
      throw disagreement(backend, `it throws ${error}`, hintFor(scalars), trial, error);
    }
  };
  const fault = faultOf(trial, runs() as [Values, Values, Values], strict(c), count);
  if (fault === null) return count;
  throw disagreement(backend, fault.what, hintFor(fault.scalars), { ...trial, scalars: fault.scalars });
};

/** The elements of values that may be on a device, on the host. */
const fetched = (values: Values): Promise<Values> => {
  const read = async (storage: Storage): Promise<Storage> => new HostStorage(storage.dtype, await storage.read());
  return Promise.all(values.map(one => (Array.isArray(one) ? Promise.all(one.map(read)) : read(one as Storage))));
};

/** A leaf without denormal numbers. */
const flushed = (storage: Storage): Storage => {
  const array = storage.readSync();
  if (!(array instanceof Float32Array)) return storage;
  return new HostStorage(
    'float32',
    array.map(x => (Math.abs(x) < leastNormal ? 0 : x)),
  );
};

/** As {@link compare}, for a backend whose results have to be waited for. */
export const compareOnDevice = async (
  roots: readonly Node[],
  backend: Backend,
  allowed: Tolerance,
): Promise<Readonly<Count>> => {
  const count: Count = { elements: 0, compared: 0 };
  const given = trialOf(roots);
  const trial = allowed.flushes ? { ...given, inputs: given.inputs.map(flushed) } : given;
  const { program, inputs, scalars, others } = trial;
  const hintFor = async (values: readonly number[]): Promise<string> => {
    try {
      const found = await fetched(backend.compile(opened(program)).run(inputs, values));
      return firstFault(program, found, inputs, values, allowed);
    } catch (error) {
      return `with every slot as an output it throws ${error}`;
    }
  };
  const runs = async (): Promise<readonly Values[]> => {
    try {
      const executable = backend.compile(program);
      return await Promise.all([scalars, others, scalars].map(values => fetched(executable.run(inputs, values))));
    } catch (error) {
      throw disagreement(backend, `it throws ${error}`, await hintFor(scalars), trial, error);
    }
  };
  const fault = faultOf(trial, (await runs()) as [Values, Values, Values], allowed, count);
  if (fault === null) return count;
  throw disagreement(backend, fault.what, await hintFor(fault.scalars), { ...trial, scalars: fault.scalars });
};

/** The same graph in float32 where it is float64, bodies included. */
export const narrowed = (roots: readonly Node[]): readonly Node[] => rebuilt(roots, new Map());

const rebuilt = (roots: readonly Node[], at: Map<Node, Node>): readonly Node[] => {
  for (const node of topological(roots, each => !at.has(each))) {
    at.set(
      node,
      node.value !== null
        ? narrowLeaf(node)
        : make(
            node.op,
            node.inputs.map(input => at.get(resolve(input))!),
            narrowParams(node.params),
          ),
    );
  }
  return roots.map(root => at.get(resolve(root))!);
};
const narrow = <T>(dtype: T): T | 'float32' => (dtype === 'float64' ? 'float32' : dtype);
const narrowLeaf = (node: Node): Node => {
  if (node.dtype !== 'float64') return node;
  const array = Float32Array.from((node.value as Storage).readSync() as Float64Array);
  return bufferNode(node.shape, new HostStorage('float32', array));
};
const isAval = (value: unknown): value is Aval => typeof value === 'object' && value !== null && 'dtype' in value;
const narrowParams = (params: Params): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(narrowParam) : narrowParam(value),
    ]),
  );
const narrowParam = (value: unknown): unknown => {
  if (isAval(value)) return { ...value, dtype: narrow(value.dtype) };
  if (!(value instanceof Graph)) return narrow(value);
  const avals = value.parameters.map(({ shape, dtype }) => ({ shape, dtype: narrow(dtype) }));
  return bodies.trace(avals, given => rebuilt(value.outputs, new Map(value.parameters.map((p, i) => [p, given[i]!]))));
};

// ——— Random values ———

/** Numbers in [0, 1) from a small generator (mulberry32), so that a seed says everything about a graph. */
export type Random = () => number;
export const randomOf = (seed: number): Random => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};
/** A number out of 0 … n − 1. */
export const below = (random: Random, n: number): number => Math.floor(random() * n);
export const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;
export const shuffled = <T>(random: Random, from: readonly T[]): T[] => {
  const result = [...from];
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
};
export const subset = <T>(random: Random, from: readonly T[], p = 0.5): T[] => from.filter(() => random() < p);

const specialFloats = [
  ...[NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 2, 10, 100, -100, 1e-3, 1 / 3],
  ...[2 ** -149, -(2 ** -149), 1e-40, -1e-40, 2 ** -126, 2 ** -1074, 1e-310, 1e-30, 1e30, -1e30],
  ...[3.4028234663852886e38, -3.4028234663852886e38, 1.7976931348623157e308, 88.72, 88.73, -87.3, -103.9, 709.7, -745],
  ...[2 ** 23 + 0.5, 2 ** 24, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 32, 2 ** 32 - 1, 2 ** 53, 255, 256, -1e-9, 255.9],
  ...[Math.PI, -Math.PI / 2, 1000 * Math.PI, 0.1, 4, -6, 9, 20, -20],
];
const specialIntegers = [
  ...[0, 1, -1, 2, 3, -3, 5, 7, 31, 32, 33, -32, 63, 64, 127, 128, 255, 256, -256, 65535, 65536, 46341],
  ...[2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 2, -(2 ** 31) + 1, 0x55555555, -0x55555556, 1000003],
];

/** Special values of a dtype; integers wrap to it. */
const specials = (dtype: DType): readonly number[] =>
  isFloat(dtype) ? specialFloats : dtype === 'bool' ? [0, 1] : specialIntegers;

/** Elements of a dtype; `special` is the share of special values among moderate ones. */
export const randomArray = (random: Random, dtype: DType, size: number, special: number): TypedArray => {
  const array = allocate(dtype, size);
  for (let i = 0; i < size; i++) {
    if (random() < special) array[i] = pick(random, specials(dtype));
    else if (dtype === 'bool') array[i] = below(random, 2);
    else if (isFloat(dtype)) array[i] = random() < 0.2 ? below(random, 7) - 3 : random() * 4 - 2;
    else array[i] = below(random, 20) - (dtype === 'int32' ? 9 : 0);
  }
  return array;
};

// ——— Random graphs ———

/** What a graph grows from: nodes to build on, and whether it is a body, which must not use anything from outside. */
interface Pool {
  readonly nodes: Node[];
  readonly depth: number;
}

/** No result is larger. */
const cap = 2048;
const lengths = [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 31];
const numeric: readonly DType[] = ['float32', 'float64', 'int32', 'uint32'];
const floats: readonly DType[] = ['float32', 'float64'];
const bits: readonly DType[] = ['int32', 'uint32', 'uint8', 'bool'];
/** float32 most often. */
const likely: readonly DType[] = [...dtypes, 'float32', 'float32', 'float64', 'int32'];

const lengthOf = (random: Random): number => (random() < 0.02 ? 0 : pick(random, lengths));

/** A shape of rank 0 to 4 with at most `limit` elements. */
const randomShape = (random: Random, limit = cap, rank = pick(random, [0, 1, 1, 2, 2, 2, 3, 3, 4])): number[] => {
  const shape: number[] = [];
  let room = limit;
  for (let axis = 0; axis < rank; axis++) {
    const length = lengthOf(random);
    shape.push(length <= room ? length : 1);
    room = Math.floor(room / Math.max(1, shape[axis]!));
  }
  return shuffled(random, shape);
};

const spread = (x: Node, shape: Shape): Node => (sameShape(x.shape, shape) ? x : b.broadcast(x, { shape }));

const constant = (random: Random, { shape, dtype }: Aval): Node => {
  const values = isFloat(dtype)
    ? [0, 1, -1, 2.5, 0.5, -0.75, 3]
    : dtype === 'int32'
      ? [0, 1, -1, 2, 3, -7]
      : [0, 1, 1, 2, 3, 7];
  const value = dtype === 'bool' ? below(random, 2) : pick(random, values);
  return spread(b.constant({ value: new DynamicNumber(value), dtype }), shape);
};
const integer = (value: number, shape: Shape = []): Node =>
  spread(b.constant({ value: new DynamicNumber(value), dtype: 'int32' }), shape);

const fresh = (random: Random, pool: Pool, aval: Aval): Node => {
  if (pool.depth > 0) return constant(random, aval);
  const special = random() < 0.3 ? 0.15 : 0;
  return bufferNode(
    aval.shape,
    new HostStorage(aval.dtype, randomArray(random, aval.dtype, sizeOf(aval.shape), special)),
  );
};

/** A node of the pool, later ones more often. */
const recent = (random: Random, nodes: readonly Node[]): Node =>
  nodes[nodes.length - 1 - Math.floor(random() ** 1.5 * nodes.length)]!;

/** A node of one of the dtypes, of rank ≥ `rank`. */
const some = (random: Random, pool: Pool, of: readonly DType[] = dtypes, rank = 0): Node => {
  const fit = pool.nodes.filter(node => of.includes(node.dtype) && node.shape.length >= rank);
  if (fit.length > 0) return recent(random, fit);
  const dtype = pick(
    random,
    likely.filter(each => of.includes(each)),
  );
  const shape = randomShape(random, cap, rank > 0 ? rank : undefined);
  return fresh(random, pool, { shape, dtype });
};

/** Any node made into one of this shape and dtype, by casting, spreading, cutting or filling up. */
const coerced = (x: Node, { shape, dtype }: Aval): Node => {
  const y = x.dtype === dtype ? x : b.cast(x, { dtype });
  if (sameShape(y.shape, shape)) return y;
  const added = shape.length - y.shape.length;
  if (added >= 0 && y.shape.every((n, axis) => n === 1 || n === shape[axis + added])) return b.broadcast(y, { shape });
  const [from, to] = [sizeOf(y.shape), sizeOf(shape)];
  const flat = b.reshape(y, { shape: [from] });
  const fitting =
    from >= to
      ? b.slice(flat, { start: [from - to], stop: [from], step: [1] })
      : b.pad(flat, { low: [0], high: [to - from], interior: [0] });
  return b.reshape(fitting, { shape });
};

/** An operand of a given shape and dtype. */
const like = (random: Random, pool: Pool, { shape, dtype }: Aval): Node => {
  const same = pool.nodes.filter(node => node.dtype === dtype && sameShape(node.shape, shape));
  if (same.length > 0 && random() < 0.6) return recent(random, same);
  const kind = random();
  if (kind < 0.3) return fresh(random, pool, { shape, dtype });
  if (kind < 0.6 || pool.nodes.length === 0) return constant(random, { shape, dtype });
  return coerced(recent(random, pool.nodes), { shape, dtype });
};

/** Cuts a result that has grown too large. */
const capped = (x: Node): Node => {
  const stop = [...x.shape];
  while (sizeOf(stop) > cap) {
    const axis = stop.indexOf(Math.max(...stop));
    stop[axis] = Math.ceil(stop[axis]! / 2);
  }
  return sameShape(stop, x.shape) ? x : b.slice(x, { start: stop.map(() => 0), stop, step: stop.map(() => 1) });
};

type Step = (random: Random, pool: Pool) => readonly Node[];
type Of = (...operands: readonly Node[]) => Node;

const floatFunctions = [...approximate]
  .filter(op => !['pow', 'atan2', 'hypot', 'logaddexp', 'polygamma'].includes(op))
  .concat('sqrt', 'neg', 'abs', 'sign', 'floor', 'ceil', 'round') as PrimitiveName[];
const arithmetic: readonly PrimitiveName[] = ['add', 'sub', 'mul', 'mul', 'add', 'div', 'max', 'min'];
const unaries: readonly (readonly [readonly PrimitiveName[], readonly DType[]])[] = [
  [['neg', 'abs', 'sign', 'stopGradient'], numeric],
  [['floor', 'ceil', 'round', 'sqrt', 'rsqrt', 'exp', 'expm1', 'log', 'log1p'], floats],
  [['sin', 'cos', 'tan', 'tanh', 'sigmoid', 'erf'], floats],
  [['asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh'], floats],
  [['erfc', 'erfinv', 'lgamma', 'polygamma'], floats],
  [['not'], bits],
  [['stopGradient'], dtypes],
];
const binaries: readonly (readonly [readonly PrimitiveName[], readonly DType[]])[] = [
  [['add', 'sub', 'mul', 'max', 'min'], numeric],
  [['add', 'sub', 'mul', 'div'], floats],
  [['atan2', 'hypot', 'logaddexp'], floats],
  [['rem', 'pow'], numeric],
  [['and', 'or', 'xor'], bits],
  [
    ['shiftLeft', 'shiftRight', 'shiftRightLogical'],
    ['int32', 'uint32'],
  ],
  [['eq', 'ne', 'lt', 'le', 'gt', 'ge'], dtypes],
];

const unary = (random: Random, x: Node): Node => {
  const [ops] = pick(
    random,
    unaries.filter(([, of]) => of.includes(x.dtype)),
  );
  const op = pick(random, ops);
  return op === 'polygamma' ? b.polygamma(x, { order: below(random, 3) }) : (b[op] as Of)(x);
};
const binary = (random: Random, x: Node, y: Node): Node => {
  const [ops] = pick(
    random,
    binaries.filter(([, of]) => of.includes(x.dtype)),
  );
  return (b[pick(random, ops)] as Of)(...shuffled(random, [x, y]));
};
const selected = (random: Random, pool: Pool, x: Node): Node => {
  const condition = like(random, pool, { shape: x.shape, dtype: 'bool' });
  return b.select(condition, ...(shuffled(random, [x, like(random, pool, x)]) as [Node, Node]));
};
const cast = (random: Random, x: Node): Node => b.cast(x, { dtype: pick(random, likely) });

const elementwiseSteps: readonly ((random: Random, pool: Pool, x: Node) => Node)[] = [
  (random, _, x) => unary(random, x),
  (random, pool, x) => binary(random, x, like(random, pool, x)),
  (random, pool, x) => binary(random, x, like(random, pool, x)),
  (random, _, x) => binary(random, x, x),
  (random, pool, x) => selected(random, pool, x),
  (random, _, x) => cast(random, x),
];

const views: readonly ((random: Random, x: Node) => Node)[] = [
  (random, x) => {
    const shape = x.shape.filter(n => n !== 1);
    const pieces = shape.flatMap(n => {
      const divisor = pick(
        random,
        range(n + 1).filter(d => d > 0 && n % d === 0),
      );
      return n > 0 && random() < 0.4 ? [divisor, n / divisor] : [n];
    });
    if (random() < 0.3) return b.reshape(x, { shape: [sizeOf(x.shape)] });
    if (random() < 0.4) pieces.splice(below(random, pieces.length + 1), 0, 1);
    return b.reshape(x, { shape: pieces });
  },
  (random, x) => b.permute(x, { axes: shuffled(random, range(x.shape.length)) }),
  (random, x) => b.permute(x, { axes: shuffled(random, range(x.shape.length)) }),
  (random, x) => {
    const thin = x.shape.map(n => (n > 1 && random() < 0.2 ? 1 : n));
    const cut = b.slice(x, {
      start: x.shape.map((n, axis) => (thin[axis] === n ? 0 : below(random, n))),
      stop: x.shape,
      step: x.shape.map((n, axis) => (thin[axis] === n ? 1 : n)),
    });
    const spaced = random() < 0.3 ? b.reshape(cut, { shape: [...cut.shape, 1] }) : cut;
    const wider = spaced.shape.map(n => (n === 1 && random() < 0.6 ? pick(random, [2, 3, 5, 0, 16]) : n));
    return capped(b.broadcast(spaced, { shape: random() < 0.3 ? [pick(random, [1, 2, 3]), ...wider] : wider }));
  },
  (random, x) => {
    const stop = x.shape.map(n => (random() < 0.5 ? n : below(random, n + 1) || n));
    const start = stop.map(n => (random() < 0.5 ? 0 : below(random, n)));
    return b.slice(x, { start, stop, step: stop.map(() => pick(random, [1, 1, 2, 3])) });
  },
  (random, x) => {
    const amount = (): number[] => x.shape.map(() => pick(random, [0, 0, 1, 2]));
    return capped(b.pad(x, { low: amount(), high: amount(), interior: amount() }));
  },
  (random, x) => b.flip(x, { axes: subset(random, range(x.shape.length)) }),
];

/** Indices into an axis, most of them inside. */
const indicesFor = (random: Random, pool: Pool, length: number, shape: Shape): Node => {
  const wide = b.rem(like(random, pool, { shape, dtype: 'int32' }), integer(length + 1, shape));
  return random() < 0.8 ? b.abs(wide) : wide;
};

/** Which axes of the operands of a contraction meet: a right operand is made for a left one. */
const contraction: Step = (random, pool) => {
  const lhs = some(random, pool, random() < 0.7 ? floats : numeric);
  const roles = lhs.shape.map(() => pick(random, ['batch', 'contract', 'contract', 'free'] as const));
  const axesOf = (role: string): number[] =>
    shuffled(
      random,
      range(roles.length).filter(axis => roles[axis] === role),
    );
  const [batch, contract] = [axesOf('batch'), axesOf('contract')];
  const count = (axes: readonly number[]): number => Math.max(1, sizeOf(axes.map(axis => lhs.shape[axis]!)));
  const room = Math.floor(
    cap / count(batch) / Math.max(count(contract), sizeOf(lhs.shape) / count(batch) / count(contract)),
  );
  const free = randomShape(random, Math.max(1, room), below(random, 3));
  // The right operand's axes in the order batch, contracted, free, then shuffled.
  const axes = [...batch, ...contract].map(axis => lhs.shape[axis]!).concat(free);
  const places = shuffled(random, range(axes.length));
  const at = inverse(places);
  const rhs = like(random, pool, { shape: places.map(place => axes[place]!), dtype: lhs.dtype });
  const dot = b.dotGeneral(lhs, rhs, {
    lhsBatch: batch,
    rhsBatch: batch.map((_, i) => at[i]!),
    lhsContract: contract,
    rhsContract: contract.map((_, i) => at[batch.length + i]!),
  });
  return [capped(dot)];
};

/** A convolution, or the derivative of one. */
const convolution: Step = (random, pool) => {
  const { dtype } = some(random, pool, random() < 0.7 ? floats : numeric);
  const axes = range(1 + below(random, 2));
  const upTo = (most: number): number[] => axes.map(() => 1 + below(random, most));
  const [strides, dilation, kernel, input] = [upTo(3), upTo(2), upTo(3), upTo(7)];
  const padding = axes.map(() => [below(random, 3), below(random, 4) - 1] as const);
  const places = axes.map(i => outputLength(input[i]!, kernel[i]!, strides[i]!, dilation[i]!, padding[i]!));
  const letter = (): number => pick(random, [1, 1, 2, 2, 3, ...(random() < 0.1 ? [0] : [])]);
  const [n, g, o, c] = [letter(), 1 + below(random, 2), letter(), letter()];
  const shapes = { input: [n, g, c, ...input], kernel: [g, o, c, ...kernel], output: [n, g, o, ...places] };
  const of = pick(random, ['output', 'input', 'kernel'] as const);
  const [x, y] = operandRoles(of).map(role => like(random, pool, { shape: shapes[role], dtype }));
  return [capped(b.conv(x!, y!, { of, strides, dilation, padding, size: shapes[of].slice(3) }))];
};

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

/** A body: a few steps on its parameters, then what `finish` makes of the pool. */
const bodyOf = (
  random: Random,
  pool: Pool,
  avals: readonly Aval[],
  finish: (inner: Pool, parameters: readonly Node[]) => readonly Node[],
): Graph =>
  bodies.trace(avals.map(avalOf), parameters => {
    const inner: Pool = { nodes: [...parameters], depth: pool.depth + 1 };
    for (let i = below(random, 5); i >= 0; i--) inner.nodes.push(...pick(random, stepsAt(inner.depth))(random, inner));
    return finish(inner, parameters);
  });

/** Some of the results of a primitive that has several, at least one. */
const taken = (random: Random, tuple: Node): Node[] => {
  const indices = range(tuple.outputs!.length);
  const chosen = subset(random, indices, 0.8);
  return (chosen.length > 0 ? chosen : [pick(random, indices)]).map(index => b.output(tuple, { index }));
};
const few = (random: Random, pool: Pool, most: number): Node[] =>
  range(1 + below(random, most)).map(() => some(random, pool));

/** A rule that computing asks nothing of. */
const unused: CustomRule = { kind: 'customBatch', apply: inputs => inputs };

const call: Step = (random, pool) => {
  const inputs = few(random, pool, 3);
  const body = bodyOf(random, pool, inputs, inner => few(random, inner, 3));
  return taken(
    random,
    random() < 0.7 ? b.call(inputs, { body }) : b.custom(inputs, { body, captures: 0, rule: unused }),
  );
};

/** Every input from its end to its start. */
const reversed: ExternalParams['run'] = elements => elements.map(x => x.slice().reverse());

const external: Step = (random, pool) => {
  const inputs = few(random, pool, 3);
  const avals = inputs.map(avalOf);
  const result = inputs.length === 1 && random() < 0.7 ? avals[0]! : avals;
  const node = b.external(inputs, { name: 'reversed', result, run: reversed });
  return node.outputs === null ? [node] : taken(random, node);
};

const cond: Step = (random, pool) => {
  const operands = few(random, pool, 3);
  const index =
    random() < 0.6 ? integer(below(random, 5) - 1) : coerced(some(random, pool), { shape: [], dtype: 'int32' });
  const first = bodyOf(random, pool, operands, inner => few(random, inner, 2));
  const others = range(1 + below(random, 2)).map(() =>
    bodyOf(random, pool, operands, inner => first.outputs.map(output => like(random, inner, output))),
  );
  return taken(random, b.cond([index, ...operands], { branches: shuffled(random, [first, ...others]) }));
};

const fold: Step = (random, pool) => {
  const captures = few(random, pool, 2).slice(below(random, 2));
  const carries = few(random, pool, 2);
  const length = pick(random, [1, 2, 3, 3, 4, 5, ...(random() < 0.1 ? [0] : [])]);
  const sequences = range(below(random, 3)).map(() => {
    const { shape, dtype } = some(random, pool);
    return like(random, pool, { shape: [length, ...shape.slice(1)].slice(0, 4), dtype });
  });
  const slices = sequences.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }));
  const body = bodyOf(random, pool, [...captures, ...carries, ...slices], inner => [
    ...carries.map(carry => like(random, inner, carry)),
    ...few(random, inner, 3)
      .slice(1)
      .filter(y => sizeOf(y.shape) * length <= cap),
  ]);
  const params = { body, length, captures: captures.length, carries: carries.length, reverse: random() < 0.5 };
  return taken(random, b.fold([...captures, ...carries, ...sequences], params));
};

/** Counts up to a limit; now and then it also stops when a sum grows. */
const loop: Step = (random, pool) => {
  const limit = integer(below(random, 6));
  const carries = [integer(0), ...few(random, pool, 2)];
  const captures = few(random, pool, 2).slice(below(random, 2));
  const test = bodies.trace([limit, ...carries].map(avalOf), ([most, count, x]) => {
    const goesOn = b.lt(count!, most!);
    if (random() < 0.7 || !numeric.includes(x!.dtype)) return [goesOn];
    const total = b.sum(x!, { axes: range(x!.shape.length) });
    return [b.and(goesOn, b.lt(total, b.constant({ value: new DynamicNumber(50), dtype: x!.dtype })))];
  });
  const body = bodyOf(random, pool, [...captures, ...carries], (inner, parameters) => [
    b.add(parameters[captures.length]!, integer(1)),
    ...carries.slice(1).map(carry => like(random, inner, carry)),
  ]);
  const params = { test, body, testCaptures: 1, bodyCaptures: captures.length };
  return taken(random, b.while([limit, ...captures, ...carries], params));
};

const steps: readonly Step[] = [
  ...elementwiseSteps.map(
    (step): Step =>
      (random, pool) => [step(random, pool, some(random, pool))],
  ),
  ...views.map(
    (view): Step =>
      (random, pool) => [view(random, some(random, pool))],
  ),
  // Chains whose links have no other consumer: what a backend fuses.
  (random, pool) => {
    let x = some(random, pool);
    for (let i = 2 + below(random, 5); i > 0; i--) x = pick(random, elementwiseSteps)(random, pool, x);
    return [x];
  },
  (random, pool) => {
    let x = some(random, pool, dtypes, 1);
    for (let i = 2 + below(random, 4); i > 0; i--) x = pick(random, views)(random, x);
    return [x];
  },
  ...range(4).map(
    (): Step => (random, pool) => {
      let x = some(random, pool, floats);
      for (let i = 2 + below(random, 5); i > 0; i--) {
        const other = random() < 0.5 ? x : like(random, pool, x);
        x = random() < 0.5 ? (b[pick(random, floatFunctions)] as Of)(x) : (b[pick(random, arithmetic)] as Of)(x, other);
      }
      return [x];
    },
  ),
  (random, pool) => {
    const x = some(random, pool, dtypes, 1);
    const axis = below(random, x.shape.length);
    const others = range(1 + below(random, 2)).map(() => {
      const length = pick(random, [0, 1, 2, 3, 5]);
      return like(random, pool, { shape: x.shape.map((n, i) => (i === axis ? length : n)), dtype: x.dtype });
    });
    return [capped(b.concat(shuffled(random, [x, ...others]), { axis }))];
  },
  (random, pool) => {
    const x = some(random, pool, dtypes, 1);
    const axis = below(random, x.shape.length);
    const block = Math.max(1, sizeOf(x.shape) / Math.max(1, x.shape[axis]!));
    const shape = randomShape(random, Math.max(1, Math.floor(cap / block)), below(random, 3));
    return [capped(b.gather(x, indicesFor(random, pool, x.shape[axis]!, shape), { axis }))];
  },
  (random, pool) => {
    const x = some(
      random,
      pool,
      dtypes.filter(dtype => dtype !== 'bool'),
    );
    const axis = below(random, x.shape.length + 1);
    const shape = x.shape.slice(axis, axis + below(random, 3));
    const length = pick(random, [1, 2, 3, 5, 8]);
    return [capped(b.scatterAdd(x, indicesFor(random, pool, length, shape), { axis, length }))];
  },
  ...(['sum', 'sum', 'prod', 'reduceMax', 'reduceMin'] as const).map(
    (op): Step =>
      (random, pool) => {
        const x = some(random, pool, numeric);
        const axes = range(x.shape.length).filter(axis => op === 'sum' || x.shape[axis] !== 0);
        return [b[op](x, { axes: random() < 0.3 ? axes : subset(random, axes) })];
      },
  ),
  ...(['argmax', 'argmin', 'argsort'] as const).map(
    (op): Step =>
      (random, pool) => {
        const x = some(random, pool, op === 'argsort' ? dtypes : numeric, 1);
        const axes = range(x.shape.length).filter(axis => op === 'argsort' || x.shape[axis] !== 0);
        if (axes.length === 0) return [x];
        const axis = pick(random, axes);
        if (op !== 'argsort') return [b[op](x, { axes: [axis] })];
        const count = below(random, x.shape[axis]! + 1);
        return [b.argsort(x, random() < 0.5 ? { axis } : { axis, count })];
      },
  ),
  ...(['cumsum', 'recurrence', 'cumargmax', 'cumargmin'] as const).map(
    (op): Step =>
      (random, pool) => {
        const x = some(random, pool, numeric, 1);
        const axis = below(random, x.shape.length);
        if (op === 'cumargmax' || op === 'cumargmin') return [b[op](x, { axis })];
        const params = { axis, reverse: random() < 0.5 };
        return [op === 'cumsum' ? b.cumsum(x, params) : b.recurrence(like(random, pool, x), x, params)];
      },
  ),
  (random, pool) => {
    const n = 1 + below(random, 5);
    const batch = range(below(random, 2)).map(() => 1 + below(random, 3));
    const dtype = pick(random, floats);
    const matrix = like(random, pool, { shape: [...batch, n, n], dtype });
    const other = like(random, pool, { shape: [...batch, n, below(random, 4)], dtype });
    const [upper, transpose, unit] = range(3).map(() => random() < 0.5) as [boolean, boolean, boolean];
    return pick(random, [
      () => [b.cholesky(b.add(matrix, full(b, matrix, 1)))],
      () => [b.triangularSolve(matrix, other, { upper, transpose, unit })],
      () => results(b, b.lu(random() < 0.5 ? matrix : other)),
      () => [b.orthogonalRows(other, { columns: below(random, other.shape.at(-1)! + 1) })],
    ])();
  },
  contraction,
  contraction,
  convolution,
  external,
  random => {
    const shape = randomShape(random, cap, 1 + below(random, 3));
    const dtype = pick(random, [...numeric, 'uint8'] as const);
    return [b.iota({ shape, dtype, axis: below(random, shape.length) })];
  },
  (random, pool) => [constant(random, { shape: randomShape(random), dtype: some(random, pool).dtype })],
  (random, pool) => {
    const shape = randomShape(random, 256);
    const [k0, k1, c0, c1] = range(4).map(() => like(random, pool, { shape, dtype: 'uint32' }));
    return [b.threefry2x32(k0!, k1!, c0!, c1!, { rounds: 20, word: pick(random, [0, 1, 'xor'] as const) })];
  },
];
const loops: readonly Step[] = [call, cond, fold, loop];
const outermost: readonly Step[] = [...steps, ...loops];
/** Bodies have bodies, but not for ever. */
const stepsAt = (depth: number): readonly Step[] => (depth < 2 ? outermost : steps);

/** Roots of a random graph; in fast-check's messages it is its program. */
export interface GeneratedGraph {
  readonly roots: readonly Node[];
}

/**
 * Random graphs: leaves of every dtype with special values among them, then steps that build on what is there. The
 * roots are all nodes that nothing was built on, and a few others. A counterexample shrinks by losing steps.
 */
export const graphs = (): fc.Arbitrary<GeneratedGraph> =>
  fc
    .record({
      seed: fc.noBias(fc.integer()),
      leaves: fc.integer({ min: 1, max: 4 }),
      steps: fc.array(fc.tuple(fc.noBias(fc.nat(outermost.length - 1)), fc.noBias(fc.integer())), {
        minLength: 1,
        maxLength: 24,
        size: 'max',
      }),
    })
    .map(({ seed, leaves, steps: chosen }) => {
      const random = randomOf(seed);
      const pool: Pool = { nodes: [], depth: 0 };
      for (let i = 0; i < leaves; i++)
        pool.nodes.push(fresh(random, pool, { shape: randomShape(random), dtype: pick(random, likely) }));
      for (const [step, own] of chosen) pool.nodes.push(...outermost[step]!(randomOf(own), pool));
      const pending = [...new Set(pool.nodes.filter(node => node.value === null))];
      const roots = shuffled(
        random,
        pending.filter(node => node.uses === 0 || random() < 0.1),
      );
      return {
        roots,
        [fc.toStringMethod]: () => {
          const { program, scalars } = programOfPending(roots);
          return `\n${showProgram(program, scalars, bySlots)}\n`;
        },
      };
    });

/** The primitives in the program of some roots, bodies included. */
export const operationsOf = (roots: readonly Node[]): ReadonlySet<string> => {
  const { program } = programOfPending(roots);
  return new Set([...operationsIn(program), ...(scalarsIn(program).length > 0 ? ['constant'] : [])]);
};
