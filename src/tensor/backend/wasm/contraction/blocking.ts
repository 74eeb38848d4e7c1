/** Into what blocks sums and operands are cut, and how loops go through them. */
import type { FunctionWriter, Local } from '../assembler.js';
import { atMost, constant } from './numbers.js';
import { tileColumnsFor } from './product.js';

/** The longest run of terms that is added up before it goes to the result. */
export const longestBlock = 320;

/** Blocks that terms are added up in: a function of how many there are, so that the order of a sum depends on its length alone. */
export const blocksOf = (depth: number): number => Math.ceil(depth / longestBlock);

export const blockDepth = (depth: number): number => Math.ceil(depth / blocksOf(depth) / 4) * 4;

/** Panels of rows and columns that are packed at a time. */
export const packedPanels = 340;
const mostPackedColumns = 2048;
export const packedColumnsFor = (columns: number, rows: number): number => {
  const tile = tileColumnsFor(columns, rows);
  return tile * Math.floor(mostPackedColumns / tile);
};

/** Addresses; `own` is this thread's part of the scratch memory. */
export interface Addresses {
  readonly left: Local;
  readonly right: Local;
  readonly out: Local;
  readonly common: Local;
  readonly own: Local;
}

/** `body` for runs of `size` and what is left: where each begins and how long it is. */
export const inRuns = (
  f: FunctionWriter,
  total: Local,
  size: number,
  limit: Local,
  body: (first: Local, count: Local) => void,
): void => {
  const first = constant(f, 0);
  f.loop(first, total, size, () => {
    f.get(total, first).op('i32.sub');
    body(first, atMost(f, limit));
  });
};
