/**
 * Numbers in CSV files: rows of cells between delimiters, in quotes where a cell holds a delimiter, a quote (written
 * twice) or a line break.
 *
 * Specification: https://www.rfc-editor.org/rfc/rfc4180
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { arrayClassOf, fits, isFloat, type TypedArray } from '../tensor/dtype.js';
import type { FormatError } from '../tensor/errors.js';
import { elementsNow } from '../tensor/evaluate.js';
import type { Node } from '../tensor/graph.js';
import { checkDType, kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { checkArgument, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Checked, faultOf, isBytes, quote, refuse } from './fault.js';
import { writeFile } from './files.js';
import { checkPath, checkSource, readSource, type Source } from './sources.js';
import { arraysOf, nodeFrom, tensorOf } from './values.js';

/** The dtypes that cells are read as. */
export type CsvDType = 'float32' | 'float64' | 'int32' | 'uint32' | 'uint8';

/** What a CSV file holds. */
export interface Csv {
  /** The cells of the first row, if it was told to be a header. */
  readonly columns: readonly string[] | null;
  /** The numbers, of shape [rows, columns]. */
  readonly values: Tensor<readonly [number, number]>;
}

/** How a CSV file is read. */
export interface ReadCsvOptions {
  /** Whether the first row names the columns; false by default. */
  readonly header?: boolean | undefined;
  /** What stands between cells, one character; a comma by default. */
  readonly delimiter?: string | undefined;
  /** float32 by default. */
  readonly dtype?: CsvDType | undefined;
  /** The number for cells with nothing in them, which are refused by default. */
  readonly missing?: number | undefined;
}

/** How a CSV file is written. */
export interface WriteCsvOptions {
  /** The names of the columns, for a first row. */
  readonly columns?: readonly string[] | undefined;
  /** What stands between cells, one character; a comma by default. */
  readonly delimiter?: string | undefined;
}

const checkDelimiter = (operation: string, delimiter: unknown = ','): string => {
  checkArgument(
    typeof delimiter === 'string' && delimiter.length === 1 && !/["\r\n\w.+-]/.test(delimiter),
    operation,
    `${kindOf(delimiter)} as the delimiter`,
    'it is one character that is in no number, no quote and no line break',
    "Write ',', ';' or '\\t'.",
  );
  return delimiter as string;
};

// ---- Decoding -----------------------------------------------------------------------------------------------------

interface Settings {
  readonly header: boolean;
  readonly delimiter: string;
  readonly dtype: CsvDType;
  readonly missing: number | undefined;
}

const checkReading = (operation: string, options: ReadCsvOptions | undefined): Settings => {
  checkOptions(operation, ['header', 'delimiter', 'dtype', 'missing'], options);
  const { header = false, delimiter, dtype = 'float32', missing } = options ?? {};
  checkFlag(operation, 'header', header);
  checkDType(operation, dtype);
  checkArgument(
    (dtype as string) !== 'bool',
    operation,
    'the dtype bool',
    'cells are numbers',
    "Read them as 'uint8' and cast.",
  );
  checkArgument(
    missing === undefined || (typeof missing === 'number' && (isFloat(dtype) || fits(missing, dtype as 'int32'))),
    operation,
    `${kindOf(missing)} for missing cells`,
    `it is a number that ${dtype} holds`,
    'Write { missing: NaN } with a float dtype.',
  );
  return { header, delimiter: checkDelimiter(operation, delimiter), dtype, missing };
};

interface Cell {
  readonly text: string;
  /** Where it ends: at a delimiter, a line break or the end. */
  readonly end: number;
  readonly lines: number;
}

const quoted = (text: string, start: number, line: number): Checked<Cell> => {
  let at = start + 1;
  let cell = '';
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) return refuse(`a quote on line ${line} that is not closed`, 'quotes come in pairs', 'Close it.');
    cell += text.slice(at, close);
    at = close + 1;
    if (text[at] !== '"') break;
    cell += '"';
    at++;
  }
  return E.right({ text: cell, end: at, lines: cell.split(/\r\n|\r|\n/).length - 1 });
};

const isBreak = (character: string | undefined): boolean => character === '\n' || character === '\r';

const plain = (text: string, start: number, delimiter: string): Cell => {
  let end = start;
  while (end < text.length && text[end] !== delimiter && !isBreak(text[end])) end++;
  return { text: text.slice(start, end), end, lines: 0 };
};

/** Hands each row to `take`, with the line it starts on, until that finds a fault. */
const eachRow = (
  text: string,
  delimiter: string,
  take: (cells: readonly string[], line: number) => Checked<void>,
): Checked<void> => {
  let [at, line] = [text.startsWith('\ufeff') ? 1 : 0, 1];
  while (at < text.length) {
    const [cells, first]: [string[], number] = [[], line];
    for (;;) {
      const cell = text[at] === '"' ? quoted(text, at, line) : E.right(plain(text, at, delimiter));
      if (E.isLeft(cell)) return cell;
      cells.push(cell.right.text);
      line += cell.right.lines;
      at = cell.right.end;
      if (text[at] !== delimiter) break;
      at++;
    }
    if (at < text.length && !isBreak(text[at])) {
      const given = `${quote(text[at]!)} after a closing quote on line ${line}`;
      return refuse(given, 'a quoted cell ends at its quote', 'Write a quote inside of a cell twice.');
    }
    const taken = take(cells, first);
    if (E.isLeft(taken)) return taken;
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    line++;
  }
  return E.right(undefined);
};

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

/** Whether a dtype holds a number, of floats up to rounding; one that is written in digits does not become infinite. */
const holds = (dtype: CsvDType, cell: string, value: number): boolean => {
  if (!isFloat(dtype)) return fits(value, dtype);
  return Number.isFinite(dtype === 'float32' ? Math.fround(value) : value) || !/\d/.test(cell);
};

const numberIn = (cell: string): number | null => {
  const text = cell.trim();
  if (number.test(text)) return Number(text);
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  const sign = infinity.exec(text)?.[1];
  return sign === undefined ? null : sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
};

const parse = (text: string, { header, delimiter, dtype, missing }: Settings): Checked<Csv> => {
  const numbers: number[] = [];
  let columns: readonly string[] | null = null;
  let [width, rows] = [-1, 0];
  const cellValue = (cell: string, column: number, line: number): Checked<number> => {
    const empty = cell.trim() === '';
    if (empty && missing !== undefined) return E.right(missing);
    const value = numberIn(cell);
    const where = `on line ${line}, column ${column + 1}`;
    if (value === null) {
      return refuse(
        `${empty ? 'nothing' : quote(cell)} ${where}`,
        'a cell is a number',
        empty
          ? 'Give { missing: NaN } for cells with nothing in them.'
          : 'A first row of names needs { header: true }.',
      );
    }
    if (holds(dtype, cell, value)) return E.right(value);
    const hint = dtype === 'float64' ? 'Write it in another unit.' : "Read it as { dtype: 'float64' }.";
    return refuse(`${quote(cell)} ${where}`, `${dtype} does not hold it`, hint);
  };
  const take = (cells: readonly string[], line: number): Checked<void> => {
    if (width >= 0 && cells.length !== width) {
      return refuse(
        `${cells.length} cells on line ${line}`,
        `the rows before have ${width}`,
        'Is the delimiter right?',
      );
    }
    width = cells.length;
    if (header && columns === null) {
      columns = Object.freeze([...cells]);
      return E.right(undefined);
    }
    rows++;
    for (const [column, cell] of cells.entries()) {
      const value = cellValue(cell, column, line);
      if (E.isLeft(value)) return value;
      numbers.push(value.right);
    }
    return E.right(undefined);
  };
  return pipe(
    eachRow(text, delimiter, take),
    E.map(() => {
      const array: TypedArray = new (arrayClassOf(dtype))(numbers.length);
      array.set(numbers);
      const shape = Object.freeze([rows, Math.max(width, 0)] as const);
      return Object.freeze({ columns, values: tensorOf(shape, dtype, array) as Csv['values'] });
    }),
  );
};

const textOf = (bytes: Uint8Array): Checked<string> =>
  E.tryCatch(
    () => new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice()),
    () => ({ given: `${bytes.length} bytes that are no text`, rule: 'the text is UTF-8', hint: 'Write it in UTF-8.' }),
  );

/**
 * The numbers in a text of comma-separated values. Cells may be quoted and stand among blanks; `nan` and `inf` are read, and
 * what is too large for the dtype is refused.
 * Anything wrong with the text is a `Left` that names the line, never thrown.
 *
 * @param text it, or its bytes in UTF-8
 * @param options `header: true` when the first row names the columns; `delimiter` (a comma); `dtype` (float32); `missing`,
 *   the number for cells with nothing in them
 * @returns the names of the columns and the numbers, of shape [rows, columns]
 * @throws ArgumentError or DTypeError for other options
 * @example
 * ```js
 * import { decodeCsv } from 'tenfold/io';
 * const { right } = decodeCsv('x,"y, again"\n1,2\n3,4\n', { header: true });
 * right.columns; // => ['x', 'y, again']
 * right.values.toArray(); // => [[1, 2], [3, 4]]
 * decodeCsv('1,2\n3').left.given; // => '1 cells on line 2'
 * ```
 */
export const decodeCsv = (text: string | Uint8Array, options?: ReadCsvOptions): E.Either<FormatError, Csv> => {
  const settings = checkReading('decodeCsv', options);
  const given: Checked<string> =
    typeof text === 'string'
      ? E.right(text)
      : isBytes(text)
        ? textOf(text)
        : refuse(kindOf(text), 'it takes text', 'Give a string, or a Uint8Array of UTF-8.');
  return pipe(
    given,
    E.chain(decoded => parse(decoded, settings)),
    E.mapLeft(faultOf('decodeCsv')),
  );
};

/**
 * A task that reads the numbers of a CSV file, as {@link decodeCsv} does.
 *
 * @param source the path, URL, Blob, Response or bytes of the file
 * @param options as decodeCsv takes them
 * @returns a task to be called; a FormatError when the file cannot be read, and for a cell that is no number
 * @throws ArgumentError for what is no source; ArgumentError or DTypeError for other options
 * @example
 * ```js
 * import { readCsv } from 'tenfold/io';
 * const { right } = await readCsv(new Blob(['1;2\n3;\n']), { delimiter: ';', missing: 0 })();
 * right.values.toArray(); // => [[1, 2], [3, 0]]
 * ```
 */
export const readCsv = (source: Source, options?: ReadCsvOptions): TE.TaskEither<FormatError, Csv> => {
  checkSource('readCsv', source);
  const settings = checkReading('readCsv', options);
  return pipe(
    readSource('readCsv', source),
    TE.chainEitherK(({ place, bytes }) =>
      pipe(
        textOf(bytes),
        E.chain(text => parse(text, settings)),
        E.mapLeft(faultOf('readCsv', place)),
      ),
    ),
  );
};

// ---- Encoding -----------------------------------------------------------------------------------------------------

interface Table {
  readonly node: Node;
  readonly columns: readonly string[] | undefined;
  readonly delimiter: string;
}

const checkTable = (operation: string, values: Tensor, options: WriteCsvOptions | undefined): Table => {
  const node = nodeFrom(operation, values);
  checkArgument(
    values.shape.length === 2,
    operation,
    showAval(values),
    'a table has shape [rows, columns]',
    'Reshape it.',
  );
  checkOptions(operation, ['columns', 'delimiter'], options);
  const { columns, delimiter } = options ?? {};
  checkArgument(
    columns === undefined ||
      (Array.isArray(columns) && columns.length === values.shape[1] && columns.every(name => typeof name === 'string')),
    operation,
    `${kindOf(columns)} as the columns`,
    `they are ${values.shape[1]} strings, as there are columns`,
    "Write { columns: ['x', 'y'] }.",
  );
  return { node, columns, delimiter: checkDelimiter(operation, delimiter) };
};

/** The shortest text of 7 to 9 digits that is the same float32. */
const shortest = (value: number): string => {
  for (const digits of [7, 8]) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(9)));
};

const cellOf = (value: number, isSingle: boolean): string => {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0';
  return isSingle ? shortest(value) : String(value);
};

const format = ({ node, columns, delimiter }: Table, array: TypedArray): string => {
  const [rows, width] = node.shape as readonly [number, number];
  const isSingle = node.dtype === 'float32';
  const isSpecial = (name: string): boolean => /["\r\n\ufeff]/.test(name) || name.includes(delimiter);
  const names = columns?.map(name => (isSpecial(name) ? `"${name.replaceAll('"', '""')}"` : name));
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from(array.subarray(row * width, (row + 1) * width), value => cellOf(value, isSingle)).join(delimiter),
  );
  return [...(names === undefined ? [] : [names.join(delimiter)]), ...lines].map(line => `${line}\n`).join('');
};

/**
 * A table of numbers as comma-separated values, with as many digits as it takes to read the same numbers.
 *
 * @param values of shape [rows, columns]
 * @param options `columns`, their names, for a first row; `delimiter` (a comma)
 * @throws ArgumentError for another shape, and for other options
 * @throws TraceError inside a function that is being traced
 * @throws DeviceError for a tensor on a device that can only be read asynchronously
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { encodeCsv } from 'tenfold/io';
 * encodeCsv(tensor([[0.1, 2]]), { columns: ['x', 'y'] }); // => 'x,y\n0.1,2\n'
 * ```
 */
export const encodeCsv = (values: Tensor, options?: WriteCsvOptions): string => {
  const table = checkTable('encodeCsv', values, options);
  return format(table, elementsNow('encodeCsv', [table.node])[0]!);
};

/**
 * A task that writes a table of numbers to a CSV file, in Node. The file is never there in part: if the task fails or is
 * cut off, an older file of that name stays as it was.
 *
 * @param path of the file, in a folder that exists
 * @param values of shape [rows, columns]
 * @param options as {@link encodeCsv} takes them
 * @returns a task to be called; a FormatError when the file cannot be written
 * @throws ArgumentError for what is no path, another shape, and for other options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { readCsv, writeCsv } from 'tenfold/io';
 * import { tmpdir } from 'node:os';
 * const path = `${tmpdir()}/tenfold-example.csv`;
 * await writeCsv(path, tensor([[1, 2]]), { columns: ['x', 'y'] })();
 * (await readCsv(path, { header: true })()).right.columns; // => ['x', 'y']
 * ```
 */
export const writeCsv = (path: string, values: Tensor, options?: WriteCsvOptions): TE.TaskEither<FormatError, void> => {
  checkPath('writeCsv', path);
  const table = checkTable('writeCsv', values, options);
  return writeFile('writeCsv', path, async () =>
    new TextEncoder().encode(format(table, (await arraysOf([table.node]))[0]!)),
  );
};
