/** Products of matrices: all threads on one after the other, or, where they are many and small, each thread on some. */
import type { FunctionWriter, Local } from '../assembler.js';
import { type Crew, meet, share } from '../threads/crew.js';
import { type Addresses, blockDepth, inRuns, packedColumnsFor, packedPanels } from './blocking.js';
import { panelColumns } from './blocks.js';
import { type Dot, isDirect } from './dot.js';
import type { Library } from './library.js';
import { bytesFor, constant, cut, linear } from './numbers.js';
import { moved, tableAt, tableBytes, writeTable } from './offsets.js';
import { firstRow, type Panels, panelsOf } from './panels.js';
import type { Pieces, Produce } from './pieces.js';
import { edgeBytes, multiply, type Product, pack, tileColumnsFor } from './product.js';
import { strideOf, type Walk, walkOf } from './walk.js';

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
      direct
        ? 0
        : Math.min(panelColumns * Math.ceil(columns / panelColumns), packedColumnsFor(columns, rows)) * block * 4,
    ],
    own: [
      tableBytes(left.rows, panels.height),
      tableBytes(left.depth, block),
      direct ? 0 : tableBytes(right.columns, panelColumns),
      direct ? 0 : tableBytes(right.depth, block),
      out.column === 4 ? 0 : tableBytes(places, tileColumnsFor(columns, rows)),
      edgeBytes(panels, direct),
      made ? 4 * panels.height * block : 0,
    ],
  };
};

/** Bytes of scratch memory: for all threads together and for each. */
export const dotBytes = (
  dot: Dot,
  tallest: number,
  made: boolean,
): { readonly common: number; readonly own: number } => {
  const layout = layoutOf(dot, tallest, made);
  const [common, own] = [bytesFor(layout.common), bytesFor(layout.own)];
  return isApart(dot) ? { common: 0, own: common + own } : { common, own };
};

export const writeDot = (
  crew: Crew,
  dot: Dot,
  addresses: Addresses,
  library: Library,
  { finish, produce }: Pieces,
): void => {
  const { writer: f } = crew;
  const layout = layoutOf(dot, library.tallest, produce !== null);
  const { panels, block, direct, places } = layout;
  const { own } = addresses;
  const behind = linear(f, bytesFor(layout.own), [own, 1]).keep('i32');
  const [a, b] = cut(f, isApart(dot) ? behind : addresses.common, layout.common) as [Local, Local];
  const tables = cut(f, own, layout.own) as [Local, Local, Local, Local, Local, Local, Local];
  const product: Product = {
    library,
    panels,
    rows: writeTable(f, tables[0], layout.left.rows, panels.height),
    columns: direct ? null : writeTable(f, tables[2], dot.right.columns, panelColumns),
    row: dot.out.row,
    places: dot.out.column === 4 ? null : writeTable(f, tables[4], places, tileColumnsFor(dot.columns, dot.rows)),
    width: dot.columns,
    tileColumns: tileColumnsFor(dot.columns, dot.rows),
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
  const packedColumns = packedColumnsFor(dot.columns, dot.rows);
  const limit = {
    columns: constant(f, packedColumns),
    depth: constant(f, block),
    panels: constant(f, packedPanels),
  };

  const multiplyAt = (by: Crew, { left, right, out }: Place): void => {
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
          pack(by, product, terms, { rows: run, columns: { first, count: wide }, only });
          meet(by);
          multiply(by, product, terms, run, { first, count: wide }, out, completion);
          meet(by);
        });
      });
    });
  };
  const batch = batchOf(dot);
  if (batch === 1) {
    multiplyAt(crew, addresses);
    return;
  }
  if (isApart(dot)) {
    share(crew, constant(f, batch), index => multiplyAt({ ...crew, alone: true }, placeOf(f, dot, addresses, index)));
    meet(crew);
    return;
  }
  const index = constant(f, 0);
  f.loop(index, constant(f, batch), 1, () => multiplyAt(crew, placeOf(f, dot, addresses, index)));
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
  const { batch, rows, columns, depth, left } = dot;
  const block = blockDepth(depth);
  const inOrder = strideOf(left.depth) === 4 && (rows === 1 || strideOf(left.rows) === 4 * depth);
  const once = columns <= packedColumnsFor(columns, rows) && batch.lengths.length === 0;
  return inOrder && once && depth % block === 0 ? block : null;
};

/** Addresses of a product of a batch. */
interface Place {
  readonly left: Local;
  readonly right: Local;
  readonly out: Local;
}

/** Products are done apart from each other where there are so many, none of them so large that threads would wait for it. */
const manyProducts = 4;
const largeProduct = 2 ** 26;

const batchOf = ({ batch }: Dot): number => batch.lengths.reduce((product, length) => product * length, 1);

const isApart = (dot: Dot): boolean =>
  batchOf(dot) >= manyProducts && 2 * dot.rows * dot.columns * dot.depth <= largeProduct;

/** Where a product of the batch is. */
const placeOf = (f: FunctionWriter, { batch, rows, columns }: Dot, first: Place, index: Local): Place => {
  const rest = f.get(index).keep('i32');
  const place = {
    left: f.get(first.left).keep('i32'),
    right: f.get(first.right).keep('i32'),
    out: linear(f, 0, [first.out, 1], [index, 4 * rows * columns]).keep('i32'),
  };
  for (let axis = batch.lengths.length - 1; axis >= 0; axis--) {
    const at = f.get(rest).i32(batch.lengths[axis]!).op('i32.rem_u').keep('i32');
    f.get(rest).i32(batch.lengths[axis]!).op('i32.div_u').set(rest);
    linear(f, 0, [place.left, 1], [at, batch.left[axis]!]).set(place.left);
    linear(f, 0, [place.right, 1], [at, batch.right[axis]!]).set(place.right);
  }
  return place;
};
