import fc from 'fast-check';
import { FormatError, type Tensor, tensor, zeros } from 'tenfold';
import { decodeCsv, encodeCsv, type ReadCsvOptions, readCsv } from 'tenfold/io';
import { describe, expect, test } from 'vitest';
import { expectSame, leftOf, rightOf } from './helpers.js';

describe('decodeCsv', () => {
  test.each<[string, string, unknown, ReadCsvOptions?]>([
    [
      'rows',
      '1,2\n3,4\n',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'no last line break',
      '1,2\n3,4',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'line breaks of Windows',
      '1,2\r\n3,4\r\n',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['line breaks of old', '1\r2\r', [[1], [2]]],
    ['signs, points and exponents', '-1,+.5,2.,1e3,-2.5E-1', [[-1, 0.5, 2, 1000, -0.25]]],
    [
      'what is no finite number',
      'nan,inf,-Infinity',
      [[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ],
    ['blanks', ' 1 ,\t2', [[1, 2]]],
    ['what is nearly too large, and too small', '3.4028235e38,1e-400', [[3.4028234663852886e38, 0]]],
    [
      'quotes',
      '"1","2"\n"3",4',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'another delimiter',
      '1;2\n3;4',
      [
        [1, 2],
        [3, 4],
      ],
      { delimiter: ';' },
    ],
    ['tabs', '1\t2', [[1, 2]], { delimiter: '\t' }],
    [
      'nothing in a cell',
      '1,\n,""',
      [
        [1, 9],
        [9, 9],
      ],
      { missing: 9 },
    ],
    ['a byte order mark', '\ufeff1', [[1]]],
  ])('%s', (_, text, values, options) => {
    expect(rightOf(decodeCsv(text, options)).values.toArray()).toEqual(values);
    expect(rightOf(decodeCsv(new TextEncoder().encode(text), options)).values.toArray()).toEqual(values);
  });

  test('nothing has no rows', () => {
    expect(rightOf(decodeCsv('')).values.shape).toEqual([0, 0]);
    const { columns, values } = rightOf(decodeCsv('a,b\n', { header: true }));
    expect([columns, values.shape]).toEqual([
      ['a', 'b'],
      [0, 2],
    ]);
  });

  test('the dtype', () => {
    const { values } = rightOf(decodeCsv('4294967295\n0', { dtype: 'uint32' }));
    expectSame(values, tensor(Uint32Array.of(4294967295, 0), [2, 1]));
    expectSame(rightOf(decodeCsv('0.1', { dtype: 'float64' })).values, tensor(Float64Array.of(0.1), [1, 1]));
  });

  test.each<[string, string | Uint8Array, string, ReadCsvOptions?]>([
    ['a word', '1,2\n3,x', "'x' on line 2, column 2; a cell is a number"],
    ['nothing in a cell', '1,2\n3,', 'nothing on line 2, column 2'],
    ['an empty line', '1,2\n\n3,4', '1 cells on line 2; the rows before have 2'],
    ['too many cells', '1\n2,3', '2 cells on line 2'],
    ['an open quote', '1\n"2', 'a quote on line 2 that is not closed'],
    ['text after a quote', '1\n"2"3', "'3' after a closing quote on line 2"],
    ['a word after a cell of two lines', '"a\nb"\n\nx', "'x' on line 4", { header: true, missing: 1 }],
    ['a fraction', '1\n1.5', "'1.5' on line 2, column 1; int32 does not hold it", { dtype: 'int32' }],
    ['what float32 does not hold', '1\n-1e39', "'-1e39' on line 2, column 1; float32 does not hold it"],
    ['what float64 does not hold', '1e400', 'float64 does not hold it', { dtype: 'float64' }],
    ['hexadecimal', '0x10', "'0x10' on line 1"],
    ['no UTF-8', Uint8Array.of(255), '1 bytes that are no text'],
  ])('%s', (_, text, message, options) => {
    const error = leftOf(decodeCsv(text, options));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(message);
  });

  test('a cell of many digits and a letter takes no longer than others', async () => {
    const before = performance.now();
    leftOf(decodeCsv(`${'1'.repeat(200_000)}x`));
    leftOf(await readCsv(new Blob([`${'1,'.repeat(100_000)}x`]))());
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('encodeCsv', () => {
  test('names that need quotes', () => {
    const text = encodeCsv(zeros([1, 3]), { columns: ['a,b', 'c"d', 'e\nf'] });
    expect(text).toBe('"a,b","c""d","e\nf"\n0,0,0\n');
    expect(rightOf(decodeCsv(text, { header: true })).columns).toEqual(['a,b', 'c"d', 'e\nf']);
  });

  test.each(['float32', 'float64'] as const)('%s is read as it was', dtype => {
    const value = dtype === 'float32' ? fc.float() : fc.double();
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 2, maxLength: 12 }),
        fc.constantFrom(',', ';', '\t'),
        (list, delimiter) => {
          const even = list.slice(0, list.length - (list.length % 2));
          const array = dtype === 'float32' ? Float32Array.from(even) : Float64Array.from(even);
          const x = tensor(array, [even.length / 2, 2]) as Tensor;
          const { values } = rightOf(decodeCsv(encodeCsv(x, { delimiter }), { dtype, delimiter }));
          expect(values.shape).toEqual(x.shape);
          expect([...values.dataSync()]).toEqual([...x.dataSync()]);
        },
      ),
    );
  });

  test('integers have no point', () => {
    expect(encodeCsv(tensor([[1, -2]], { dtype: 'int32' }))).toBe('1,-2\n');
    expect(encodeCsv(tensor([[true, false]]))).toBe('1,0\n');
  });
});
