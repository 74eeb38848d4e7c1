/** How kernels walk through memory: a pointer for every buffer, moved from row to row. */
import { bytesOf, type DType } from '../../../dtype.js';
import type { Valid, View } from '../../../view.js';
import type { FunctionWriter, Local } from '../assembler.js';

/** Something read or written over a space of axes. */
export interface Access {
  /** The parameter with the address of the buffer; null for the indices themselves. */
  readonly argument: Local | null;
  readonly dtype: DType;
  readonly view: View;
}

/** An access while a kernel runs: where its row starts, and how it goes on along the axis of the vectors. */
export interface Cursor {
  readonly access: Access;
  /** The address of the row's first element; of indices, the number there. */
  readonly pointer: Local;
  /** Elements from one place of the vector axis to the next. */
  readonly stride: number;
  readonly valid: Valid | null;
  /** Whether the row is inside of the valid ranges of the other axes; null where it always is. */
  readonly open: Local | null;
}

const scaleOf = ({ argument, dtype }: Access): number => (argument === null ? 1 : bytesOf[dtype]);

/**
 * Axes that every access steps through as if they were one become one; those of length 1 go. The axes before a `border` stay
 * apart from those behind it.
 */
export const collapsed = (
  lengths: readonly number[],
  accesses: readonly Access[],
  border = 0,
): { readonly lengths: readonly number[]; readonly accesses: readonly Access[] } => {
  const kept: number[] = [];
  const axes = accesses.map(() => ({ strides: [] as number[], valid: [] as (Valid | null)[] }));
  let crossed = border === 0;
  lengths.forEach((length, axis) => {
    const before = crossed;
    crossed ||= axis >= border && length > 1;
    if (length === 1 && accesses.every(({ view }) => view.valid[axis] === null)) return;
    const last = kept.length - 1;
    const joins =
      last >= 0 &&
      before === crossed &&
      accesses.every(
        ({ view }, i) =>
          axes[i]!.strides[last] === view.strides[axis]! * length &&
          axes[i]!.valid[last] === null &&
          view.valid[axis] === null,
      );
    if (joins) kept[last]! *= length;
    else kept.push(length);
    accesses.forEach(({ view }, i) => {
      const at = joins ? last : kept.length - 1;
      axes[i]!.strides[at] = view.strides[axis]!;
      axes[i]!.valid[at] = view.valid[axis]!;
    });
  });
  return {
    lengths: kept,
    accesses: accesses.map((access, i) => ({ ...access, view: { ...access.view, shape: kept, ...axes[i]! } })),
  };
};

/** The rows of a space, all axes but the vector axis: which one it is, and the cursors that go along. */
export class Rows {
  readonly cursors: readonly Cursor[];
  readonly #writer: FunctionWriter;
  readonly #lengths: readonly number[];
  readonly #counters: readonly Local[];

  /** @param axes the axes of the rows, outermost first, by their place in the views; the vector axis is another one, or null */
  constructor(
    writer: FunctionWriter,
    accesses: readonly Access[],
    axes: readonly number[],
    vector: number | null,
    lengths: readonly number[],
  ) {
    this.#writer = writer;
    this.#lengths = axes.map(axis => lengths[axis]!);
    this.#counters = axes.map(() => writer.local('i32'));
    this.#axes = axes;
    this.cursors = accesses.map(
      (access): Cursor => ({
        access,
        pointer: writer.local('i32'),
        stride: vector === null ? 0 : access.view.strides[vector]!,
        valid: vector === null ? null : access.view.valid[vector]!,
        open: axes.some(axis => access.view.valid[axis] !== null) ? writer.local('i32') : null,
      }),
    );
  }

  readonly #axes: readonly number[];

  /** Goes to the row of this number. */
  start(row: Local): void {
    const writer = this.#writer;
    const rest = writer.get(row).keep('i32');
    for (let axis = this.#counters.length - 1; axis >= 0; axis--) {
      if (axis === 0) writer.get(rest).set(this.#counters[0]!);
      else {
        const length = this.#lengths[axis]!;
        writer.get(rest).i32(length).op('i32.rem_u').set(this.#counters[axis]!);
        writer.get(rest).i32(length).op('i32.div_u').set(rest);
      }
    }
    this.#place();
  }

  #place(): void {
    const writer = this.#writer;
    for (const { access, pointer } of this.cursors) {
      const scale = scaleOf(access);
      if (access.argument === null) writer.i32(access.view.offset);
      else {
        writer.get(access.argument);
        if (access.view.offset !== 0) writer.i32(access.view.offset * scale).op('i32.add');
      }
      this.#axes.forEach((axis, i) => {
        const step = access.view.strides[axis]! * scale;
        if (step !== 0) writer.get(this.#counters[i]!).i32(step).op('i32.mul', 'i32.add');
      });
      writer.set(pointer);
    }
    this.#look();
  }

  /** Whether the row is inside of the ranges. */
  #look(): void {
    const writer = this.#writer;
    for (const { access, open } of this.cursors) {
      if (open === null) continue;
      writer.i32(1);
      this.#axes.forEach((axis, i) => {
        const range = access.view.valid[axis];
        if (!range) return;
        writer
          .get(this.#counters[i]!)
          .i32(range[0])
          .op('i32.sub')
          .i32(Math.max(0, range[1] - range[0]));
        writer.op('i32.lt_u', 'i32.and');
      });
      writer.set(open);
    }
  }

  /** Goes to the next row; behind the last one it is nowhere. */
  next(): void {
    const writer = this.#writer;
    const last = this.#counters.length - 1;
    if (last < 0) return;
    const counter = this.#counters[last]!;
    const step = (): void => {
      for (const { access, pointer } of this.cursors) {
        const by = access.view.strides[this.#axes[last]!]! * scaleOf(access);
        if (by !== 0) writer.get(pointer).i32(by).op('i32.add').set(pointer);
      }
      this.#look();
    };
    writer.get(counter).i32(1).op('i32.add').set(counter);
    if (last === 0) {
      step();
      return;
    }
    writer
      .get(counter)
      .i32(this.#lengths[last]!)
      .op('i32.eq')
      .if(() => {
        const carry = (axis: number): void => {
          writer.i32(0).set(this.#counters[axis]!);
          const above = this.#counters[axis - 1]!;
          writer.get(above).i32(1).op('i32.add').set(above);
          if (axis === 1) return;
          writer
            .get(above)
            .i32(this.#lengths[axis - 1]!)
            .op('i32.eq')
            .if(() => carry(axis - 1));
        };
        carry(last);
        this.#place();
      }, step);
  }
}
