/** Copies of a part of the source with its padding, so that what reads it need not ask where it ends. */
import { FunctionWriter, type Local } from '../assembler.js';
import type { Window } from './conv.js';
import type { Library } from './library.js';
import { constant, linear } from './numbers.js';

/** (to, from, stride, first, count, length): elements `first` to before first + count of a row of so many, zeros beyond its ends. */
export const writeStageRow = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [to, from, stride, first, count, length] = [0, 1, 2, 3, 4, 5];
  const [at, end] = [f.local('i32'), f.local('i32')];
  /** Sets `end` to where the elements before the (signed) index on the stack end. */
  const endAt = (): void => {
    const index = f.get(first).op('i32.sub').keep('i32');
    f.get(index).i32(0).get(index).i32(0).op('i32.gt_s', 'select').set(index);
    f.get(index, count, index, count).op('i32.lt_s', 'select').i32(2).op('i32.shl').get(to).op('i32.add').set(end);
  };
  const zeros = (): void => {
    f.loop(at, end, 4, () => f.get(at).i32(0).memory('i32.store'));
  };
  f.get(to).set(at);
  f.i32(0);
  endAt();
  zeros();
  const source = f
    .get(from, first)
    .get(at, to)
    .op('i32.sub')
    .i32(2)
    .op('i32.shr_u', 'i32.add')
    .get(stride)
    .op('i32.mul', 'i32.add')
    .keep('i32');
  f.get(length);
  endAt();
  f.get(stride)
    .i32(4)
    .op('i32.eq')
    .if(() => {
      const bulk = f.get(end).i32(12).op('i32.sub').keep('i32');
      f.loop(at, bulk, 16, () => {
        f.get(at, source).memory('v128.load').memory('v128.store');
        f.get(source).i32(16).op('i32.add').set(source);
      });
    });
  f.loop(at, end, 4, () => {
    f.get(at, source).memory('i32.load').memory('i32.store');
    f.get(source, stride).op('i32.add').set(source);
  });
  f.get(to, count).i32(2).op('i32.shl', 'i32.add').set(end);
  zeros();
  return f;
};

/** An axis of what is staged: the part of the source, and where that begins, moved by so many elements a run. */
export interface StagedAxis {
  readonly window: Window;
  /** Elements of the source along the axis, and bytes from one to the next. */
  readonly length: number;
  readonly stride: number;
  /** Moves the window; null where it stands still. */
  readonly shift: Local | null;
}

export const lengthOf = ({ from, to }: Window): number => to - from;

/** Elements of a staged channel. */
export const stagedSize = (axes: readonly { readonly window: Window }[]): number =>
  axes.reduce((product, { window }) => product * lengthOf(window), 1);

/** Stages one channel: `from` is the address of its first element, `to` where the copy begins. */
export const writeStage = (
  f: FunctionWriter,
  library: Library,
  axes: readonly StagedAxis[],
  to: Local,
  from: Local,
): void => {
  const next = f.get(to).keep('i32');
  const nest = (axis: number, base: Local): void => {
    const { window, length, stride, shift } = axes[axis]!;
    const first = shift === null ? constant(f, window.from) : linear(f, window.from, [shift, 1]).keep('i32');
    const count = lengthOf(window);
    const inner = 4 * stagedSize(axes.slice(axis + 1));
    if (axis === axes.length - 1) {
      f.get(next, base).i32(stride).get(first).i32(count).i32(length).call(library.stageRow);
      linear(f, 4 * count, [next, 1]).set(next);
      return;
    }
    const index = constant(f, 0);
    f.loop(index, constant(f, count), 1, () => {
      const place = linear(f, 0, [first, 1], [index, 1]).keep('i32');
      f.get(place)
        .i32(length)
        .op('i32.lt_u')
        .if(
          () => nest(axis + 1, linear(f, 0, [base, 1], [place, stride]).keep('i32')),
          () => {
            f.get(next).i32(0).i32(inner).memoryFill();
            linear(f, inner, [next, 1]).set(next);
          },
        );
    });
  };
  nest(0, from);
};
