/**
 * Sums of updates by index, without two threads ever adding to the same place: each result either looks at all indices and adds what
 * is meant for it, in pieces where there are few results; or, where that would be too much, the indices are sorted and each result
 * adds up its own run of them. In both ways updates are added in the same order in every run.
 */
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { Code, Float } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import { Floats } from '../language/parts.js';
import { floatOf, loadScalar, type Scalar, scalarOfIndex, wordAsFloat, zeroScalar } from '../language/scalars.js';
import { linear } from '../passes/indices.js';
import { type Operand, type Sequence, type Value, writePass } from '../passes/sequence.js';
import { sorted } from './argsort.js';
import { bestBlock, type Line, launchLines, linesOf, loadAt, made, plus, type Source, Variable } from './lines.js';

/** Comparisons of indices with places that a device may do instead of sorting. */
const comparisons = 2 ** 28;
/** Turns of one loop. Some drivers cut loops at 65536. */
const longest = 2 ** 12;

const indexAt = (code: Code, { offset }: Operand, buffer: number, at: Float): Float =>
  wordAsFloat(code, 'int32', loadScalar(code, 'int32', buffer, linear(offset, [{ at: code.integer(at), stride: 1 }])));

/** Adds up the lines of blocks of a tensor [blocks, rest] that a pass made. */
const summed = (
  sequence: Sequence,
  operand: Operand,
  blocks: number,
  lines: Source['lines'],
  dtype: Aval['dtype'],
): Operand => {
  const { outer, length, inner } = lines;
  const rows: Source = { lines: { outer: 1, length: blocks, inner: outer * length * inner }, dtype, operand };
  const result = { outer: 1, length: outer * length * inner, inner: 1 };
  return launchLines(sequence, 'scatterAdd', result, dtype, [operand], (code, _, at) => {
    const line: Line = { outer: { integer: '0', float: '0' }, inner: { integer: code.integer(at), float: at } };
    const sum = new Variable(code, loadAt(code, rows, 0, line, '0'));
    code.loop(blocks - 1, ({ float: turn }) => {
      const next = new Floats(code).add(turn, 1);
      sum.set(plus(code, sum.value, loadAt(code, rows, 0, line, next)));
    });
    return sum.value;
  });
};

const compared = (sequence: Sequence, updates: Source, at: Operand, length: number): Operand => {
  const { lines, dtype, operand } = updates;
  const count = lines.length;
  const results = lines.outer * length * lines.inner;
  const whole = 2 ** Math.ceil(Math.log2(count));
  const block = Math.min(
    count,
    bestBlock(sequence.traits.threads, Math.min(32, whole), Math.min(longest, whole), size => ({
      launches: size >= count ? 1 : 2,
      turns: size * Math.max(results * Math.ceil(count / size), sequence.traits.threads) + results * (count / size),
    })),
  );
  const blocks = Math.ceil(count / block);
  const pass = writePass(
    sequence.traits,
    {
      name: 'scatterAdd',
      lengths: [blocks, lines.outer, length, lines.inner],
      dtype,
      reads: [operand.floats, at.floats],
    },
    (code, [part, outer, place, inner]): Scalar => {
      const f = new Floats(code);
      const line = { outer: outer!, inner: inner! };
      const own = f.of(place!.float);
      const first = f.mul(part!.float, block);
      const sum = new Variable(code, zeroScalar(code, dtype));
      code.loop(block, ({ float: turn }) => {
        const next = f.add(first, turn);
        if (count % block !== 0) code.leave(f.le(count, next));
        code.if(f.eq(indexAt(code, at, 1, next), own), () => {
          sum.set(plus(code, sum.value, loadAt(code, updates, 0, line, next)));
        });
      });
      return sum.value;
    },
  );
  const [value] = sequence.launch(pass, [operand.value, at.value]);
  const parts = made(
    value!,
    pass.grid.reduce((p, n) => p * n, 1),
  );
  return blocks === 1 ? parts : summed(sequence, parts, blocks, { ...lines, length }, dtype);
};

/** For each place, and for the one behind the last, how many indices are below it. */
const starts = (sequence: Sequence, at: Operand, order: Source, length: number): Operand => {
  const count = order.lines.length;
  const places = { outer: 1, length: length + 1, inner: 1 };
  return launchLines(sequence, 'scatterAdd', places, 'float32', [at, order.operand], (code, line, place) => {
    const f = new Floats(code);
    const low = code.variable('0');
    const high = code.variable(code.literal(count));
    code.loop(Math.ceil(Math.log2(count + 1)) + 1, () => {
      code.leave(f.le(high, low));
      const middle = f.floor(`((${low} + ${high}) * ${code.literal(0.5)})`);
      const index = indexAt(code, at, 0, floatOf(code, loadAt(code, order, 1, line, middle)));
      const below = f.select(f.lt(index, place), 1, 0);
      code.assign(low, f.select(f.eq(below, 1), f.add(middle, 1), low));
      code.assign(high, f.select(f.eq(below, 1), high, middle));
    });
    return scalarOfIndex(code, 'float32', low);
  });
};

/** From one position to another, in loops within loops where one would be too long. */
const between = (code: KernelCode, from: Float, to: Float, most: number, body: (at: Float) => void): void => {
  const f = new Floats(code);
  const inner = (first: Float, turns: number): void =>
    code.loop(turns, ({ float: turn }) => {
      const at = f.add(first, turn);
      code.leave(f.le(to, at));
      body(at);
    });
  if (most <= longest) {
    inner(from, most);
    return;
  }
  code.loop(Math.ceil(most / longest), ({ float: turn }) => {
    const first = f.fma(turn, longest, from);
    code.leave(f.le(to, first));
    inner(first, longest);
  });
};

const gathered = (sequence: Sequence, updates: Source, at: Operand, length: number): Operand => {
  const { lines, dtype, operand } = updates;
  const line: Source['lines'] = { outer: 1, length: lines.length, inner: 1 };
  const order: Source = {
    lines: line,
    dtype: 'float32',
    operand: sorted(sequence, { lines: line, dtype: 'int32', operand: at }, lines.length, 'float32'),
  };
  const begins: Source = {
    lines: { outer: 1, length: length + 1, inner: 1 },
    dtype: 'float32',
    operand: starts(sequence, at, order, length),
  };
  const reads = [operand, order.operand, begins.operand];
  const still = { integer: '0', float: '0' };
  return launchLines(sequence, 'scatterAdd', { ...lines, length }, dtype, reads, (code, own, place) => {
    const f = new Floats(code);
    const only: Line = { outer: still, inner: still };
    const [from, to] = [place, f.add(place, 1)].map(each => floatOf(code, loadAt(code, begins, 2, only, each)));
    const sum = new Variable(code, zeroScalar(code, dtype));
    between(code, from!, to!, lines.length, each => {
      const update = floatOf(code, loadAt(code, order, 1, only, each));
      sum.set(plus(code, sum.value, loadAt(code, updates, 0, own, update)));
    });
    return sum.value;
  });
};

export const scatterAdd = (
  sequence: Sequence,
  { axis, length }: ParamsOf<'scatterAdd'>,
  [updates, indices]: readonly Aval[],
  { dtype }: Aval,
  [from, at]: readonly Operand[],
): Value => {
  const lines = linesOf(updates!, axis, axis + indices!.shape.length - 1);
  const source: Source = { lines, dtype, operand: from! };
  const direct = sizeOf(updates!.shape) * length <= comparisons || lines.length <= 32;
  return (direct ? compared : gathered)(sequence, source, at!, length).value;
};
