/** Into what tiles a product of matrices is cut, so that a device has enough to do. */
import type { Traits } from '../pass.js';
import { type Description, sizeOfRole } from './description.js';

export interface Tiling {
  /** Of the result that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** Terms that are in workgroup memory at a time. */
  readonly depth: number;
  /** Of the tile that a thread computes, multiples of 4. */
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Into how many parts the terms are cut, each a workgroup's own, and how long those are. */
  readonly splits: number;
  readonly turns: number;
}

type Shape = Omit<Tiling, 'splits' | 'turns'>;

/**
 * How fast each is where all of it is used. The first was measured on an H100 with products of 4096 × 4096 (31 TFLOP/s,
 * more than with larger tiles or twice the columns a thread); the others by what they load for each product.
 */
const shapes: readonly (Shape & { readonly speed: number })[] = [
  { rows: 128, columns: 64, depth: 16, threadRows: 8, threadColumns: 4, speed: 1 },
  { rows: 64, columns: 64, depth: 16, threadRows: 8, threadColumns: 4, speed: 0.8 },
  { rows: 32, columns: 64, depth: 16, threadRows: 8, threadColumns: 4, speed: 0.5 },
  { rows: 32, columns: 32, depth: 16, threadRows: 4, threadColumns: 4, speed: 0.35 },
  { rows: 8, columns: 128, depth: 16, threadRows: 4, threadColumns: 4, speed: 0.2 },
  { rows: 128, columns: 8, depth: 16, threadRows: 4, threadColumns: 4, speed: 0.2 },
];

/** Products of at most so many elements of the result want no tiles. */
const smallest = 64;
/** Terms that are added up in order: more would round more. */
const mostTerms = 8192;
/** Terms that are worth a workgroup of their own. */
const leastTerms = 64;
const mostSplits = 256;
/** Floats of all parts of sums together. */
const mostParts = 2 ** 24;
/**
 * What writing and reading a part of a sum costs, and what another launch does for each thread of the device, in
 * multiplications.
 */
const [partCost, launchCost] = [64, 500];

export const threadsOf = ({ rows, columns, threadRows, threadColumns }: Shape): number =>
  (rows / threadRows) * (columns / threadColumns);

/** Null where it is better computed without tiles. */
export const tilingOf = (description: Description, traits: Traits): Tiling | null => {
  const [rows, columns] = [sizeOfRole(description, 'row'), sizeOfRole(description, 'column')];
  const [batches, terms] = [sizeOfRole(description, 'batch'), sizeOfRole(description, 'term')];
  if (rows * columns <= smallest) return null;
  const size = rows * columns * batches;
  const most = Math.min(
    mostSplits,
    Math.ceil(terms / leastTerms),
    Math.floor(Math.min(mostParts, traits.floats) / size),
  );
  const least = Math.max(1, Math.min(Math.ceil(terms / mostTerms), most));
  let best = { shape: shapes[0]!, splits: 1, cost: Number.POSITIVE_INFINITY };
  for (const shape of shapes) {
    const tiles = Math.ceil(rows / shape.rows) * Math.ceil(columns / shape.columns) * batches;
    const work = (tiles * shape.rows * shape.columns * terms) / shape.speed;
    // Threads with nothing but what is beyond the result keep nobody busy.
    const useful = (rows * columns * batches) / (shape.threadRows * shape.threadColumns);
    for (let splits = least; splits <= Math.max(least, most); splits *= 2) {
      const busy = Math.min(1, (useful * splits) / traits.threads);
      const added = splits === 1 ? 0 : splits * size * partCost + launchCost * traits.threads;
      const cost = work / busy + added;
      if (cost < best.cost) best = { shape, splits, cost };
    }
  }
  const { speed: _, ...tile } = best.shape;
  const turns = Math.ceil(terms / best.splits / tile.depth) * tile.depth;
  return { ...tile, splits: Math.ceil(terms / turns), turns };
};
