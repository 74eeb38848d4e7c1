/**
 * Running sums. A thread adds up what is before it in its block; the sums of whole blocks are added up in the same way, and each
 * element gets that of the blocks before its own. Sums come about in another order than on the CPU, and in float32.
 */
import type { DType } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import type { Float } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import { Floats } from '../language/parts.js';
import type { Scalar } from '../language/scalars.js';
import type { Operand, Sequence, Value } from '../passes/sequence.js';
import {
  bestBlock,
  blockOf,
  type Line,
  type Lines,
  launchLines,
  linesOf,
  loadAt,
  plus,
  type Source,
  Variable,
  type Work,
} from './lines.js';

/** How elements become results of all elements up to each of them. */
export interface Scan {
  readonly name: string;
  readonly lines: Lines;
  /** Whether the way goes from the end of the axis to its start. */
  readonly reverse: boolean;
  /** What passes read beside what they made. */
  readonly reads: readonly Operand[];
  /** What they carry on, and what becomes of it in the end. */
  readonly dtype: DType;
  readonly finalDtype: DType;
  final(code: KernelCode, carried: Scalar): Scalar;
  /** The carried value of one element, by its position on the way. */
  first(code: KernelCode, line: Line, at: Float): Scalar;
  /** Of earlier ones and of later ones. */
  combine(code: KernelCode, line: Line, earlier: Scalar, later: Scalar): Scalar;
}

const workOf = (lines: Lines, block: number): Work => {
  const rows = lines.outer * lines.inner;
  let { length } = lines;
  let [launches, turns] = [1, 0];
  for (; length > block; length = Math.ceil(length / block)) {
    launches += 2;
    turns += rows * length * (block / 2 + 1);
  }
  return { launches, turns: turns + (rows * length * length) / 2 };
};

export const scanned = (sequence: Sequence, scan: Scan): Operand => {
  const block = bestBlock(sequence.traits.threads, 8, 512, size => workOf(scan.lines, size));
  const own = scan.reads.length;

  /** The carried value of elements of a level from the start of their block on. */
  const within = (
    code: KernelCode,
    line: Line,
    at: Float,
    size: number,
    element: (code: KernelCode, line: Line, at: Float) => Scalar,
  ): Scalar => {
    const f = new Floats(code);
    const { first } = blockOf(code, at, size);
    const carried = new Variable(code, element(code, line, first));
    code.loop(size - 1, ({ float }) => {
      const next = f.add(f.add(first, float), 1);
      code.leave(f.lt(at, next));
      carried.set(scan.combine(code, line, carried.value, element(code, line, next)));
    });
    return carried.value;
  };

  const level = (
    lines: Lines,
    reads: readonly Operand[],
    element: (code: KernelCode, line: Line, at: Float) => Scalar,
    top: boolean,
  ): Operand => {
    const { length } = lines;
    const launch = (
      all: readonly Operand[],
      whole: boolean,
      write: (code: KernelCode, line: Line, at: Float) => Scalar,
    ): Operand =>
      launchLines(sequence, scan.name, lines, whole ? scan.finalDtype : scan.dtype, all, (code, line, position) => {
        if (!whole) return write(code, line, position);
        const at = scan.reverse ? new Floats(code).sub(length - 1, position) : position;
        return scan.final(code, write(code, line, at));
      });
    if (length <= block) {
      const size = 2 ** Math.ceil(Math.log2(length));
      return launch(reads, top, (code, line, at) => within(code, line, at, size, element));
    }
    const partial: Source = {
      lines,
      dtype: scan.dtype,
      operand: launch(reads, false, (code, line, at) => within(code, line, at, block, element)),
    };
    const blocks = { ...lines, length: Math.ceil(length / block) };
    const ends = level(
      blocks,
      [...scan.reads, partial.operand],
      (code, line, at) => {
        const f = new Floats(code);
        const end = f.min(f.fma(at, block, block - 1), length - 1);
        return loadAt(code, partial, own, line, end);
      },
      false,
    );
    const before: Source = { lines: blocks, dtype: scan.dtype, operand: ends };
    return launch([...scan.reads, partial.operand, ends], top, (code, line, at) => {
      const result = new Variable(code, loadAt(code, partial, own, line, at));
      const { block: mine } = blockOf(code, at, block);
      code.if(`(${mine} > 0)`, () => {
        const earlier = loadAt(code, before, own + 1, line, new Floats(code).sub(mine, 1));
        result.set(scan.combine(code, line, earlier, result.value));
      });
      return result.value;
    });
  };
  return level(scan.lines, scan.reads, scan.first, true);
};

export const cumsum = (
  sequence: Sequence,
  { axis, reverse }: ParamsOf<'cumsum'>,
  _: readonly Aval[],
  aval: Aval,
  [x]: readonly Operand[],
): Value => {
  const lines = linesOf(aval, axis);
  const { dtype } = aval;
  const source: Source = { lines, dtype, operand: x! };
  return scanned(sequence, {
    name: 'cumsum',
    lines,
    reverse,
    reads: [x!],
    dtype,
    finalDtype: dtype,
    final: (_, sum) => sum,
    first: (code, line, at) => loadAt(code, source, 0, line, reverse ? new Floats(code).sub(lines.length - 1, at) : at),
    combine: (code, _, earlier, later) => plus(code, earlier, later),
  }).value;
};
