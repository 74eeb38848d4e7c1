/**
 * h[i] = a[i]·h[i − 1] + x[i] in blocks: what each block makes of nothing, and the factor by which it multiplies what comes in; then
 * what comes in, block by block; then the elements, each from the start of its block.
 *
 * The factor of a block is a product of many, which may be beyond what a float32 can be where h never is (h = 0 before factors
 * whose product is ∞ is 0, and not NaN). So it has a power of two beside it, and is applied in steps of which only the last can
 * leave the range.
 */
import type { DType } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import type { Code, Float, Integer } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import { Floats } from '../language/parts.js';
import { float, floatOf, floatsOfScalar, type Scalar, word, wordOf } from '../language/scalars.js';
import { mulWords } from '../language/words.js';
import { linear } from '../passes/indices.js';
import { type Operand, type Sequence, type Value, writePass } from '../passes/sequence.js';
import {
  bestBlock,
  blockOf,
  type Line,
  type Lines,
  launchLines,
  linesOf,
  loadAt,
  made,
  plus,
  type Source,
  Variable,
} from './lines.js';

/** Longer lines would take more turns than a device does at once. */
export const longestRecurrence = 2 ** 20;

const times = (code: Code, x: Scalar, y: Scalar): Scalar =>
  x.kind === 'word'
    ? word(mulWords(code, x, wordOf(y)))
    : float(new Floats(code).mul(floatOf(code, x), floatOf(code, y)));

/** Powers of two are given as numbers: as literals they would be integers beyond what integers are. */
const power = (code: Code, exponent: number): Float => code.number({ kind: 'constant', value: 2 ** exponent });

/** A float as x·2^exponent, the exponent a multiple of 64. */
interface Scaled {
  readonly x: Float;
  readonly exponent: Float;
}

/** Brings the magnitude of anything but 0, ∞ and NaN to between 2^−62 and 2^64; if it was below 2^96 and above 2^−96, to within 2^±32. */
const normalised = (code: Code, { x, exponent }: Scaled): Scaled => {
  const f = new Floats(code);
  const magnitude = f.abs(x);
  const [large, small] = [f.lt(power(code, 32), magnitude), f.lt(magnitude, power(code, -32))];
  const factor = f.select(large, power(code, -64), f.select(small, power(code, 64), 1));
  return { x: f.mul(x, factor), exponent: f.add(exponent, f.select(large, 64, f.select(small, -64, 0))) };
};

/** The factor of a block times another factor. */
const scaledTimes = (code: Code, product: Scaled, factor: Float): Scaled => {
  const f = new Floats(code);
  const other = normalised(code, { x: factor, exponent: code.literal(0) });
  return normalised(code, { x: f.mul(product.x, other.x), exponent: f.add(product.exponent, other.exponent) });
};

/** The factor of a block times what comes in. Magnitudes from 2^−94 to 2^96 need four steps to any that a float32 has. */
const unscaledTimes = (code: Code, product: Scaled, h: Float): Float => {
  const f = new Floats(code);
  const own = normalised(code, { x: h, exponent: code.literal(0) });
  let x = f.mul(product.x, own.x);
  let exponent = f.add(product.exponent, own.exponent);
  for (let step = 0; step < 4; step++) {
    const [up, down] = [f.lt(0, exponent), f.lt(exponent, 0)];
    x = f.mul(x, f.select(up, power(code, 64), f.select(down, power(code, -64), 1)));
    exponent = f.sub(exponent, f.select(up, 64, f.select(down, -64, 0)));
  }
  return x;
};

/** Floats that say what a block does: its factor (scaled, or a word) and what it makes of nothing. */
const partsOf = (dtype: DType): number => (dtype === 'float32' ? 3 : 4);

/** What a block does to what comes in. */
interface Effect {
  /** In the order they are stored. */
  readonly parts: readonly Float[];
  apply(code: Code, h: Scalar): Scalar;
}

const effectOf = (dtype: DType, parts: readonly Float[]): Effect => ({
  parts,
  apply: (code, h) => {
    const [p, q, ...own] = parts as [Float, Float, Float, Float];
    if (dtype === 'float32')
      return float(new Floats(code).add(unscaledTimes(code, { x: p, exponent: q }, floatOf(code, h)), own[0]));
    return plus(code, times(code, word({ low: p, high: q }), h), word({ low: own[0], high: own[1]! }));
  },
});

interface Terms {
  factor(code: Code, line: Line, at: Float): Scalar;
  term(code: Code, line: Line, at: Float): Scalar;
}

/** Steps from a value at the start of a block to the one at a position. */
const stepped = (
  code: KernelCode,
  { factor, term }: Terms,
  line: Line,
  from: Float,
  to: Float,
  size: number,
  h: Variable,
): void => {
  const f = new Floats(code);
  code.loop(size - 1, ({ float: turn }) => {
    const at = f.add(f.add(from, turn), 1);
    code.leave(f.lt(to, at));
    h.set(plus(code, times(code, factor(code, line, at), h.value), term(code, line, at)));
  });
};

/** Where a part of a block's effect is. */
const partAt = (blocks: Lines, parts: number, line: Line, block: Integer, part: number): Integer =>
  linear(part * blocks.inner, [
    { at: line.outer.integer, stride: blocks.length * parts * blocks.inner },
    { at: block, stride: parts * blocks.inner },
    { at: line.inner.integer, stride: 1 },
  ]);

/** What each block does. */
const blockEffects = (
  sequence: Sequence,
  { factor, term }: Terms,
  lines: Lines,
  size: number,
  dtype: DType,
  reads: readonly Operand[],
): Operand => {
  const count = Math.ceil(lines.length / size);
  const lengths = [lines.outer, count, partsOf(dtype), lines.inner];
  const pass = writePass(
    sequence.traits,
    { name: 'recurrence', lengths, dtype: 'float32', reads: reads.map(({ floats }) => floats) },
    (code, [outer, block, part, inner]) => {
      const f = new Floats(code);
      const line = { outer: outer!, inner: inner! };
      const first = f.mul(block!.float, size);
      const h = new Variable(code, term(code, line, first));
      const initial = factor(code, line, first);
      const scaled = dtype === 'float32' ? normalised(code, { x: floatOf(code, initial), exponent: '0' }) : null;
      const product = new Variable(code, scaled === null ? initial : float(scaled.x));
      const exponent = new Variable(code, float(scaled === null ? '0' : scaled.exponent));
      code.loop(size - 1, ({ float: turn }) => {
        const at = f.add(f.add(first, turn), 1);
        code.leave(f.le(lines.length, at));
        const a = factor(code, line, at);
        h.set(plus(code, times(code, a, h.value), term(code, line, at)));
        if (scaled === null) {
          product.set(times(code, product.value, a));
          return;
        }
        const held = { x: floatOf(code, product.value), exponent: floatOf(code, exponent.value) };
        const next = scaledTimes(code, held, floatOf(code, a));
        product.set(float(next.x));
        exponent.set(float(next.exponent));
      });
      const own = [
        ...floatsOfScalar(code, product.value),
        ...(scaled === null ? [] : floatsOfScalar(code, exponent.value)),
        ...floatsOfScalar(code, h.value),
      ];
      const last = own.length - 1;
      return float(own.slice(0, last).reduceRight((rest, x, i) => f.select(f.eq(part!.float, i), x, rest), own[last]!));
    },
  );
  const [value] = sequence.launch(
    pass,
    reads.map(read => read.value),
  );
  return made(
    value!,
    lengths.reduce((p, n) => p * n, 1),
  );
};

export const recurrence = (
  sequence: Sequence,
  { axis, reverse }: ParamsOf<'recurrence'>,
  _: readonly Aval[],
  aval: Aval,
  [a, x]: readonly Operand[],
): Value => {
  const lines = linesOf(aval, axis);
  const { length } = lines;
  const { dtype } = aval;
  const way = (code: Code, at: Float): Float => (reverse ? new Floats(code).sub(length - 1, at) : at);
  const [factors, values]: Source[] = [a!, x!].map(operand => ({ lines, dtype, operand }));
  const terms: Terms = {
    factor: (code, line, at) => loadAt(code, factors!, 0, line, way(code, at)),
    term: (code, line, at) => loadAt(code, values!, 1, line, way(code, at)),
  };
  const reads = [a!, x!];
  const rows = lines.outer * lines.inner;
  const whole = 2 ** Math.ceil(Math.log2(length));
  const size = bestBlock(sequence.traits.threads, Math.min(8, whole), whole, block => {
    const inside = rows * length * (block / 2 + 1);
    if (block >= length) return { launches: 1, turns: inside };
    const count = Math.ceil(length / block);
    // What a block does takes some times the work of a step, in each of the threads for its parts.
    return { launches: 3, turns: inside + 8 * partsOf(dtype) * rows * length + (4 * rows * count * count) / 2 };
  });
  if (size >= length) {
    return launchLines(sequence, 'recurrence', lines, dtype, reads, (code, line, position) => {
      const h = new Variable(code, terms.term(code, line, '0'));
      stepped(code, terms, line, '0', way(code, position), length, h);
      return h.value;
    }).value;
  }
  const blocks = { ...lines, length: Math.ceil(length / size) };
  const parts = partsOf(dtype);
  const effects = blockEffects(sequence, terms, lines, size, dtype, reads);
  const carries = launchLines(sequence, 'recurrence', blocks, dtype, [effects], (code, line, block) => {
    const f = new Floats(code);
    // The first block takes in nothing, not even 0 times its factor.
    const begins = Array.from({ length: parts }, (_, part) =>
      code.let(code.load(0, partAt(blocks, parts, line, '0', part))),
    );
    const h = new Variable(code, dtype === 'float32' ? float(begins[2]!) : word({ low: begins[2]!, high: begins[3]! }));
    code.loop(blocks.length - 1, ({ float: turn }) => {
      const at = f.add(turn, 1);
      code.leave(f.le(block, at));
      const own = Array.from({ length: parts }, (_, part) =>
        code.let(code.load(0, partAt(blocks, parts, line, code.integer(at), part))),
      );
      h.set(effectOf(dtype, own).apply(code, h.value));
    });
    return h.value;
  });
  const before: Source = { lines: blocks, dtype, operand: carries };
  return launchLines(sequence, 'recurrence', lines, dtype, [...reads, carries], (code, line, position) => {
    const f = new Floats(code);
    const at = way(code, position);
    const { block, first } = blockOf(code, at, size);
    const h = new Variable(code, terms.term(code, line, first));
    code.if(f.lt(0, block), () => {
      // The carry of a block is what leaves the one before it.
      const carry = loadAt(code, before, 2, line, block);
      h.set(plus(code, times(code, terms.factor(code, line, first), carry), h.value));
    });
    stepped(code, terms, line, first, at, size, h);
    return h.value;
  }).value;
};
