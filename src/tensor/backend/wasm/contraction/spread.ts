/**
 * Convolutions whose result is an output or an input. The kernel is packed once for all; then every thread takes bands of
 * places of samples, pads what they see, and multiplies.
 */
import type { FunctionWriter, Local } from '../assembler.js';
import { type Crew, meet, share } from '../threads/crew.js';
import { type Addresses, inRuns } from './blocking.js';
import { panelColumns } from './blocks.js';
import type { Reach, SpreadConv } from './conv.js';
import type { Library } from './library.js';
import { atMost, constant, cut, linear } from './numbers.js';
import { writeTable } from './offsets.js';
import type { Finish, Pieces, Produce } from './pieces.js';
import { multiply, type Product, pack, type Terms, wholeRows } from './product.js';
import {
  type Begin,
  inner,
  type Layout,
  layoutOf,
  type Part,
  packedColumns,
  rowUnit,
  seesPlanes,
} from './spread-layout.js';
import { type StagedAxis, writeStage } from './stage.js';
import { countOf } from './walk.js';

/** A part with its tables written. */
interface Made extends Part {
  readonly beginTable: Local;
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

/** Where a task is: its first sample and how many, its group, and the first place of its band. */
interface Task {
  readonly sample: Local;
  readonly images: Local;
  readonly group: Local;
  readonly begin: Local;
}

/** `left` is the kernel, `right` the source. */
export const writeSpread = (
  crew: Crew,
  conv: SpreadConv,
  addresses: Addresses,
  library: Library,
  { finish, produce, prepared }: Pieces,
): void => new SpreadWriter(crew, conv, addresses, library, produce).write(finish, prepared);

/** Packs a kernel that is packed as a whole. */
export const prepareSpread = (crew: Crew, conv: SpreadConv, addresses: Addresses, library: Library): void =>
  new SpreadWriter(crew, conv, addresses, library, null).pack();

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
      const [beginTable, columns, depthTable, tapTable, places] = (tables as readonly Local[]).slice(5 * i) as [
        Local,
        Local,
        Local,
        Local,
        Local,
      ];
      if (part.begins.length > 1) {
        part.begins.forEach(({ origin, tap, place }, index) => {
          [origin, tap, place].forEach((bytes, which) => {
            f.get(beginTable)
              .i32(bytes)
              .memory('i32.store', 12 * index + 4 * which);
          });
        });
      }
      writeTable(f, depthTable, part.depth, countOf(part.depth));
      writeTable(f, tapTable, part.taps, countOf(part.taps));
      const product: Product = {
        library,
        panels: layout.panels,
        rows,
        columns: writeTable(f, columns, part.columns, panelColumns),
        row: 4 * conv.spatial.size,
        places: part.places === null ? null : writeTable(f, places, part.places, countOf(part.places)),
        width: packedColumns,
        tileColumns: packedColumns,
        make: null,
        a: packed[i]!,
        b,
        edge,
      };
      const tapsOfChannel = part.reach.reduce((count, axis) => count * axis.taps, 1);
      return { ...part, beginTable, product, depthTable, tapTable, tapsOfChannel };
    });
  }

  pack(): void {
    this.#inBlocks(channels => this.#packKernel(channels));
  }

  write(finish: Finish | null, prepared: boolean): void {
    const { samples, groups } = this.#conv;
    const { bands, images, whole } = this.#layout;
    const crew = this.#crew;
    const tasks = (): Local => constant(crew.writer, Math.ceil(samples / images) * groups * bands);
    if (whole) {
      if (!prepared) this.pack();
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
    const { writer: f } = crew;
    const { groups } = this.#conv;
    for (const part of this.#parts) {
      const pieces = (by: Crew, group: Local, begin: Local): void => {
        const product = this.#productOf(part, group, begin, channels);
        const terms = this.#termsOf(part, group, begin, channels, group);
        pack(by, product, terms, { rows: wholeRows(f, product.panels), columns: null });
      };
      const count = part.begins.length;
      if (groups * count === 1) {
        pieces(crew, constant(f, 0), constant(f, 0));
        continue;
      }
      share(crew, constant(f, groups * count), index => {
        const group = f.get(index).i32(count).op('i32.div_u').keep('i32');
        pieces(this.#alone, group, f.get(index).i32(count).op('i32.rem_u').keep('i32'));
      });
    }
    // Blocks follow one another, and with each the tickets begin anew.
    meet(crew);
  }

  /** The bytes at which one of a part begins, left on the stack. */
  #beginOf({ begins, beginTable }: Part & { readonly beginTable: Local }, index: Local, which: keyof Begin): Local {
    const { writer: f } = this.#crew;
    if (begins.length === 1) return constant(f, begins[0]![which]);
    const at = { origin: 0, tap: 4, place: 8 }[which];
    return linear(f, 0, [beginTable, 1], [index, 12]).memory('i32.load', at).keep('i32');
  }

  /** The product of a group and a block of channels, whose rows are packed at a place of their own. */
  #productOf(
    { product, tapsOfChannel, begins }: Made,
    group: Local,
    begin: Local,
    { first, count }: Channels,
  ): Product {
    const { writer: f } = this.#crew;
    const channel = 4 * this.#conv.rows * tapsOfChannel;
    const index = linear(f, 0, [group, begins.length], [begin, 1]).keep('i32');
    const within = f.get(index, count).op('i32.mul').i32(channel).op('i32.mul').keep('i32');
    const before = this.#layout.whole ? this.#conv.groups * begins.length * channel : 0;
    return { ...product, a: linear(f, 0, [product.a, 1], [first, before], [within, 1]).keep('i32') };
  }

  #termsOf(part: Made, group: Local, begin: Local, { first, count }: Channels, right: Local): Terms {
    const { writer: f } = this.#crew;
    const { kernel } = this.#conv;
    const left = [this.#addresses.left, 1] as const;
    const tap = this.#beginOf(part, begin, 'tap');
    return {
      count: linear(f, 0, [count, part.tapsOfChannel]).keep('i32'),
      adds: first,
      left: {
        base: linear(f, 0, left, [tap, 1], [group, kernel.strides[0]!], [first, kernel.strides[2]!]).keep('i32'),
        table: part.tapTable,
      },
      right: { base: right, table: part.depthTable, step: 0 },
    };
  }

  #taskOf(index: Local): Task {
    const { writer: f } = this.#crew;
    const { band, bands, images } = this.#layout;
    const { groups, samples } = this.#conv;
    const plane = f.get(index).i32(bands).op('i32.div_u').keep('i32');
    const sample = f.get(plane).i32(groups).op('i32.div_u').i32(images).op('i32.mul').keep('i32');
    return {
      sample,
      images: atMost(f.i32(samples).get(sample).op('i32.sub'), constant(f, images)),
      begin: f.get(index).i32(bands).op('i32.rem_u').i32(band).op('i32.mul').keep('i32'),
      group: f.get(plane).i32(groups).op('i32.rem_u').keep('i32'),
    };
  }

  /** Where a task's band of a block of channels begins in what is read, copied with its padding if it has any. */
  #sourceOf({ sample, images, group, begin }: Task, { first, count }: Channels): Local {
    const { writer: f } = this.#crew;
    const { staged, channelStride, imageStride, parts } = this.#layout;
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
    this.#forImages(images, image => {
      const index = constant(f, 0);
      f.loop(index, count, 1, () => {
        const to = linear(f, 0, [this.#stage, 1], [image, imageStride], [index, channelStride]).keep('i32');
        const there = linear(f, 0, [from, 1], [image, sampleStride], [index, channel]).keep('i32');
        const at = this.#produce === null ? there : this.#make(this.#produce, there, axes[0]!);
        writeStage(f, this.#library, axes, to, at);
      });
    });
    return this.#stage;
  }

  /** `body` for the images of a task, which most have one of. */
  #forImages(images: Local, body: (image: Local) => void): void {
    const { writer: f } = this.#crew;
    const image = constant(f, 0);
    if (this.#layout.images === 1) body(image);
    else f.loop(image, images, 1, () => body(image));
  }

  /** Makes what a band sees of a channel that would be at an address, and leaves where the channel would begin. */
  #make(produce: Produce, channel: Local, { window, length, stride, shift }: StagedAxis): Local {
    const { writer: f } = this.#crew;
    // What is made is in order; an axis of one element may have any stride.
    const unit = 4 * rowUnit(this.#conv);
    const beforeIn = (bytes: number): FunctionWriter =>
      f.get(channel, this.#addresses.right).op('i32.sub').i32(bytes).op('i32.div_u');
    if (seesPlanes(this.#conv, this.#layout)) {
      produce(beforeIn(unit * length).keep('i32'), constant(f, 1), this.#made);
      return this.#made;
    }
    const clamped = (index: number): Local => {
      const at = linear(f, index, [shift!, 1]).keep('i32');
      f.get(at).i32(0).get(at).i32(0).op('i32.gt_s', 'select').set(at);
      f.get(at).i32(length).get(at).i32(length).op('i32.lt_s', 'select').set(at);
      return at;
    };
    const [from, to] = [clamped(window.from), clamped(window.to)];
    const first = beforeIn(unit).get(from).op('i32.add').keep('i32');
    produce(first, f.get(to, from).op('i32.sub').keep('i32'), this.#made);
    return linear(f, 0, [this.#made, 1], [from, -stride]).keep('i32');
  }

  /** The first element of a task's band in the result, for its first row. */
  #outOf({ sample, group, begin }: Task, { place }: Reach): Local {
    const { groups, spatial } = this.#conv;
    const plane = this.#planeBytes();
    const terms = [
      [this.#addresses.out, 1],
      [sample, groups * plane],
      [group, plane],
      [begin, place.step * spatial.strides[0]!],
    ] as const;
    return linear(this.#crew.writer, 0, ...terms).keep('i32');
  }

  /** Bytes of a sample of the result, of one group. */
  #planeBytes(): number {
    return 4 * this.#conv.rows * this.#conv.spatial.size;
  }

  /** Adds a block of channels to the band of a task. */
  #work(task: Task, channels: Channels): void {
    const { writer: f } = this.#crew;
    const { band } = this.#layout;
    const base = this.#sourceOf(task, channels);
    for (const part of this.#parts) {
      const [axis] = part.reach as readonly [Reach];
      const left = linear(f, axis.columns).get(task.begin).op('i32.sub').keep('i32');
      const count = part.begins.length;
      const each = (columns: Local, begin: Local): void => {
        const product = this.#productOf(part, task.group, begin, channels);
        const source = linear(f, 0, [base, 1], [this.#beginOf(part, begin, 'origin'), 1]).keep('i32');
        const terms = this.#termsOf(part, task.group, begin, channels, source);
        const place = this.#beginOf(part, begin, 'place');
        const out = linear(f, 0, [this.#outOf(task, axis), 1], [place, 1]).keep('i32');
        inRuns(f, columns, packedColumns, constant(f, packedColumns), (first, wide) => {
          pack(this.#alone, product, terms, { rows: null, columns: { first, count: wide } });
          multiply(this.#alone, product, terms, wholeRows(f, product.panels), { first, count: wide }, out, null);
        });
      };
      f.get(left)
        .i32(0)
        .op('i32.gt_s')
        .if(() => {
          f.get(left);
          const ofImage = linear(f, 0, [atMost(f, constant(f, band)), inner(part.reach)]).keep('i32');
          const columns = this.#layout.images === 1 ? ofImage : f.get(ofImage, task.images).op('i32.mul').keep('i32');
          const begin = constant(f, 0);
          if (count === 1) each(columns, begin);
          else f.loop(begin, constant(f, count), 1, () => each(columns, begin));
        });
    }
  }

  #finish(finish: Finish, task: Task): void {
    const { writer: f } = this.#crew;
    const { groups, rows, parts, spatial } = this.#conv;
    const first = this.#outOf(task, parts[0]![0]!);
    this.#forImages(task.images, image => {
      const out = linear(f, 0, [first, 1], [image, groups * this.#planeBytes()]).keep('i32');
      finish(out, constant(f, rows), 4 * spatial.size);
    });
  }
}
