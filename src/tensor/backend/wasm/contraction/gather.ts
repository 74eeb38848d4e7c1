/**
 * Convolutions whose result is a kernel: sums over samples and places. Threads together pad what a run of places sees of all
 * channels, pack both operands, and multiply.
 */
import type { Local } from '../assembler.js';
import { type Crew, meet, share } from '../threads/crew.js';
import { type Addresses, inRuns, longestBlock, packedColumnsFor, packedPanels } from './blocking.js';
import { panelColumns } from './blocks.js';
import { type GatherConv, type Window, windowOf } from './conv.js';
import type { Library } from './library.js';
import { bytesFor, constant, cut, linear } from './numbers.js';
import { tableBytes, writeTable } from './offsets.js';
import { firstRow, type Panels, panelsOf } from './panels.js';
import type { Finish } from './pieces.js';
import { edgeBytes, multiply, type Product, pack, tileColumnsFor } from './product.js';
import { stagedSize, writeStage } from './stage.js';
import { countOf, type Walk, walkOf } from './walk.js';

interface Layout {
  readonly panels: Panels;
  /** Samples, and places of the first axis, in a run. */
  readonly samples: number;
  readonly band: number;
  readonly staged: readonly Window[] | null;
  /** Bytes of what is read, from sample to sample, channel to channel, and along the axes. */
  readonly strides: readonly number[];
  readonly rows: Walk;
  readonly columns: Walk;
  /** Samples and places, in the output and in the input. */
  readonly left: Walk;
  readonly right: Walk;
  readonly common: readonly number[];
  readonly own: readonly number[];
}

const product = (numbers: readonly number[]): number => numbers.reduce((p, n) => p * n, 1);

const layoutOf = (conv: GatherConv, tallest: number): Layout => {
  const { reach, source, output, channels } = conv;
  const panels = panelsOf(conv.rows, tallest);
  const places = reach.map(({ columns }) => columns);
  const taps = reach.map(axis => axis.taps);
  const [first, inner] = [places[0]!, product(places.slice(1))];
  // Whole samples, as many as make a block, or some places of one: a function of the lengths alone.
  const band = first * inner <= longestBlock ? first : Math.max(1, Math.floor(longestBlock / inner));
  const samples = band < first ? 1 : Math.max(1, Math.min(conv.samples, Math.floor(longestBlock / (first * inner))));
  const seen = reach.map((axis, i) => windowOf(axis, i === 0 ? band : axis.columns));
  const whole = reach.map(axis => windowOf(axis, axis.columns));
  const staged = whole.every(({ from, to }, axis) => from >= 0 && to <= source.lengths[3 + axis]!) ? null : seen;
  const sizes = seen.map(window => ({ window }));
  const size = 4 * stagedSize(sizes);
  const strides =
    staged === null
      ? [source.strides[0]!, ...source.strides.slice(2)]
      : [channels * size, size, ...sizes.map((_, axis) => 4 * stagedSize(sizes.slice(axis + 1)))];
  const [sampleStride, channelStride, ...spatial] = strides as [number, number, ...number[]];
  const counts = [samples, band, ...places.slice(1)];
  const rows = walkOf([conv.rows], [output.strides[2]!]);
  const columns = walkOf([channels, ...taps], [channelStride, ...reach.map((axis, i) => axis.tapStep * spatial[i]!)]);
  const left = walkOf(counts, [output.strides[0]!, ...output.strides.slice(3)]);
  const right = walkOf(counts, [sampleStride, ...reach.map((axis, i) => axis.step * spatial[i]!)]);
  const block = product(counts);
  const wide = Math.min(
    packedColumnsFor(countOf(columns), conv.rows),
    panelColumns * Math.ceil(countOf(columns) / panelColumns),
  );
  return {
    panels,
    samples,
    band,
    staged,
    strides,
    rows,
    columns,
    left,
    right,
    common: [
      4 * block * panels.height * Math.min(panels.count, packedPanels),
      4 * block * wide,
      staged === null ? 0 : samples * channels * size,
    ],
    own: [
      edgeBytes(panels, false),
      tableBytes(rows, panels.height),
      tableBytes(columns, panelColumns),
      tableBytes(left, block),
      tableBytes(right, block),
    ],
  };
};

export const gatherBytes = (conv: GatherConv, tallest: number): { readonly common: number; readonly own: number } => {
  const { common, own } = layoutOf(conv, tallest);
  return { common: bytesFor(common), own: bytesFor(own) };
};

/** Elements of a row of the result. */
export const gatherColumns = ({ channels, reach }: GatherConv): number =>
  channels * product(reach.map(({ taps }) => taps));

/** `left` is the output, `right` the input. */
export const writeGather = (
  crew: Crew,
  conv: GatherConv,
  addresses: Addresses,
  library: Library,
  finish: Finish | null,
): void => {
  const { writer: f } = crew;
  const layout = layoutOf(conv, library.tallest);
  const { panels, staged, strides, columns } = layout;
  const { source, output, reach, channels } = conv;
  const [a, b, stage] = cut(f, addresses.common, layout.common) as [Local, Local, Local];
  const [edge, rowTable, columnTable, leftTable, rightTable] = cut(f, addresses.own, layout.own) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const wide = countOf(columns);
  const made: Product = {
    library,
    panels,
    rows: writeTable(f, rowTable, layout.rows, panels.height),
    columns: writeTable(f, columnTable, columns, panelColumns),
    row: 4 * wide,
    places: null,
    width: wide,
    tileColumns: tileColumnsFor(wide, conv.rows),
    make: null,
    a,
    b,
    edge,
  };
  const block = layout.samples * layout.band * product(reach.slice(1).map(axis => axis.columns));
  writeTable(f, leftTable, layout.left, block);
  writeTable(f, rightTable, layout.right, block);
  const inner = product(reach.slice(1).map(axis => axis.columns));
  const [step] = reach.map(axis => axis.step) as [number];
  const origin = staged === null ? reach.reduce((sum, axis, i) => sum + axis.origin * strides[2 + i]!, 0) : 0;
  const limit = (count: number): Local => constant(f, count);
  const packedColumns = packedColumnsFor(wide, conv.rows);

  const group = limit(0);
  f.loop(group, limit(conv.groups), 1, () => {
    const from = linear(f, 0, [addresses.right, 1], [group, source.strides[1]!]).keep('i32');
    const left = linear(f, 0, [addresses.left, 1], [group, output.strides[1]!]).keep('i32');
    const out = linear(f, 0, [addresses.out, 1], [group, 4 * conv.rows * wide]).keep('i32');
    inRuns(f, limit(conv.samples), layout.samples, limit(layout.samples), (sample, samples) => {
      inRuns(f, limit(reach[0]!.columns), layout.band, limit(layout.band), (begin, places) => {
        const first = linear(f, 0, [from, 1], [sample, source.strides[0]!]).keep('i32');
        let base = linear(f, origin, [first, 1], [begin, step * source.strides[3]!]).keep('i32');
        if (staged !== null) {
          const shift = linear(f, 0, [begin, step]).keep('i32');
          const axes = staged.map((window, axis) => ({
            window,
            length: source.lengths[3 + axis]!,
            stride: source.strides[3 + axis]!,
            shift: axis === 0 ? shift : null,
          }));
          share(crew, linear(f, 0, [samples, channels]).keep('i32'), plane => {
            const one = f.get(plane).i32(channels).op('i32.div_u').keep('i32');
            const channel = f.get(plane).i32(channels).op('i32.rem_u').keep('i32');
            const to = linear(f, 0, [stage, 1], [plane, strides[1]!]).keep('i32');
            const at = linear(f, 0, [first, 1], [one, source.strides[0]!], [channel, source.strides[2]!]);
            writeStage(f, library, axes, to, at.keep('i32'));
          });
          meet(crew);
          base = stage;
        }
        const count = f.get(samples, places).op('i32.mul').i32(inner).op('i32.mul').keep('i32');
        const terms = {
          count,
          adds: f.get(sample, begin).op('i32.or').keep('i32'),
          left: {
            base: linear(f, 0, [left, 1], [sample, output.strides[0]!], [begin, output.strides[3]!]).keep('i32'),
            table: leftTable,
          },
          right: { base, table: rightTable, step: 0 },
        };
        const completion = finish && {
          last: f
            .get(sample, samples)
            .op('i32.add')
            .i32(conv.samples)
            .op('i32.eq')
            .get(begin, places)
            .op('i32.add')
            .i32(reach[0]!.columns)
            .op('i32.eq', 'i32.and')
            .keep('i32'),
          finish,
        };
        inRuns(f, limit(wide), packedColumns, limit(packedColumns), (column, some) => {
          inRuns(f, limit(panels.count), packedPanels, limit(packedPanels), (panel, many) => {
            const run = { panel, row: firstRow(f, panels, panel).keep('i32'), count: many };
            const only = f.get(panel).op('i32.eqz').keep('i32');
            pack(crew, made, terms, { rows: run, columns: { first: column, count: some }, only });
            meet(crew);
            multiply(crew, made, terms, run, { first: column, count: some }, out, completion);
            meet(crew);
          });
        });
      });
    });
  });
};
