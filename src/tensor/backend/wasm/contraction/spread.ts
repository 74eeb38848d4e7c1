/**
 * Convolutions whose result is an output or an input. The kernel is packed once for all; then every thread takes bands of
 * places of samples, pads what they see, and multiplies.
 */
import type { Local } from '../assembler.js';
import { type Crew, meet, share } from '../threads/crew.js';
import { type Addresses, inRuns } from './blocking.js';
import { panelColumns } from './blocks.js';
import type { Reach, SpreadConv } from './conv.js';
import type { Library } from './library.js';
import { atMost, constant, cut, linear } from './numbers.js';
import { writeTable } from './offsets.js';
import type { Finish, Produce } from './pieces.js';
import { multiply, type Product, pack, type Terms, wholeRows } from './product.js';
import { inner, type Layout, layoutOf, type Part, packedColumns } from './spread-layout.js';
import { type StagedAxis, writeStage } from './stage.js';
import { countOf } from './walk.js';

/** A part with its tables written. */
interface Made extends Part {
  readonly product: Product;
  readonly depthTable: Local;
  readonly tapTable: Local;
  readonly tapsOfChannel: number;
}

/** A run of channels. */
interface Channels {
  readonly first: Local;
  readonly count: Local;
}

/** Where a task is: its sample and group, as one number and as two, and the first place of its band. */
interface Task {
  readonly plane: Local;
  readonly sample: Local;
  readonly group: Local;
  readonly begin: Local;
}

/** `left` is the kernel, `right` the source. */
export const writeSpread = (
  crew: Crew,
  conv: SpreadConv,
  addresses: Addresses,
  library: Library,
  { finish, produce }: { readonly finish: Finish | null; readonly produce: Produce | null },
): void => new SpreadWriter(crew, conv, addresses, library, produce).write(finish);

class SpreadWriter {
  readonly #crew: Crew;
  readonly #alone: Crew;
  readonly #conv: SpreadConv;
  readonly #addresses: Addresses;
  readonly #library: Library;
  readonly #layout: Layout;
  readonly #stage: Local;
  readonly #produce: Produce | null;
  /** What is produced, for one channel. */
  readonly #made: Local;
  readonly #parts: readonly Made[];

  constructor(crew: Crew, conv: SpreadConv, addresses: Addresses, library: Library, produce: Produce | null) {
    const { writer: f } = crew;
    this.#crew = crew;
    this.#alone = { ...crew, alone: true };
    this.#conv = conv;
    this.#addresses = addresses;
    this.#library = library;
    const layout = layoutOf(conv, library.tallest, produce !== null);
    this.#layout = layout;
    this.#produce = produce;
    const packed = cut(f, addresses.common, layout.common);
    const [edge, b, stage, made, rowTable, ...tables] = cut(f, addresses.own, layout.own) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    this.#stage = stage;
    this.#made = made;
    const rows = writeTable(f, rowTable, layout.rows, layout.panels.height);
    this.#parts = layout.parts.map((part, i): Made => {
      const [columns, depthTable, tapTable, places] = (tables as readonly Local[]).slice(4 * i) as [
        Local,
        Local,
        Local,
        Local,
      ];
      writeTable(f, depthTable, part.depth, countOf(part.depth));
      writeTable(f, tapTable, part.taps, countOf(part.taps));
      const product: Product = {
        library,
        panels: layout.panels,
        rows,
        columns: writeTable(f, columns, part.columns, panelColumns),
        row: 4 * conv.spatial.size,
        places: part.places === null ? null : writeTable(f, places, part.places, countOf(part.places)),
        tileColumns: packedColumns,
        make: null,
        a: packed[i]!,
        b,
        edge,
      };
      const tapsOfChannel = part.reach.reduce((count, axis) => count * axis.taps, 1);
      return { ...part, product, depthTable, tapTable, tapsOfChannel };
    });
  }

  write(finish: Finish | null): void {
    const { samples, groups } = this.#conv;
    const { bands, whole } = this.#layout;
    const crew = this.#crew;
    const tasks = (): Local => constant(crew.writer, samples * groups * bands);
    if (whole) {
      this.#inBlocks(channels => this.#packKernel(channels));
      meet(crew);
      share(crew, tasks(), index => {
        const task = this.#taskOf(index);
        this.#inBlocks(channels => this.#work(task, channels));
        if (finish !== null) this.#finish(finish, task);
      });
      meet(crew);
      return;
    }
    this.#inBlocks(channels => {
      this.#packKernel(channels);
      meet(crew);
      share(crew, tasks(), index => {
        const task = this.#taskOf(index);
        this.#work(task, channels);
        if (finish === null) return;
        const { first, count } = channels;
        const f = crew.writer;
        f.get(first, count).op('i32.add').i32(this.#conv.channels).op('i32.eq');
        f.if(() => this.#finish(finish, task));
      });
      meet(crew);
    });
  }

  #inBlocks(body: (channels: Channels) => void): void {
    const { writer: f } = this.#crew;
    const { channels } = this.#layout;
    const all = constant(f, this.#conv.channels);
    inRuns(f, all, channels, constant(f, channels), (first, count) => body({ first, count }));
  }

  #packKernel(channels: Channels): void {
    const crew = this.#crew;
    const { groups } = this.#conv;
    const pieces = (by: Crew, group: Local): void => {
      for (const part of this.#parts) {
        const product = this.#productOf(part, group, channels);
        const terms = this.#termsOf(part, group, channels, group);
        pack(by, product, terms, { rows: wholeRows(by.writer, product.panels), columns: null });
      }
    };
    if (groups > 1) share(crew, constant(crew.writer, groups), group => pieces(this.#alone, group));
    else pieces(crew, constant(crew.writer, 0));
    // Blocks follow one another, and with each the tickets begin anew.
    meet(crew);
  }

  /** The product of a group and a block of channels, whose rows are packed at a place of their own. */
  #productOf({ product, tapsOfChannel }: Made, group: Local, { first, count }: Channels): Product {
    const { writer: f } = this.#crew;
    const channel = 4 * this.#conv.rows * tapsOfChannel;
    const within = f.get(group, count).op('i32.mul').i32(channel).op('i32.mul').keep('i32');
    const before = this.#layout.whole ? this.#conv.groups * channel : 0;
    return { ...product, a: linear(f, 0, [product.a, 1], [first, before], [within, 1]).keep('i32') };
  }

  #termsOf(part: Made, group: Local, { first, count }: Channels, right: Local): Terms {
    const { writer: f } = this.#crew;
    const { kernel } = this.#conv;
    const left = [this.#addresses.left, 1] as const;
    return {
      count: linear(f, 0, [count, part.tapsOfChannel]).keep('i32'),
      adds: first,
      left: {
        base: linear(f, part.tap, left, [group, kernel.strides[0]!], [first, kernel.strides[2]!]).keep('i32'),
        table: part.tapTable,
      },
      right: { base: right, table: part.depthTable, step: 0 },
    };
  }

  #taskOf(index: Local): Task {
    const { writer: f } = this.#crew;
    const { band, bands } = this.#layout;
    const { groups } = this.#conv;
    const plane = f.get(index).i32(bands).op('i32.div_u').keep('i32');
    return {
      plane,
      begin: f.get(index).i32(bands).op('i32.rem_u').i32(band).op('i32.mul').keep('i32'),
      group: f.get(plane).i32(groups).op('i32.rem_u').keep('i32'),
      sample: f.get(plane).i32(groups).op('i32.div_u').keep('i32'),
    };
  }

  /** Where a task's band of a block of channels begins in what is read, copied with its padding if it has any. */
  #sourceOf({ sample, group, begin }: Task, { first, count }: Channels): Local {
    const { writer: f } = this.#crew;
    const { staged, channelStride, parts } = this.#layout;
    const { source } = this.#conv;
    const [sampleStride, groupStride, channel] = source.strides as [number, number, number];
    const from = linear(
      f,
      0,
      [this.#addresses.right, 1],
      [sample, sampleStride],
      [group, groupStride],
      [first, channel],
    ).keep('i32');
    const { step } = parts[0]!.reach[0]!;
    if (staged === null) return linear(f, 0, [from, 1], [begin, step * source.strides[3]!]).keep('i32');
    const shift = linear(f, 0, [begin, step]).keep('i32');
    const axes = staged.map((window, axis) => ({
      window,
      length: source.lengths[3 + axis]!,
      stride: source.strides[3 + axis]!,
      shift: axis === 0 ? shift : null,
    }));
    const index = constant(f, 0);
    f.loop(index, count, 1, () => {
      const to = linear(f, 0, [this.#stage, 1], [index, channelStride]).keep('i32');
      const there = linear(f, 0, [from, 1], [index, channel]).keep('i32');
      const at = this.#produce === null ? there : this.#make(this.#produce, there, axes[0]!);
      writeStage(f, this.#library, axes, to, at);
    });
    return this.#stage;
  }

  /** Makes what a band sees of a channel that would be at an address, and leaves where the channel would begin. */
  #make(produce: Produce, channel: Local, { window, length, stride, shift }: StagedAxis): Local {
    const { writer: f } = this.#crew;
    const clamped = (index: number): Local => {
      const at = linear(f, index, [shift!, 1]).keep('i32');
      f.get(at).i32(0).get(at).i32(0).op('i32.gt_s', 'select').set(at);
      f.get(at).i32(length).get(at).i32(length).op('i32.lt_s', 'select').set(at);
      return at;
    };
    const [from, to] = [clamped(window.from), clamped(window.to)];
    const before = f.get(channel, this.#addresses.right).op('i32.sub').i32(stride).op('i32.div_u');
    const first = before.get(from).op('i32.add').keep('i32');
    produce(first, f.get(to, from).op('i32.sub').keep('i32'), this.#made);
    return linear(f, 0, [this.#made, 1], [from, -stride]).keep('i32');
  }

  /** The first element of a task's band in the result, for its first row. */
  #outOf({ plane, begin }: Task, { place }: Reach): Local {
    const { rows, spatial } = this.#conv;
    const bytes = place.step * spatial.strides[0]!;
    const terms = [
      [this.#addresses.out, 1],
      [plane, 4 * rows * spatial.size],
      [begin, bytes],
    ] as const;
    return linear(this.#crew.writer, 0, ...terms).keep('i32');
  }

  /** Adds a block of channels to the band of a task. */
  #work(task: Task, channels: Channels): void {
    const { writer: f } = this.#crew;
    const { band } = this.#layout;
    const base = this.#sourceOf(task, channels);
    for (const part of this.#parts) {
      const [axis] = part.reach as readonly [Reach];
      const left = linear(f, axis.columns).get(task.begin).op('i32.sub').keep('i32');
      const write = (): void => {
        f.get(left);
        const columns = linear(f, 0, [atMost(f, constant(f, band)), inner(part.reach)]).keep('i32');
        const product = this.#productOf(part, task.group, channels);
        const terms = this.#termsOf(part, task.group, channels, linear(f, part.origin, [base, 1]).keep('i32'));
        const out = linear(f, part.place, [this.#outOf(task, axis), 1]).keep('i32');
        inRuns(f, columns, packedColumns, constant(f, packedColumns), (first, count) => {
          pack(this.#alone, product, terms, { rows: null, columns: { first, count } });
          multiply(this.#alone, product, terms, wholeRows(f, product.panels), { first, count }, out, null);
        });
      };
      f.get(left).i32(0).op('i32.gt_s').if(write);
    }
  }

  #finish(finish: Finish, task: Task): void {
    const { rows, parts, spatial } = this.#conv;
    const out = this.#outOf(task, parts[0]![0]!);
    finish(out, constant(this.#crew.writer, rows), 4 * spatial.size);
  }
}
