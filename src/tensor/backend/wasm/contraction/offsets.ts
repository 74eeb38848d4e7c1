/** Tables of the bytes at which indices are, for packing to go by. */
import type { FunctionWriter, Local } from '../assembler.js';
import { countOf, strideOf, type Walk } from './walk.js';

/** Where indices are: in a table of all of them, or of a period of steps of always the same size. */
export interface Offsets {
  readonly table: Local;
  /** Bytes of a step; null where the table has all. */
  readonly step: number | null;
}

const entriesOf = (walk: Walk, period: number): number =>
  strideOf(walk) === null ? countOf(walk) : Math.min(countOf(walk), period);

/** Bytes of the table of a walk of which at most `period` indices are looked up at a time. */
export const tableBytes = (walk: Walk, period: number): number => 16 * Math.ceil(entriesOf(walk, period) / 4);

/** Writes the table at an address. */
export const writeTable = (f: FunctionWriter, table: Local, walk: Walk, period: number): Offsets => {
  const step = strideOf(walk);
  const to = f.get(table).keep('i32');
  const levels = step === null ? walk : { lengths: [entriesOf(walk, period)], strides: [step] };
  const nest = (level: number, base: Local): void => {
    const counter = f.i32(0).keep('i32');
    const limit = f.i32(levels.lengths[level]!).keep('i32');
    const at = f.get(base).keep('i32');
    f.loop(counter, limit, 1, () => {
      if (level === levels.lengths.length - 1) {
        f.get(to, at).memory('i32.store').get(to).i32(4).op('i32.add').set(to);
      } else nest(level + 1, at);
      f.get(at).i32(levels.strides[level]!).op('i32.add').set(at);
    });
  };
  nest(0, f.i32(0).keep('i32'));
  return { table, step };
};

/** A base moved on to an index, left on the stack; the table goes along with {@link tableAt}. */
export const moved = (f: FunctionWriter, base: Local, { step }: Offsets, index: Local): FunctionWriter => {
  f.get(base);
  return step === null || step === 0 ? f : f.get(index).i32(step).op('i32.mul', 'i32.add');
};

/** The table from an index on, left on the stack. */
export const tableAt = (f: FunctionWriter, { table, step }: Offsets, index: Local): FunctionWriter => {
  f.get(table);
  return step === null ? f.get(index).i32(2).op('i32.shl', 'i32.add') : f;
};
