/** Packing float32 into panels, for the register blocks to read from one end to the other. */
import { FunctionWriter, type Local } from '../assembler.js';
import { panelColumns } from './blocks.js';
import { highWords, lowWords, mixed, turned as turnedSquare } from './squares.js';

/** Columns side by side that are read and written together: as many as a vector has lanes, then two, then one. */
interface Chunk {
  readonly first: number;
  readonly length: 4 | 2 | 1;
}

const chunksOf = (width: number): readonly Chunk[] => {
  const chunks: Chunk[] = [];
  for (let first = 0; first < width; ) {
    const length = width - first >= 4 ? 4 : width - first >= 2 ? 2 : 1;
    chunks.push({ first, length });
    first += length;
  }
  return chunks;
};

/**
 * (base, offsets, count, depths, depth, out): a panel [depth, width] of what is at base + offsets[i] + depths[k], both tables
 * of bytes. Of the `width` places only `count` are there; what the others get is of no importance.
 *
 * Neighbours are moved as vectors: those of a step where places are neighbours, else those of four steps where these are, as
 * squares turned over.
 */
const writePack = (width: number): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [base, offsets, count, depths, depth, out] = [0, 1, 2, 3, 4, 5];
  const chunks = chunksOf(width);
  const last = f.get(count).i32(1).op('i32.sub').i32(2).op('i32.shl').keep('i32');
  const index = f.local('i32');
  const pointers = Array.from({ length: width }, (_, i) => {
    f.i32(4 * i).set(index);
    f.get(base).get(offsets, index, last, index, last).op('i32.lt_u', 'select', 'i32.add');
    return f.memory('i32.load').op('i32.add').keep('i32');
  });
  const end = f.get(depths, depth).i32(2).op('i32.shl', 'i32.add').keep('i32');
  const d = f.local('i32');
  const [at, vector] = [f.local('i32'), f.local('v128')];
  const advance = (steps: number): void => {
    f.get(out)
      .i32(4 * width * steps)
      .op('i32.add')
      .set(out);
  };

  const neighbours = (): void => {
    f.get(depths).set(at);
    f.loop(at, end, 4, () => {
      f.get(at).memory('i32.load').set(d);
      for (const { first, length } of chunks) {
        f.get(out).get(pointers[first]!, d).op('i32.add');
        if (length === 4) f.memory('v128.load').memory('v128.store', 4 * first);
        else if (length === 2) f.memory('i64.load').memory('i64.store', 4 * first);
        else f.memory('i32.load').memory('i32.store', 4 * first);
      }
      advance(1);
    });
  };

  const single = (step: Local): void => {
    f.get(step).memory('i32.load').set(d);
    pointers.forEach((pointer, i) => {
      f.get(out)
        .get(pointer, d)
        .op('i32.add')
        .memory('i32.load')
        .memory('i32.store', 4 * i);
    });
    advance(1);
  };

  /** Four steps of a chunk, from rows along the depth to rows along the places. */
  const turned = ({ first, length }: Chunk): void => {
    const rows = pointers.slice(first, first + length).map(pointer => {
      return f.get(pointer, d).op('i32.add').memory('v128.load').keep('v128');
    });
    const to = (k: number): number => 4 * (k * width + first);
    if (length === 1) {
      for (let k = 0; k < 4; k++) f.get(out, rows[0]!).memoryLane('v128.store32_lane', k, to(k));
      return;
    }
    if (length === 2) {
      const pairs = [lowWords, highWords].map(words => mixed(f, words, rows[0]!, rows[1]!));
      for (let k = 0; k < 4; k++) f.get(out, pairs[k >> 1]!).memoryLane('v128.store64_lane', k % 2, to(k));
      return;
    }
    turnedSquare(f, rows as [Local, Local, Local, Local]).forEach((column, k) => {
      f.get(out, column).memory('v128.store', to(k));
    });
  };

  const steps = (): void => {
    f.get(depths).set(at);
    const bulk = f.get(end).i32(12).op('i32.sub').keep('i32');
    f.while(
      () => f.get(at, bulk).op('i32.lt_u'),
      () => {
        f.get(at).memory('v128.load').set(vector);
        // Steps next to each other: the differences to the first one are 0, 4, 8, 12.
        f.get(at).memory('i32.load').set(d);
        f.get(vector).get(d).op('i32x4.splat', 'i32x4.sub');
        const expected = f.constant(new Uint8Array(Int32Array.of(0, 4, 8, 12).buffer));
        f.get(expected).op('i32x4.eq', 'i32x4.all_true');
        f.if(
          () => {
            chunks.forEach(turned);
            advance(4);
          },
          () => {
            const one = f.local('i32');
            for (let k = 0; k < 4; k++) {
              f.get(at)
                .i32(4 * k)
                .op('i32.add')
                .set(one);
              single(one);
            }
          },
        );
        f.get(at).i32(16).op('i32.add').set(at);
      },
    );
    f.loop(at, end, 4, () => single(at));
  };

  if (width < 4) {
    steps();
    return f;
  }
  f.i32(1);
  for (const { first, length } of chunks) {
    for (let i = 1; i < length; i++) {
      f.get(pointers[first + i]!, pointers[first]!)
        .op('i32.sub')
        .i32(4 * i)
        .op('i32.eq', 'i32.and');
    }
  }
  f.if(neighbours, steps);
  return f;
};

/** Packing a panel by its width, up to six rows or eight columns. */
export const packers: ReadonlyMap<number, FunctionWriter> = new Map(
  [1, 2, 3, 4, 5, 6, panelColumns].map(width => [width, writePack(width)]),
);

/**
 * (base, bytes from panel to panel, offsets, bytes of the table from panel to panel, count, depths, depth, out): as many panels
 * of columns as it takes.
 */
const writePackColumns = (): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(8).fill('i32'));
  const [base, step, offsets, tableStep, count, depths, depth, out] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const column = f.local('i32');
  f.loop(column, count, panelColumns, () => {
    f.get(base, offsets).get(count, column).op('i32.sub').get(depths, depth, out).call(packers.get(panelColumns)!);
    f.get(base, step).op('i32.add').set(base);
    f.get(offsets, tableStep).op('i32.add').set(offsets);
    f.get(out, depth)
      .i32(4 * panelColumns)
      .op('i32.mul', 'i32.add')
      .set(out);
  });
  return f;
};

export const packColumns = writePackColumns();
