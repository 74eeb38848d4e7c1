/**
 * Products of matrices, a block of the depth after the other: threads pack both operands into panels, meet, and multiply the
 * tiles that these make.
 *
 * Source of the blocking: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
 */
import type { FunctionWriter, Local } from '../assembler.js';
import { type Crew, share } from '../threads/crew.js';
import { directVectors, panelColumns } from './blocks.js';
import type { Library } from './library.js';
import { atMost, constant, linear, runAt, runsOf } from './numbers.js';
import { moved, type Offsets, tableAt } from './offsets.js';
import { byHeight, firstRow, type Panels } from './panels.js';
import type { Finish } from './pieces.js';

/** What there is to know of a product while its code is written. */
export interface Product {
  readonly library: Library;
  readonly panels: Panels;
  /** Where rows of the left operand and columns of the right one are; null where the right one is read in place. */
  readonly rows: Offsets;
  readonly columns: Offsets | null;
  /** Bytes of the result from row to row, and where its columns are: neighbours where null. */
  readonly row: number;
  readonly places: Offsets | null;
  /** Columns of the product, and of a tile. */
  readonly width: number;
  readonly tileColumns: number;
  /** Makes rows of the left operand, for the terms of a block, where they are not there: at `rows`, which `made` is the memory of. */
  readonly make: { readonly write: (row: Local, count: Local, terms: Terms) => void; readonly made: Local } | null;
  /** Packed rows, packed columns, and a block for edges. */
  readonly a: Local;
  readonly b: Local;
  readonly edge: Local;
}

/** What is done with each tile of the result when it has all its terms: `last` is not 0 with the last of them. */
export interface Completion {
  readonly last: Local;
  readonly finish: Finish;
}

/** A run of terms: how many, whether their sums are added to what is there, and where they are in the operands. */
export interface Terms {
  readonly count: Local;
  readonly adds: Local;
  readonly left: { readonly base: Local; readonly table: Local };
  /** The bytes of a step where the right operand is read in place. */
  readonly right: { readonly base: Local; readonly table: Local; readonly step: number };
}

/** A run of panels of rows: the first one, the row it begins with, and how many. */
export interface RowRun {
  readonly panel: Local;
  readonly row: Local;
  readonly count: Local;
}

/** A run of columns, which begins a panel. */
export interface ColumnRun {
  readonly first: Local;
  readonly count: Local;
}

/** Panels packed by one ticket. */
const packedAtOnce = 2;

/** Panels times columns of a tile, more or less, and panels that a wide one has nevertheless: its operands stay in the nearer caches. */
const tileSize = 4096;
const widePanels = 4;
const leastColumns = 64;
/** Tiles that there should be, for threads to end at about the same time, and panels that each should have nevertheless. */
const enoughTiles = 16;
const leastPanels = 2;
/** Rows that make enough tiles when each is as wide as the result. */
const manyRows = 5 * leastPanels * enoughTiles;

/**
 * The most columns of a tile. Where rows are many, tiles are whole rows: what a kernel behind them reads and writes is then one run
 * of memory, which processors see coming (Adam's update behind 1024 × 1024 results: 5.3 ms, and 3.6 like this).
 */
const mostColumns = (rows: number): number => (rows < manyRows ? 256 : 2048);

/** Columns of a tile: all if they are few, or a part that leaves no rest if there is such. */
export const tileColumnsFor = (columns: number, rows: number): number => {
  const most = mostColumns(rows);
  if (columns <= most) return panelColumns * Math.ceil(columns / panelColumns);
  for (const step of [4 * panelColumns, panelColumns])
    for (let size = most; size >= leastColumns; size -= step) if (columns % size === 0) return size;
  return most;
};

/** Panels of a tile. */
const tilePanelsFor = ({ count }: Panels, columns: number, tileColumns: number): number => {
  const rowTiles = Math.ceil(enoughTiles / Math.ceil(columns / tileColumns));
  const most = Math.max(widePanels, Math.ceil(tileSize / tileColumns));
  return Math.max(leastPanels, Math.min(most, Math.ceil(count / rowTiles)));
};

/** The elements of a result of so many rows that are ready together: a row of a tile; null where tiles have different ones. */
export const unitOf = (columns: number, rows: number): number | null => {
  const size = tileColumnsFor(columns, rows);
  return size >= columns ? columns : columns % size === 0 ? size : null;
};

export const wholeRows = (f: FunctionWriter, { count }: Panels): RowRun => {
  const zero = constant(f, 0);
  return { panel: zero, row: zero, count: constant(f, count) };
};

/** The packed rows of a run begin at `a`, each row taking 4 bytes a term. */
const packedRow = (f: FunctionWriter, { a }: Product, { row }: RowRun, at: Local, { count }: Terms): FunctionWriter =>
  f.get(a, at, row).op('i32.sub').get(count).op('i32.mul').i32(2).op('i32.shl', 'i32.add');

const packRowPanel = (f: FunctionWriter, product: Product, terms: Terms, run: RowRun, panel: Local): void => {
  const { panels, rows, library, make } = product;
  const { left, count } = terms;
  const row = firstRow(f, panels, panel).keep('i32');
  byHeight(f, panels, panel, height => {
    if (make === null) {
      moved(f, left.base, rows, row);
      tableAt(f, rows, row);
    } else {
      make.write(row, constant(f, height), terms);
      f.get(make.made, rows.table);
    }
    f.i32(height).get(left.table, count);
    packedRow(f, product, run, row, terms).call(library.pack(height));
  });
};

const packColumnPanels = (
  f: FunctionWriter,
  { b, library }: Product,
  offsets: Offsets,
  { right, count }: Terms,
  columns: ColumnRun,
  from: Local,
  to: Local,
): void => {
  const column = linear(f, 0, [from, 1], [columns.first, 1]).keep('i32');
  moved(f, right.base, offsets, column).i32(panelColumns * (offsets.step ?? 0));
  tableAt(f, offsets, column).i32(offsets.step === null ? 4 * panelColumns : 0);
  f.get(to, from).op('i32.sub').get(right.table, count);
  f.get(b, from, count).op('i32.mul').i32(2).op('i32.shl', 'i32.add').call(library.packColumns);
};

/** Packs runs of rows or columns or both; `only` is 0 where the columns are not wanted. */
export const pack = (
  crew: Crew,
  product: Product,
  terms: Terms,
  { rows, columns, only }: { readonly rows: RowRun | null; readonly columns: ColumnRun | null; readonly only?: Local },
): void => {
  const { writer: f } = crew;
  const rowTickets = rows === null ? constant(f, 0) : runsOf(f, rows.count, packedAtOnce);
  const none = columns === null || product.columns === null;
  const columnTickets = none ? constant(f, 0) : runsOf(f, columns.count, packedAtOnce * panelColumns);
  if (only !== undefined) f.get(columnTickets).i32(0).get(only).op('select').set(columnTickets);
  const packRows = (ticket: Local): void => {
    const run = rows!;
    const [from, to] = runAt(f, ticket, packedAtOnce, run.count);
    f.loop(from, to, 1, () => {
      packRowPanel(f, product, terms, run, linear(f, 0, [from, 1], [run.panel, 1]).keep('i32'));
    });
  };
  const packColumns = (ticket: Local): void => {
    const [from, to] = runAt(f, ticket, packedAtOnce * panelColumns, columns!.count);
    packColumnPanels(f, product, product.columns!, terms, columns!, from, to);
  };
  share(crew, linear(f, 0, [rowTickets, 1], [columnTickets, 1]).keep('i32'), ticket => {
    if (none) packRows(ticket);
    else if (rows === null) packColumns(ticket);
    else
      f.get(ticket, rowTickets)
        .op('i32.lt_u')
        .if(
          () => packRows(ticket),
          () => packColumns(f.get(ticket, rowTickets).op('i32.sub').keep('i32')),
        );
  });
};

/** Multiplies packed runs, tile by tile, into the result that begins at `out`. */
export const multiply = (
  crew: Crew,
  product: Product,
  terms: Terms,
  rows: RowRun,
  columns: ColumnRun,
  out: Local,
  completion: Completion | null,
): void => {
  const { writer: f } = crew;
  const { panels, width, tileColumns } = product;
  const tilePanels = tilePanelsFor(panels, width, tileColumns);
  const rowTiles = runsOf(f, rows.count, tilePanels);
  const columnTiles = runsOf(f, columns.count, tileColumns);
  share(crew, f.get(rowTiles, columnTiles).op('i32.mul').keep('i32'), ticket => {
    const [fromPanel, toPanel] = runAt(f, f.get(ticket, rowTiles).op('i32.rem_u').keep('i32'), tilePanels, rows.count);
    const [from, to] = runAt(f, f.get(ticket, rowTiles).op('i32.div_u').keep('i32'), tileColumns, columns.count);
    const part = { from, wide: f.get(to, from).op('i32.sub').keep('i32') };
    const first = linear(f, 0, [fromPanel, 1], [rows.panel, 1]).keep('i32');
    const last = linear(f, 0, [toPanel, 1], [rows.panel, 1]).keep('i32');
    const tile = (height: number, end: Local): void => {
      const many = f.get(end, first).op('i32.sub').keep('i32');
      writeTileCall(f, product, terms, { rows, columns, out, panel: first, many, height, ...part });
    };
    const complete = (): void => {
      if (completion === null) return;
      f.get(completion.last).if(() => {
        const row = firstRow(f, panels, linear(f, 0, [fromPanel, 1], [rows.panel, 1]).keep('i32')).keep('i32');
        const count = firstRow(f, panels, last).get(row).op('i32.sub').keep('i32');
        const at = linear(f, 0, [out, 1], [row, product.row], [columns.first, 4], [from, 4]).keep('i32');
        completion.finish(at, count, product.row);
      });
    };
    if (panels.tall === panels.count) {
      tile(panels.height, last);
      complete();
      return;
    }
    f.get(last);
    const middle = atMost(f, constant(f, panels.tall));
    f.get(first, middle)
      .op('i32.lt_u')
      .if(() => {
        tile(panels.height, middle);
        f.get(middle).set(first);
      });
    f.get(first, last)
      .op('i32.lt_u')
      .if(() => tile(panels.height - 1, last));
    complete();
  });
};

interface Tile {
  readonly rows: RowRun;
  readonly columns: ColumnRun;
  readonly out: Local;
  /** The first panel, how many, and how high they are. */
  readonly panel: Local;
  readonly many: Local;
  readonly height: number;
  /** The first column within its run, and how many. */
  readonly from: Local;
  readonly wide: Local;
}

const writeTileCall = (f: FunctionWriter, product: Product, terms: Terms, tile: Tile): void => {
  const narrow = panelColumns / 4;
  const vectors = product.columns === null ? directVectors(tile.height) : narrow;
  if (vectors === narrow) {
    writeBlocksCall(f, product, terms, tile, vectors);
    return;
  }
  // Wide blocks would read far beyond the last column.
  const rest = f
    .get(tile.wide)
    .i32(4 * vectors - 1)
    .op('i32.and')
    .keep('i32');
  const whole = f.get(tile.wide, rest).op('i32.sub').keep('i32');
  f.get(whole).if(() => writeBlocksCall(f, product, terms, { ...tile, wide: whole }, vectors));
  f.get(rest).if(() => {
    const from = linear(f, 0, [tile.from, 1], [whole, 1]).keep('i32');
    writeBlocksCall(f, product, terms, { ...tile, from, wide: rest }, narrow);
  });
};

const writeBlocksCall = (f: FunctionWriter, product: Product, terms: Terms, tile: Tile, vectors: number): void => {
  const { panels, columns: packed, row: rowBytes, places, edge, b, library } = product;
  const { right, count, adds } = terms;
  const { rows, columns, out, panel, many, height, from, wide } = tile;
  const direct = packed === null;
  const row = firstRow(f, panels, panel).keep('i32');
  const column = linear(f, 0, [from, 1], [columns.first, 1]).keep('i32');
  packedRow(f, product, rows, row, terms);
  if (direct) linear(f, 0, [right.base, 1], [column, 4]);
  else f.get(b, from, count).op('i32.mul').i32(2).op('i32.shl', 'i32.add');
  f.get(count);
  linear(f, 0, [out, 1], [row, rowBytes], [column, places === null ? 4 : (places.step ?? 0)]);
  f.i32(rowBytes).get(many, wide, edge);
  if (direct) f.i32(16 * vectors).i32(right.step);
  else linear(f, 0, [count, 4 * panelColumns]).i32(4 * panelColumns);
  f.get(adds);
  if (places === null) f.i32(0);
  else tableAt(f, places, column);
  f.call(library.tile(height, vectors));
};

/** Bytes of the block for edges. */
export const edgeBytes = ({ height }: Panels, direct: boolean): number =>
  16 * height * (direct ? Math.max(directVectors(height), directVectors(Math.max(1, height - 1))) : panelColumns / 4);
