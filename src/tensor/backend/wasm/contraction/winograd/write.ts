/**
 * Convolutions by minimal algorithms. Kernels are transformed once for all; then every thread takes runs of tiles, transforms what
 * they see channel by channel, multiplies, and transforms the products a run of rows after the other.
 */
import type { Local } from '../../assembler.js';
import { type Crew, meet, share } from '../../threads/crew.js';
import { type Addresses, inRuns } from '../blocking.js';
import { panelColumns } from '../blocks.js';
import type { Library } from '../library.js';
import { atMost, constant, cut, linear, rowsInside } from '../numbers.js';
import { byHeight, firstRow } from '../panels.js';
import type { Finish, Pieces, Produce } from '../pieces.js';
import { type Layout, layoutOf, seesPlanes, type WinogradConv } from './conv.js';
import { minimal } from './forms.js';
import { lanes } from './transforms.js';

/** Scratch memory by what is in it. */
interface Areas {
  readonly kernel: Local;
  readonly edge: Local;
  readonly input: Local;
  readonly output: Local;
  readonly stage: Local;
  /** Where tiles are that are seen, and where their results go. */
  readonly seen: Local;
  readonly places: Local;
  readonly made: Local;
}

/** Panels of rows whose kernels are there: the first one, the row it begins with, and how many. */
interface Block {
  readonly first: Local;
  readonly row: Local;
  readonly count: Local;
}

/** Where a task is: its first image, how many, and the rows of tiles of its band. */
interface Task {
  readonly image: Local;
  readonly images: Local;
  readonly band: Local;
}

export const writeWinograd = (
  crew: Crew,
  conv: WinogradConv,
  addresses: Addresses,
  library: Library,
  { finish, produce, prepared }: Pieces,
): void => {
  const { writer: f } = crew;
  const layout = layoutOf(conv, library.tallest, produce !== null);
  const writer = new WinogradWriter(crew, conv, addresses, library, layout, produce);
  inRuns(f, constant(f, layout.panels.count), layout.block, constant(f, layout.block), (first, count) => {
    const run = { first, count, row: firstRow(f, layout.panels, first).keep('i32') };
    if (!prepared) writer.transformKernels(run);
    share(crew, constant(f, layout.tasks), index => writer.work(index, run, finish));
    meet(crew);
  });
};

/** Transforms kernels that are all there at once. */
export const prepareWinograd = (crew: Crew, conv: WinogradConv, addresses: Addresses, library: Library): void => {
  const { writer: f } = crew;
  const layout = layoutOf(conv, library.tallest, false);
  const zero = constant(f, 0);
  const all = { first: zero, row: zero, count: constant(f, layout.panels.count) };
  new WinogradWriter(crew, conv, addresses, library, layout, null).transformKernels(all);
};

class WinogradWriter {
  readonly #crew: Crew;
  readonly #conv: WinogradConv;
  readonly #addresses: Addresses;
  readonly #library: Library;
  readonly #layout: Layout;
  readonly #produce: Produce | null;
  readonly #areas: Areas;
  /** Bytes of an image of the result, and of one of its lines. */
  readonly #plane: number;
  readonly #line: number;

  constructor(
    crew: Crew,
    conv: WinogradConv,
    addresses: Addresses,
    library: Library,
    layout: Layout,
    produce: Produce | null,
  ) {
    const { writer: f } = crew;
    const [kernel] = cut(f, addresses.common, layout.common) as [Local];
    const [edge, input, output, stage, seen, places, made] = cut(f, addresses.own, layout.own) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    this.#crew = crew;
    this.#conv = conv;
    this.#addresses = addresses;
    this.#library = library;
    this.#layout = layout;
    this.#produce = produce;
    this.#areas = { kernel, edge, input, output, stage, seen, places, made };
    this.#line = 4 * conv.places[1];
    this.#plane = this.#line * conv.places[0];
  }

  /** Panels of rows of the left operands. */
  transformKernels(block: Block): void {
    const { writer: f } = this.#crew;
    const { kernel, channels, side } = this.#conv;
    const { panels, strides } = this.#layout;
    share(this.#crew, block.count, index => {
      const panel = linear(f, 0, [block.first, 1], [index, 1]).keep('i32');
      const row = firstRow(f, panels, panel).keep('i32');
      byHeight(f, panels, panel, height => {
        for (let first = 0; first < height; first += lanes) {
          linear(f, kernel.first + first * kernel.row, [this.#addresses.left, 1], [row, kernel.row]);
          f.i32(kernel.row).i32(kernel.taps[0]!).i32(kernel.taps[1]!).i32(channels).i32(kernel.channel);
          this.#kernelAt(block, row);
          f.i32(4 * first).op('i32.add');
          f.i32(4 * height).i32(strides.kernel);
          f.call(this.#library.winogradKernel(side, Math.min(lanes, height - first)));
        }
      });
    });
    meet(this.#crew);
  }

  /** Where the kernels of a row begin, left on the stack. */
  #kernelAt({ row: first }: Block, row: Local): void {
    const bytes = 4 * this.#conv.channels;
    linear(this.#crew.writer, 0, [this.#areas.kernel, 1], [row, bytes], [first, -bytes]);
  }

  work(index: Local, block: Block, finish: Finish | null): void {
    const { writer: f } = this.#crew;
    const { rows } = this.#conv;
    const { panels } = this.#layout;
    const task = this.#taskOf(index);
    const tiles = this.#listTiles(task);
    this.#transformInput(task, tiles);
    this.#multiply(tiles, block);
    if (finish === null) return;
    const count = firstRow(f, panels, linear(f, 0, [block.first, 1], [block.count, 1]).keep('i32'))
      .get(block.row)
      .op('i32.sub')
      .keep('i32');
    const first = linear(f, 0, [this.#outOf(task), 1], [block.row, this.#plane]).keep('i32');
    const image = constant(f, 0);
    f.loop(image, task.images, 1, () => {
      finish(first, count, this.#plane);
      linear(f, rows * this.#plane, [first, 1]).set(first);
    });
  }

  #taskOf(index: Local): Task {
    const { writer: f } = this.#crew;
    const { samples } = this.#conv;
    const { images, band, tiles } = this.#layout;
    const bands = tiles[0] / band;
    const image = linear(f, 0, [f.get(index).i32(bands).op('i32.div_u').keep('i32'), images]).keep('i32');
    const left = linear(f, samples).get(image).op('i32.sub').keep('i32');
    return {
      image,
      images: atMost(f.get(left), constant(f, images)),
      band: f.get(index).i32(bands).op('i32.rem_u').i32(band).op('i32.mul').keep('i32'),
    };
  }

  /** The first element of a task in the result, for its first row. */
  #outOf({ image, band }: Task): Local {
    const { rows, side } = this.#conv;
    return linear(
      this.#crew.writer,
      0,
      [this.#addresses.out, 1],
      [image, rows * this.#plane],
      [band, side * this.#line],
    ).keep('i32');
  }

  /** Writes down where the tiles of a task are; the last one again until panels are full. How many these are. */
  #listTiles(task: Task): Local {
    const { writer: f } = this.#crew;
    const { rows, side } = this.#conv;
    const { band, tiles, seen } = this.#layout;
    const areas = this.#areas;
    const [at, to] = [f.i32(0).keep('i32'), f.i32(0).keep('i32')];
    const entry = f.i32(0).keep('i32');
    const put = (): void => {
      linear(f, 0, [areas.seen, 1], [entry, 4]).get(at).memory('i32.store');
      linear(f, 0, [areas.places, 1], [entry, 4]).get(to).memory('i32.store');
      f.get(entry).i32(1).op('i32.add').set(entry);
    };
    const first = this.#outOf(task);
    const [image, down, across] = [constant(f, 0), f.local('i32'), f.local('i32')];
    f.loop(image, task.images, 1, () => {
      f.i32(0).set(down);
      f.loop(down, constant(f, band), 1, () => {
        f.i32(0).set(across);
        f.loop(across, constant(f, tiles[1]), 1, () => {
          linear(
            f,
            0,
            [areas.stage, 1],
            [image, 4 * seen[0] * seen[1]],
            [down, 4 * side * seen[1]],
            [across, 4 * side],
          ).set(at);
          linear(f, 0, [first, 1], [image, rows * this.#plane], [down, side * this.#line], [across, 4 * side]).set(to);
          put();
        });
      });
    });
    const whole = f
      .get(entry)
      .i32(panelColumns - 1)
      .op('i32.add')
      .i32(-panelColumns)
      .op('i32.and')
      .keep('i32');
    f.while(() => f.get(entry, whole).op('i32.lt_u'), put);
    return whole;
  }

  /** Panels of columns of the right operands. */
  #transformInput(task: Task, tiles: Local): void {
    const { writer: f } = this.#crew;
    const { channels, side, source, origin } = this.#conv;
    const { seen, strides } = this.#layout;
    const { stage, input } = this.#areas;
    const [height, width] = source.lengths.slice(2) as [number, number];
    const strideOf = (axis: number): number => source.strides[axis]!;
    // Rows and columns of the source that are there; around them are zeros, the same for all channels.
    const top = linear(f, origin[0]!, [task.band, side]).keep('i32');
    const { from, rows } = rowsInside(f, top, seen[0], height);
    const [left, right] = [Math.max(0, origin[1]!), Math.min(width, origin[1]! + seen[1])];
    const planeBytes = 4 * seen[0] * seen[1];
    f.get(stage).i32(0);
    linear(f, 0, [task.images, planeBytes]).memoryFill();
    const inside = linear(f, 4 * (left - origin[1]!), [stage, 1])
      .get(from, top)
      .op('i32.sub')
      .i32(4 * seen[1])
      .op('i32.mul', 'i32.add')
      .keep('i32');
    const base = linear(f, 0, [this.#addresses.right, 1], [task.image, strideOf(0)]).keep('i32');
    const channel = constant(f, 0);
    f.loop(channel, constant(f, channels), 1, () => {
      const image = constant(f, 0);
      f.i32(0).set(image);
      f.loop(image, task.images, 1, () => {
        const there = linear(f, 0, [base, 1], [image, strideOf(0)], [channel, strideOf(1)]).keep('i32');
        const plane = this.#produce === null ? there : this.#make(this.#produce, there, from, rows);
        linear(f, 0, [inside, 1], [image, planeBytes]).i32(4 * seen[1]);
        linear(f, left * strideOf(3), [plane, 1], [from, strideOf(2)])
          .i32(strideOf(2))
          .i32(strideOf(3));
        f.get(rows)
          .i32(Math.max(0, right - left))
          .call(this.#library.copyPlane);
      });
      f.get(this.#areas.seen)
        .i32(0)
        .get(tiles)
        .i32(4 * seen[1]);
      linear(f, 0, [input, 1], [channel, 4 * panelColumns])
        .i32(strides.input)
        .i32(4 * panelColumns * channels);
      f.call(this.#library.winogradInput(side));
    });
  }

  /** Makes so many rows of the channel that would be at an address, and leaves where the channel would begin. */
  #make(produce: Produce, channel: Local, from: Local, rows: Local): Local {
    const { writer: f } = this.#crew;
    const { made } = this.#areas;
    const whole = seesPlanes(this.#conv, this.#layout);
    // What is made is in order; an axis of one element may have any stride.
    const [height, width] = this.#conv.source.lengths.slice(2) as [number, number];
    const row = 4 * width;
    const unit = whole ? row * height : row;
    const before = f.get(channel, this.#addresses.right).op('i32.sub').i32(unit).op('i32.div_u').keep('i32');
    if (whole) {
      produce(before, constant(f, 1), made);
      return made;
    }
    produce(linear(f, 0, [before, 1], [from, 1]).keep('i32'), rows, made);
    return linear(f, 0, [made, 1], [from, -row]).keep('i32');
  }

  #multiply(tiles: Local, block: Block): void {
    const { count, height, tall } = this.#layout.panels;
    this.#multiplyPanels(tiles, block, { from: 0, to: tall, height });
    this.#multiplyPanels(tiles, block, { from: tall, to: count, height: height - 1 });
  }

  /** Those panels of a block that are of one height, a run of them after the other. */
  #multiplyPanels(tiles: Local, block: Block, { from, to, height }: Record<'from' | 'to' | 'height', number>): void {
    if (from === to) return;
    const { writer: f } = this.#crew;
    const { channels, side } = this.#conv;
    const { panels, run, width, strides } = this.#layout;
    const { input, output, edge } = this.#areas;
    const panel = constant(f, from);
    f.get(block.first, panel, block.first, panel).op('i32.gt_u', 'select').set(panel);
    linear(f, 0, [block.first, 1], [block.count, 1]);
    const end = atMost(f, constant(f, to));
    const [product, products] = [f.local('i32'), constant(f, minimal[side].products ** 2)];
    const [a, b, out] = [f.local('i32'), f.local('i32'), f.local('i32')];
    f.loop(panel, end, run, () => {
      f.get(end, panel).op('i32.sub');
      const many = atMost(f, constant(f, run));
      const row = firstRow(f, panels, panel).keep('i32');
      this.#kernelAt(block, row);
      f.set(a);
      f.get(input).set(b);
      f.get(output).set(out);
      f.i32(0).set(product);
      f.loop(product, products, 1, () => {
        f.get(a, b)
          .i32(channels)
          .get(out)
          .i32(4 * width)
          .get(many, tiles, edge);
        f.i32(4 * panelColumns * channels)
          .i32(4 * panelColumns)
          .i32(0)
          .i32(0);
        f.call(this.#library.tile(height, panelColumns / 4));
        linear(f, strides.kernel, [a, 1]).set(a);
        linear(f, strides.input, [b, 1]).set(b);
        linear(f, strides.output, [out, 1]).set(out);
      });
      const [index, rows] = [constant(f, 0), linear(f, 0, [many, height]).keep('i32')];
      f.loop(index, rows, 1, () => {
        linear(f, 0, [output, 1], [index, 4 * width])
          .i32(strides.output)
          .get(this.#areas.places, tiles);
        linear(f, 0, [row, this.#plane], [index, this.#plane]).i32(this.#line);
        f.call(this.#library.winogradOutput(side));
      });
    });
  }
}
