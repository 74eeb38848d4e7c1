/** Functions that bring elements, taps and products from one form into the other: four tiles, or the taps of up to four rows, at a time. */
import { FunctionWriter, type Local } from '../../assembler.js';
import { panelColumns } from '../blocks.js';
import { highWords, lowWords, mixed, turned } from '../squares.js';
import { type Minimal, minimal, type TileSide, tileSides, transposed, writeSquare } from './forms.js';

const kernelSide = 3;
/** Tiles, and rows of kernels, that are done side by side: the lanes of a vector. */
export const lanes = 4;

type Four<T> = readonly [T, T, T, T];

const four = <T>(of: (lane: number) => T): Four<T> => [of(0), of(1), of(2), of(3)];

/** The addresses of four tiles, from a table of them. */
const tilesAt = (f: FunctionWriter, table: Local): Four<Local> =>
  four(lane =>
    f
      .get(table)
      .memory('i32.load', 4 * lane)
      .keep('i32'),
  );

const advance = (f: FunctionWriter, pointers: readonly Local[], by: Local): void => {
  for (const pointer of pointers) f.get(pointer, by).op('i32.add').set(pointer);
};

/**
 * (table, offset, columns, row bytes, out, bytes from product to product, bytes from panel to panel): what tiles give to the right
 * operands of all products, 8 columns a panel. The table has the addresses of the columns' tiles, moved by `offset`; there is a
 * multiple of 4.
 */
const writeInput = ({ products, input }: Minimal, fma: boolean): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(7).fill('i32'));
  const [table, offset, columns, rowBytes, out, productBytes, panelBytes] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [column, at] = [f.i32(0).keep('i32'), f.local('i32')];
  f.loop(column, columns, lanes, () => {
    const pointers = tilesAt(f, table);
    advance(f, pointers, offset);
    const row = (): readonly Local[] => {
      const vectors = pointers.map(pointer => f.get(pointer).memory('v128.load').keep('v128'));
      const elements = turned(f, vectors as unknown as Four<Local>);
      if (products === lanes) return elements;
      const pair = (first: Local, second: Local): Local =>
        f.get(second).get(first).memory('v128.load64_zero', 16).memoryLane('v128.load64_lane', 1, 16).keep('v128');
      const [a, b] = [pair(pointers[0], pointers[1]), pair(pointers[2], pointers[3])];
      // Columns 4 and 5 of two tiles each.
      const evens = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
      return [
        ...elements,
        mixed(f, evens, a, b),
        mixed(
          f,
          evens.map(byte => byte + 4),
          a,
          b,
        ),
      ];
    };
    const square = writeSquare(
      f,
      fma,
      input,
      Array.from({ length: products }, (_, i) => () => {
        if (i > 0) advance(f, pointers, rowBytes);
        return row();
      }),
    );
    f.get(out);
    f.get(column).i32(3).op('i32.shr_u').get(panelBytes).op('i32.mul', 'i32.add');
    f.get(column)
      .i32(panelColumns - 1)
      .op('i32.and')
      .i32(2)
      .op('i32.shl', 'i32.add')
      .set(at);
    square.flat().forEach((vector, i) => {
      if (i > 0) advance(f, [at], productBytes);
      f.get(at, vector).memory('v128.store');
    });
    f.get(table)
      .i32(4 * lanes)
      .op('i32.add')
      .set(table);
  });
  return f;
};

/** The first lanes of a vector, so many of them. */
const storeRows = (f: FunctionWriter, at: Local, vector: Local, rows: number): void => {
  if (rows === lanes) f.get(at, vector).memory('v128.store');
  if (rows === 2 || rows === 3) f.get(at, vector).memoryLane('v128.store64_lane', 0);
  if (rows === 1 || rows === 3) f.get(at, vector).memoryLane('v128.store32_lane', rows - 1, 4 * (rows - 1));
};

/**
 * (base, row bytes, tap row bytes, tap column bytes, channels, channel bytes, out, bytes from channel to channel of out, bytes from
 * product to product): what so many rows of kernels give to the left operands of all products.
 */
const writeKernel = ({ kernel }: Minimal, rows: number, fma: boolean): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(9).fill('i32'));
  const [base, rowBytes, tapRow, tapColumn, channels, channelBytes, out, outStep, productBytes] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8,
  ] as const;
  const pointers: Local[] = [base];
  for (let row = 1; row < rows; row++)
    pointers.push(
      f
        .get(pointers[row - 1]!, rowBytes)
        .op('i32.add')
        .keep('i32'),
    );
  const channel = f.i32(0).keep('i32');
  f.loop(channel, channels, 1, () => {
    const taps = pointers.map(pointer => f.get(pointer).keep('i32'));
    const row = (): readonly Local[] => {
      const at = taps.map(tap => f.get(tap).keep('i32'));
      return Array.from({ length: kernelSide }, (_, column) => {
        if (column > 0) advance(f, at, tapColumn);
        const vector = f.get(at[0]!).memory('v128.load32_zero').keep('v128');
        at.slice(1).forEach((pointer, i) => {
          f.get(pointer, vector)
            .memoryLane('v128.load32_lane', i + 1)
            .set(vector);
        });
        return vector;
      });
    };
    const square = writeSquare(
      f,
      fma,
      kernel,
      Array.from({ length: kernelSide }, (_, i) => () => {
        if (i > 0) advance(f, taps, tapRow);
        return row();
      }),
    );
    const at = f.get(out).keep('i32');
    square.flat().forEach((vector, i) => {
      if (i > 0) advance(f, [at], productBytes);
      storeRows(f, at, vector, rows);
    });
    advance(f, pointers, channelBytes);
    advance(f, [out], outStep);
  });
  return f;
};

/**
 * (from, bytes from product to product, table, tiles, offset, line bytes): a row of all products, brought to the places of four tiles
 * at a time: those of the table, moved by `offset`.
 */
const writeOutput = ({ results, products, output }: Minimal, fma: boolean): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(6).fill('i32'));
  const [from, productBytes, table, tiles, offset, lineBytes] = [0, 1, 2, 3, 4, 5] as const;
  const [tile, at] = [f.i32(0).keep('i32'), f.local('i32')];
  f.loop(tile, tiles, lanes, () => {
    f.get(from).set(at);
    const load = (): Local => {
      const vector = f.get(at).memory('v128.load').keep('v128');
      advance(f, [at], productBytes);
      return vector;
    };
    const square = writeSquare(
      f,
      fma,
      output,
      Array.from({ length: products }, () => () => Array.from({ length: products }, load)),
    );
    const pointers = tilesAt(f, table);
    advance(f, pointers, offset);
    square.forEach((line, i) => {
      if (i > 0) advance(f, pointers, lineBytes);
      if (results === lanes) {
        turned(f, line as unknown as Four<Local>).forEach((vector, lane) => {
          f.get(pointers[lane as 0], vector).memory('v128.store');
        });
        return;
      }
      const pairs = [lowWords, highWords].map(words => mixed(f, words, line[0]!, line[1]!));
      pointers.forEach((pointer, lane) => {
        f.get(pointer, pairs[lane >> 1]!).memoryLane('v128.store64_lane', lane % 2);
      });
    });
    f.get(from)
      .i32(4 * lanes)
      .op('i32.add')
      .set(from);
    f.get(table)
      .i32(4 * lanes)
      .op('i32.add')
      .set(table);
  });
  return f;
};

/**
 * (base, row bytes, line bytes, out, bytes from product to product): what a tile of so many rows of an output gives to the left
 * operands of all products of its kernels' gradient.
 */
const writePlaces = ({ results, output }: Minimal, rows: number, fma: boolean): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(5).fill('i32'));
  const [base, rowBytes, lineBytes, out, productBytes] = [0, 1, 2, 3, 4] as const;
  const pointers: Local[] = [base];
  for (let row = 1; row < rows; row++) {
    f.get(pointers[row - 1]!, rowBytes).op('i32.add');
    pointers.push(f.keep('i32'));
  }
  const line = (): readonly Local[] => {
    const load = results === lanes ? 'v128.load' : 'v128.load64_zero';
    const vectors = pointers.map(pointer => f.get(pointer).memory(load).keep('v128'));
    return turned(
      f,
      four(lane => vectors[Math.min(lane, rows - 1)]!),
    ).slice(0, results);
  };
  const square = writeSquare(
    f,
    fma,
    transposed(output),
    Array.from({ length: results }, (_, i) => () => {
      if (i > 0) advance(f, pointers, lineBytes);
      return line();
    }),
  );
  square.flat().forEach((vector, i) => {
    if (i > 0) advance(f, [out], productBytes);
    storeRows(f, out, vector, rows);
  });
  return f;
};

/** (from, bytes from product to product, to): the gradient of so many channels' taps, which follow one another, from their products. */
const writeTaps = ({ products, kernel }: Minimal, channels: number, fma: boolean): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(3).fill('i32'));
  const [from, productBytes, to] = [0, 1, 2] as const;
  const load = (): Local => {
    const vector = f.get(from).memory('v128.load').keep('v128');
    advance(f, [from], productBytes);
    return vector;
  };
  const square = writeSquare(
    f,
    fma,
    transposed(kernel),
    Array.from({ length: products }, () => () => Array.from({ length: products }, load)),
  );
  square.flat().forEach((vector, tap) => {
    for (let channel = 0; channel < channels; channel++)
      f.get(to, vector).memoryLane('v128.store32_lane', channel, 4 * (kernelSide ** 2 * channel + tap));
  });
  return f;
};

/** (to, row bytes of to, from, row bytes and column bytes of from, rows, columns): a plane. */
const writeCopy = (): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(7).fill('i32'));
  const [to, toRow, from, fromRow, fromColumn, rows, columns] = [0, 1, 2, 3, 4, 5, 6] as const;
  const row = f.i32(0).keep('i32');
  const [at, source, end, bulk] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  f.loop(row, rows, 1, () => {
    f.get(to).set(at);
    f.get(from).set(source);
    f.get(columns).i32(2).op('i32.shl').get(to).op('i32.add').set(end);
    f.get(fromColumn)
      .i32(4)
      .op('i32.eq')
      .if(() => {
        f.get(end).i32(12).op('i32.sub').set(bulk);
        f.loop(at, bulk, 16, () => {
          f.get(at, source).memory('v128.load').memory('v128.store');
          f.get(source).i32(16).op('i32.add').set(source);
        });
      });
    f.loop(at, end, 4, () => {
      f.get(at, source).memory('i32.load').memory('i32.store');
      advance(f, [source], fromColumn);
    });
    advance(f, [to], toRow);
    advance(f, [from], fromRow);
  });
  return f;
};

export const inputName = (side: TileSide): string => `winogradInput${side}`;
export const kernelName = (side: TileSide, rows: number): string => `winogradKernel${side}x${rows}`;
export const outputName = (side: TileSide): string => `winogradOutput${side}`;
export const placesName = (side: TileSide, rows: number): string => `winogradPlaces${side}x${rows}`;
export const tapsName = (side: TileSide, channels: number): string => `winogradTaps${side}x${channels}`;
export const copyName = 'copyPlane';

/** The functions by name. */
export const writeTransforms = (fma: boolean): readonly (readonly [name: string, writer: FunctionWriter])[] => [
  [copyName, writeCopy()],
  ...tileSides.flatMap((side): (readonly [string, FunctionWriter])[] => [
    [inputName(side), writeInput(minimal[side], fma)],
    ...[1, 2, 3, 4].flatMap((count): (readonly [string, FunctionWriter])[] => [
      [kernelName(side, count), writeKernel(minimal[side], count, fma)],
      [placesName(side, count), writePlaces(minimal[side], count, fma)],
      [tapsName(side, count), writeTaps(minimal[side], count, fma)],
    ]),
    [outputName(side), writeOutput(minimal[side], fma)],
  ]),
];
