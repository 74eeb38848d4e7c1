/**
 * Positions that sort lines. Short blocks by counting what comes before each element; then neighbouring runs are merged, each thread
 * finding by bisection where its result comes from. Positions are carried as floats, and the elements read again.
 */
import type { DType } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import type { Code, Condition, Float } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import { Floats } from '../language/parts.js';
import { float, floatOf, type Scalar, scalarOfIndex } from '../language/scalars.js';
import type { Operand, Sequence, Value } from '../passes/sequence.js';
import { bestBlock, blockOf, type Line, type Lines, launchLines, linesOf, loadAt, type Source } from './lines.js';
import { lessScalar, whereNaN } from './positions.js';

/** Whether x may stand before y: it is not larger, or y is NaN. */
const precedes = (code: Code, dtype: DType, x: Scalar, y: Scalar): Condition => {
  const nan = whereNaN(code, dtype, y);
  if (nan.length === 0) return code.not(lessScalar(code, dtype, y, x));
  const f = new Floats(code);
  return code.either(...nan, f.le(floatOf(code, x), floatOf(code, y)));
};

/** Elements, and positions of elements in the order so far. */
interface Order {
  readonly source: Source;
  readonly positions: Source;
}

const elementAt = (code: Code, { source, positions }: Order, line: Line, at: Float): Scalar =>
  loadAt(code, source, 0, line, floatOf(code, loadAt(code, positions, 1, line, at)));

/** The places of elements in their blocks. */
const ranks = (sequence: Sequence, source: Source, size: number): Operand => {
  const { lines, dtype, operand } = source;
  return launchLines(sequence, 'argsort', lines, 'float32', [operand], (code, line, at) => {
    const f = new Floats(code);
    const own = loadAt(code, source, 0, line, at);
    const { first } = blockOf(code, at, size);
    const rank = code.variable(first);
    code.loop(size, ({ float: turn }) => {
      const other = f.add(first, turn);
      if (lines.length % size !== 0) code.leave(f.le(lines.length, other));
      const element = loadAt(code, source, 0, line, other);
      const before = code.either(
        code.both(f.lt(other, at), precedes(code, dtype, element, own)),
        code.both(f.lt(at, other), code.not(precedes(code, dtype, own, element))),
      );
      code.if(before, () => code.assign(rank, `${rank} + 1`));
    });
    return float(rank);
  });
};

/** Which element of its block has the place of each thread. */
const inverted = (code: KernelCode, rank: Source, size: number, line: Line, at: Float): Float => {
  const f = new Floats(code);
  const { first } = blockOf(code, at, size);
  const found = code.variable(first);
  code.loop(size, ({ float: turn }) => {
    const other = f.add(first, turn);
    if (rank.lines.length % size !== 0) code.leave(f.le(rank.lines.length, other));
    code.if(f.eq(floatOf(code, loadAt(code, rank, 0, line, other)), at), () => code.assign(found, other));
  });
  return found;
};

/** The position that comes to a place where two sorted runs of `size` positions are merged. */
const merged = (code: KernelCode, order: Order, size: number, line: Line, at: Float): Float => {
  const f = new Floats(code);
  const { positions, source } = order;
  const { length } = positions.lines;
  const { first } = blockOf(code, at, 2 * size);
  const place = f.sub(at, first);
  const left = f.min(f.sub(length, first), size);
  const right = f.max(f.min(f.sub(f.sub(length, first), size), size), 0);
  const second = f.add(first, size);
  // How many of the results before this one come from the left run.
  const low = code.variable(f.max(f.sub(place, right), 0));
  const high = code.variable(f.min(place, left));
  code.loop(Math.ceil(Math.log2(size + 1)) + 1, () => {
    code.leave(f.le(high, low));
    const middle = f.floor(`((${low} + ${high}) * ${code.literal(0.5)})`);
    const [x, y] = [
      elementAt(code, order, line, f.add(first, middle)),
      elementAt(code, order, line, f.add(second, f.sub(f.sub(place, 1), middle))),
    ];
    const taken = f.select(precedes(code, source.dtype, x, y), 1, 0);
    code.assign(low, f.select(f.eq(taken, 1), f.add(middle, 1), low));
    code.assign(high, f.select(f.eq(taken, 1), high, middle));
  });
  const [fromLeft, fromRight] = [f.add(low, 0), f.sub(place, low)];
  // Beyond its end a run gives its last position, which is not taken.
  const p = floatOf(code, loadAt(code, positions, 1, line, f.add(first, f.min(fromLeft, f.sub(left, 1)))));
  const q = floatOf(code, loadAt(code, positions, 1, line, f.min(f.add(second, fromRight), length - 1)));
  const [x, y] = [loadAt(code, source, 0, line, p), loadAt(code, source, 0, line, q)];
  const isLeft = code.both(
    f.lt(fromLeft, left),
    code.either(f.le(right, fromRight), precedes(code, source.dtype, x, y)),
  );
  return f.select(isLeft, p, q);
};

/** The first `count` positions of each line in order, as floats or as int32. */
export const sorted = (sequence: Sequence, source: Source, count: number, dtype: 'int32' | 'float32'): Operand => {
  const { lines } = source;
  const { length } = lines;
  const whole = 2 ** Math.ceil(Math.log2(length));
  const block = bestBlock(sequence.traits.threads, Math.min(4, whole), Math.min(256, whole), size => {
    const merges = Math.ceil(Math.log2(Math.ceil(length / size)));
    const elements = lines.outer * length * lines.inner;
    return { launches: 2 + merges, turns: elements * (2 * size + merges * (Math.log2(length) + 2)) };
  });
  const launch = (
    reads: readonly Operand[],
    last: boolean,
    write: (code: KernelCode, line: Line, at: Float) => Float,
  ) => {
    const made: Lines = last ? { ...lines, length: count } : lines;
    return launchLines(sequence, 'argsort', made, last ? dtype : 'float32', reads, (code, line, at) => {
      const place = write(code, line, at);
      return last ? scalarOfIndex(code, dtype, place) : float(place);
    });
  };
  const rank: Source = { lines, dtype: 'float32', operand: ranks(sequence, source, block) };
  let positions = launch([rank.operand], block >= length, (code, line, at) => inverted(code, rank, block, line, at));
  for (let size = block; size < length; size *= 2) {
    const order: Order = { source, positions: { lines, dtype: 'float32', operand: positions } };
    positions = launch([source.operand, positions], 2 * size >= length, (code, line, at) =>
      merged(code, order, size, line, at),
    );
  }
  return positions;
};

export const argsort = (
  sequence: Sequence,
  { axis }: ParamsOf<'argsort'>,
  [x]: readonly Aval[],
  { shape }: Aval,
  [from]: readonly Operand[],
): Value =>
  sorted(sequence, { lines: linesOf(x!, axis), dtype: x!.dtype, operand: from! }, shape[axis]!, 'int32').value;
