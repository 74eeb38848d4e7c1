/** What the passes of scans, positions and sorts have in common: lines along an axis, variables, blocks. */
import type { DType } from '../../../dtype.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { Code, Coordinate, Float, Integer } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import { Floats } from '../language/parts.js';
import { float, floatsOfScalar, loadScalar, type Scalar, word, wordOf } from '../language/scalars.js';
import { addWords } from '../language/words.js';
import { linear } from '../passes/indices.js';
import { type Operand, type Sequence, type Value, writePass } from '../passes/sequence.js';

/** Below, every integer is a float32 of its own. */
export const exact = 2 ** 24;

/** A tensor in row-major order as lines along one axis: what the axes before it, the axis and those behind it hold. */
export interface Lines {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Lines along some neighbouring axes, which count as one. */
export const linesOf = ({ shape }: Aval, first: number, last = first): Lines => ({
  outer: sizeOf(shape.slice(0, first)),
  length: sizeOf(shape.slice(first, last + 1)),
  inner: sizeOf(shape.slice(last + 1)),
});

/** Which line: before and behind its axis. */
export interface Line {
  readonly outer: Coordinate;
  readonly inner: Coordinate;
}

/** Where the element at a position of a line is. */
export const placeIn = ({ length, inner }: Lines, line: Line, at: Integer, offset = 0): Integer =>
  linear(offset, [
    { at: line.outer.integer, stride: length * inner },
    { at, stride: inner },
    { at: line.inner.integer, stride: 1 },
  ]);

/** Lines that passes read. */
export interface Source {
  readonly lines: Lines;
  readonly dtype: DType;
  readonly operand: Operand;
}

/** An element of a source, which the pass reads as this one of its buffers. */
export const loadAt = (code: Code, { lines, dtype, operand }: Source, buffer: number, line: Line, at: Float): Scalar =>
  loadScalar(code, dtype, buffer, placeIn(lines, line, code.integer(at), operand.offset));

/** All of a buffer that a pass made. */
export const made = (value: Value, floats: number): Operand => ({ value, offset: 0, floats });

/** One pass that makes an element at each position of each line. */
export const launchLines = (
  sequence: Sequence,
  name: string,
  lines: Lines,
  dtype: DType,
  reads: readonly Operand[],
  element: (code: KernelCode, line: Line, at: Float) => Scalar,
): Operand => {
  const pass = writePass(
    sequence.traits,
    { name, lengths: [lines.outer, lines.length, lines.inner], dtype, reads: reads.map(({ floats }) => floats) },
    (code, [outer, at, inner]) => element(code, { outer: outer!, inner: inner! }, new Floats(code).of(at!.float)),
  );
  const [value] = sequence.launch(
    pass,
    reads.map(read => read.value),
  );
  return made(
    value!,
    pass.grid.reduce((p, n) => p * n, pass.components),
  );
};

/** A value that changes while a pass runs. */
export class Variable {
  readonly #code: Code;
  readonly value: Scalar;

  constructor(code: Code, scalar: Scalar) {
    this.#code = code;
    const [x, y] = floatsOfScalar(code, scalar).map(part => code.variable(part));
    this.value = y === undefined ? float(x!) : word({ low: x!, high: y });
  }

  set(scalar: Scalar): void {
    const parts = floatsOfScalar(this.#code, scalar);
    // All are computed before one of them changes.
    const texts = parts.length === 1 ? parts : parts.map(part => this.#code.let(part));
    floatsOfScalar(this.#code, this.value).forEach((variable, i) => {
      this.#code.assign(variable, texts[i]!);
    });
  }
}

export const plus = (code: Code, x: Scalar, y: Scalar): Scalar =>
  x.kind === 'word'
    ? word(addWords(code, x, wordOf(y)))
    : float(new Floats(code).add(floatsOfScalar(code, x)[0]!, floatsOfScalar(code, y)[0]!));

/** The block of a position, blocks having a power of two of them, and the first position in it. */
export const blockOf = (code: Code, at: Float, size: number): { readonly block: Float; readonly first: Float } => {
  const f = new Floats(code);
  const block = f.floor(f.mul(at, 1 / size));
  return { block, first: f.mul(block, size) };
};

/** Nanoseconds that a launch takes at least, and that a turn of a loop with its reads takes a thread. */
const [launchTime, turnTime] = [10_000, 4];

/** What is done in how many launches. */
export interface Work {
  readonly launches: number;
  /** Turns of loops of all threads together. */
  readonly turns: number;
}

/** The power of two, from `least` to `most`, for which the work is done soonest. */
export const bestBlock = (threads: number, least: number, most: number, work: (block: number) => Work): number => {
  let [best, soonest] = [least, Number.POSITIVE_INFINITY];
  for (let block = least; block <= most; block *= 2) {
    const { launches, turns } = work(block);
    const time = launches * launchTime + (turns * turnTime) / Math.max(1, threads);
    if (time < soonest) [best, soonest] = [block, time];
  }
  return best;
};
