/** Products of matrices one after another, all threads on each. */
import type { FunctionWriter, Local } from '../assembler.js';
import { type Crew, meet } from '../threads/crew.js';
import { panelColumns } from './blocks.js';
import { type Dot, isDirect } from './dot.js';
import type { Library } from './library.js';
import { atMost, bytesFor, constant, cut, linear } from './numbers.js';
import { moved, tableAt, tableBytes, writeTable } from './offsets.js';
import { firstRow, type Panels, panelsOf } from './panels.js';
import type { Finish, Produce } from './pieces.js';
import { edgeBytes, multiply, type Product, pack, tileColumnsFor } from './product.js';
import { strideOf, type Walk, walkOf } from './walk.js';

/** The longest run of terms that is added up before it goes to the result. */
export const longestBlock = 320;

/** Blocks that terms are added up in: a function of how many there are, so that the order of a sum depends on its length alone. */
export const blocksOf = (depth: number): number => Math.ceil(depth / longestBlock);

const blockDepth = (depth: number): number => Math.ceil(depth / blocksOf(depth) / 4) * 4;

/** Panels of rows and columns that are packed at a time. */
export const packedPanels = 340;
const mostPackedColumns = 2048;
export const packedColumnsFor = (columns: number): number => {
  const tile = tileColumnsFor(columns);
  return tile * Math.floor(mostPackedColumns / tile);
};

interface Layout {
  readonly panels: Panels;
  readonly block: number;
  readonly direct: boolean;
  readonly places: Walk;
  readonly left: Dot['left'];
  /** Bytes of what threads share: packed rows and columns. */
  readonly common: readonly number[];
  /** And of what each has: tables, and the block for edges. */
  readonly own: readonly number[];
}

const layoutOf = (dot: Dot, tallest: number, made: boolean): Layout => {
  const { rows, columns, depth, right, out } = dot;
  const panels = panelsOf(rows, tallest);
  const block = blockDepth(depth);
  const direct = isDirect(dot);
  const places: Walk = { lengths: [columns], strides: [out.column] };
  // What is made is there a block of terms at a time.
  const left = made ? { rows: walkOf([rows], [4 * block]), depth: walkOf([depth], [4]) } : dot.left;
  return {
    panels,
    block,
    direct,
    places,
    left,
    common: [
      Math.min(panels.count, packedPanels) * panels.height * block * 4,
      direct ? 0 : Math.min(panelColumns * Math.ceil(columns / panelColumns), packedColumnsFor(columns)) * block * 4,
    ],
    own: [
      tableBytes(left.rows, panels.height),
      tableBytes(left.depth, block),
      direct ? 0 : tableBytes(right.columns, panelColumns),
      direct ? 0 : tableBytes(right.depth, block),
      out.column === 4 ? 0 : tableBytes(places, tileColumnsFor(columns)),
      edgeBytes(panels, direct),
      made ? 4 * panels.height * block : 0,
    ],
  };
};

/** Bytes of scratch memory: for all threads together and for each. */
export const togetherBytes = (
  dot: Dot,
  tallest: number,
  made: boolean,
): { readonly common: number; readonly own: number } => {
  const { common, own } = layoutOf(dot, tallest, made);
  return { common: bytesFor(common), own: bytesFor(own) };
};

/** Addresses; `own` is this thread's part of the scratch memory. */
export interface Addresses {
  readonly left: Local;
  readonly right: Local;
  readonly out: Local;
  readonly common: Local;
  readonly own: Local;
}

export const writeTogether = (
  crew: Crew,
  dot: Dot,
  addresses: Addresses,
  library: Library,
  { finish, produce }: { readonly finish: Finish | null; readonly produce: Produce | null },
): void => {
  const { writer: f } = crew;
  const { left, right, out, common, own } = addresses;
  const layout = layoutOf(dot, library.tallest, produce !== null);
  const { panels, block, direct, places } = layout;
  const [a, b] = cut(f, common, layout.common) as [Local, Local];
  const tables = cut(f, own, layout.own) as [Local, Local, Local, Local, Local, Local, Local];
  const product: Product = {
    library,
    panels,
    rows: writeTable(f, tables[0], layout.left.rows, panels.height),
    columns: direct ? null : writeTable(f, tables[2], dot.right.columns, panelColumns),
    row: dot.out.row,
    places: dot.out.column === 4 ? null : writeTable(f, tables[4], places, tileColumnsFor(dot.columns)),
    tileColumns: tileColumnsFor(dot.columns),
    make: produce && { made: tables[6], write: madeBy(f, produce, dot.depth / block, block, tables[6]) },
    a,
    b,
    edge: tables[5],
  };
  const leftDepth = writeTable(f, tables[1], layout.left.depth, block);
  const step = dot.right.depth.strides[0] ?? 0;
  const rightDepth = direct ? { table: tables[3], step } : writeTable(f, tables[3], dot.right.depth, block);
  const [columns, depth, rows] = [dot.columns, dot.depth, panels.count].map(count => constant(f, count)) as [
    Local,
    Local,
    Local,
  ];
  const packedColumns = packedColumnsFor(dot.columns);
  const limit = {
    columns: constant(f, packedColumns),
    depth: constant(f, block),
    panels: constant(f, packedPanels),
  };

  overBatch(f, dot, [left, right, out], () => {
    inRuns(f, depth, block, limit.depth, (k, count) => {
      const terms = {
        count,
        adds: k,
        left: { base: moved(f, left, leftDepth, k).keep('i32'), table: tableAt(f, leftDepth, k).keep('i32') },
        right: {
          base: moved(f, right, rightDepth, k).keep('i32'),
          table: tableAt(f, rightDepth, k).keep('i32'),
          step,
        },
      };
      const completion = finish && {
        last: f.get(k, count).op('i32.add').get(depth).op('i32.eq').keep('i32'),
        finish,
      };
      inRuns(f, columns, packedColumns, limit.columns, (first, wide) => {
        inRuns(f, rows, packedPanels, limit.panels, (panel, many) => {
          const run = { panel, row: firstRow(f, panels, panel).keep('i32'), count: many };
          // Columns are packed along with the first rows.
          const only = f.get(panel).op('i32.eqz').keep('i32');
          pack(crew, product, terms, { rows: run, columns: { first, count: wide }, only });
          meet(crew);
          multiply(crew, product, terms, run, { first, count: wide }, out, completion);
          meet(crew);
        });
      });
    });
  });
};

/** Makes rows of a left operand that has so many blocks of terms in each: those of one block, one row behind the other. */
const madeBy =
  (
    f: FunctionWriter,
    produce: Produce,
    blocks: number,
    block: number,
    to: Local,
  ): NonNullable<Product['make']>['write'] =>
  (row, count, { adds: k }) => {
    const [index, one] = [constant(f, 0), constant(f, 1)];
    const unit = f.get(row).i32(blocks).op('i32.mul').get(k).i32(block).op('i32.div_u', 'i32.add').keep('i32');
    const at = f.get(to).keep('i32');
    f.loop(index, count, 1, () => {
      produce(unit, one, at);
      linear(f, blocks, [unit, 1]).set(unit);
      linear(f, 4 * block, [at, 1]).set(at);
    });
  };

/** Terms that an operand is made in pieces of; null where it cannot be. */
export const madeUnit = (dot: Dot): number | null => {
  const { batch, columns, depth, left } = dot;
  const block = blockDepth(depth);
  const inOrder = strideOf(left.depth) === 4 && (dot.rows === 1 || strideOf(left.rows) === 4 * depth);
  const once = columns <= packedColumnsFor(columns) && batch.lengths.length === 0;
  return inOrder && once && depth % block === 0 ? block : null;
};

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

/** `once` for every product, the addresses going along. */
const overBatch = (
  f: FunctionWriter,
  { batch, rows, columns }: Dot,
  [left, right, out]: readonly [Local, Local, Local],
  once: () => void,
): void => {
  const advance = (local: Local, by: number): void => {
    if (by !== 0) linear(f, by, [local, 1]).set(local);
  };
  const nest = (level: number): void => {
    if (level === batch.lengths.length) {
      once();
      if (level > 0) advance(out, 4 * rows * columns);
      return;
    }
    const length = batch.lengths[level]!;
    const counter = constant(f, 0);
    f.loop(counter, constant(f, length), 1, () => {
      nest(level + 1);
      advance(left, batch.left[level]!);
      advance(right, batch.right[level]!);
    });
    advance(left, -batch.left[level]! * length);
    advance(right, -batch.right[level]! * length);
  };
  nest(0);
};
