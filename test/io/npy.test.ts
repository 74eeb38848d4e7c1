import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { cast, type DType, FormatError, type Tensor, tensor } from 'tenfold';
import { decodeNpy, encodeNpy, encodeNpz, readNpz } from 'tenfold/io';
import { describe, expect, test } from 'vitest';
import { expectSame, leftOf, rightOf } from './helpers.js';

interface Saved {
  readonly read: readonly { readonly name: string; readonly file: string; readonly values: unknown }[];
  readonly written: readonly { readonly dtype: DType; readonly shape: readonly number[]; readonly file: string }[];
  readonly archives: Readonly<Record<'stored' | 'compressed', string>>;
}

/** Files that NumPy has written; made by numpy_files.py. */
const saved: Saved = JSON.parse(readFileSync(new URL('./numpy_files.json', import.meta.url), 'utf8'));

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'base64'));

const dtypeOf = (name: string): DType | undefined =>
  (({ f8: 'float64', f4: 'float32', f2: 'float32', u1: 'uint8', b1: 'bool' }) as Record<string, DType | undefined>)[
    name.slice(-2)
  ] ?? (/^[<>]i/.test(name) ? 'int32' : /^[<>]u/.test(name) ? 'uint32' : undefined);

describe('arrays that NumPy has written', () => {
  test.each(saved.read)('$name', ({ name, file, values }) => {
    const x = rightOf(decodeNpy(bytesOf(file)));
    expect(x.toArray()).toEqual(values);
    if (dtypeOf(name) !== undefined) expect(x.dtype).toBe(dtypeOf(name));
  });

  test('64-bit integers as float64', () => {
    const { file, values } = saved.read.find(({ name }) => name === '>i8')!;
    const x = rightOf(decodeNpy(bytesOf(file), { longIntegers: 'float64' }));
    expect([x.dtype, x.toArray()]).toEqual(['float64', values]);
  });

  test.each(saved.written)('$dtype of shape $shape is written as NumPy does', ({ dtype, shape, file }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const x = cast(
      tensor(
        Float32Array.from({ length: size }, (_, i) => i % 2),
        shape,
      ) as Tensor,
      dtype,
    );
    expect(encodeNpy(x)).toEqual(bytesOf(file));
  });

  test.each(['stored', 'compressed'] as const)('an archive, %s', async kind => {
    const { x, labels, on } = rightOf(await readNpz(bytesOf(saved.archives[kind]))());
    expectSame(
      x,
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expectSame(labels, tensor([5, 6], { dtype: 'int32' }));
    expectSame(on, tensor(true));
  });
});

/** A file with this header. */
const fileOf = (header: string, data: readonly number[] = [], version = 1): Uint8Array => {
  const wide = version > 1;
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array((wide ? 12 : 10) + text.length + data.length);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0]);
  const view = new DataView(file.buffer);
  if (wide) view.setUint32(8, text.length, true);
  else view.setUint16(8, text.length, true);
  file.set(text, wide ? 12 : 10);
  file.set(data, (wide ? 12 : 10) + text.length);
  return file;
};

const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe('headers', () => {
  test('in another order, with other quotes and without a last comma', () => {
    const file = fileOf(`{"shape":(2L,),"descr":"|u1","fortran_order":True}`, [7, 8], 3);
    expectSame(rightOf(decodeNpy(file)), tensor([7, 8], { dtype: 'uint8' }));
  });

  test('longer than version 1 has room for', () => {
    const file = fileOf(header("'|u1'", '(1,)').padEnd(70_000), [7], 2);
    expectSame(rightOf(decodeNpy(file)), tensor([7], { dtype: 'uint8' }));
  });

  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), '0 bytes that start otherwise'],
    ['another version', fileOf('', [0, 0], 4), 'version 4.0'],
    ['a header that is cut off', fileOf('{  ').fill(255, 8, 9), 'a header of 255 bytes'],
    ['no dictionary', fileOf('[1, 2]      '), 'the header'],
    ['a dictionary without an end', fileOf("{'descr': '|u1', "), 'the header'],
    ['nothing in it', fileOf('{}          '), 'a header without a dtype'],
    ['an unknown name', fileOf("{'descr': '|u1', 'fortran_order': False, 'shape': (), 'x': '1'}", [1]), 'the header'],
    ['a name twice', fileOf("{'descr': '|u1', 'descr': '|u1'}"), "'descr' twice"],
    ['records', fileOf(header("[('a', '<f4')]", '()')), 'Arrays of records or objects are not read'],
    ['objects', fileOf(header("'|O'", '()')), "the dtype '|O'"],
    ['complex numbers', fileOf(header("'<c8'", '()')), "the dtype '<c8'"],
    ['a dtype of Object', fileOf(header("'<constructor'", '()')), "the dtype '<constructor'"],
    ['no byte order', fileOf(header("'|f4'", '()')), "the dtype '|f4'"],
    ['no order', fileOf("{'descr': '|u1', 'shape': ()}"), 'without fortran_order'],
    ['a number as the shape', fileOf(header("'|u1'", '(1)'), [1]), "the shape '(1)'"],
    ['a negative length', fileOf(header("'|u1'", '(-1,)'), [1]), 'the header'],
    ['a length beyond all integers', fileOf(header("'|u1'", '(99999999999999999,)')), 'the shape'],
    ['two commas', fileOf(header("'|u1'", '(1,,)'), [1]), "the shape '(1,,)'"],
    ['too many axes', fileOf(header("'|u1'", `(${'1,'.repeat(65)})`), [1]), '65 axes'],
    ['less data than the shape', fileOf(header("'<f4'", '(2,)'), [0, 0, 0, 0]), '4 bytes of elements'],
    ['more data than the shape', fileOf(header("'|u1'", '(2,)'), [0, 0, 0]), '3 bytes of elements'],
    ['an absurd shape', fileOf(header("'<f8'", '(9007199254740991, 9007199254740991)')), 'takes'],
    ['a truth value of 2', fileOf(header("'|b1'", '(2,)'), [1, 2]), 'the byte 2 at element 1'],
    [
      'an integer that does not fit',
      fileOf(header("'<i8'", '(1,)'), [0, 0, 0, 128, 0, 0, 0, 0]),
      '2147483648 at element 0; I64 becomes int32',
    ],
  ])('%s', (_, file, message) => {
    const error = leftOf(decodeNpy(file));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(message);
  });
});

describe('archives', () => {
  const arrays = { x: tensor([1, 2, 3]), 'a/é': tensor([[true]]), '': tensor(new Float64Array(100).fill(2)) };

  test.each([false, true])('are read as they are written, compressed: %s', async compress => {
    const file = rightOf(await encodeNpz(arrays, { compress })());
    const found = rightOf(await readNpz(file)());
    expect(Object.keys(found)).toEqual(Object.keys(arrays));
    for (const [name, x] of Object.entries(arrays)) expectSame(found[name], x);
    expect(rightOf(await encodeNpz(arrays, { compress })())).toEqual(file);
  });

  test('every changed or missing byte of the contents is noticed', async () => {
    const file = rightOf(await encodeNpz({ x: tensor([1, 2]) })());
    for (let at = 35; at < 160; at++) {
      const changed = file.slice();
      changed[at]! ^= 1;
      expect(leftOf(await readNpz(changed)()).given, `byte ${at}`).toContain("'x.npy' with another checksum");
    }
    for (let length = 0; length < file.length; length += 7) leftOf(await readNpz(file.slice(0, length))());
  });

  test('what unpacks to more than is allowed is refused before it is unpacked', async () => {
    const file = rightOf(await encodeNpz({ x: tensor(new Float32Array(10_000)) }, { compress: true })());
    const error = leftOf(await readNpz(file, { maxBytes: 10_000 })());
    expect(error.message).toContain('40128 bytes, unpacked in the bytes; at most 10000 are read');
  });

  /** The archive with another 32-bit number at a place of its first record in the directory. */
  const withField = (file: Uint8Array, field: number, value: number): Uint8Array => {
    const changed = file.slice();
    const view = new DataView(changed.buffer);
    view.setUint32(view.getUint32(file.length - 6, true) + field, value, true);
    return changed;
  };

  test.each<[string, boolean, number, number, string]>([
    ['a size beyond what deflate can make', true, 24, 2 ** 31, 'deflate makes at most 1032 of one'],
    ['more than it says', true, 24, 100, 'more than 100 bytes where they are decompressed'],
    ['less than it says', true, 24, 200, '136 bytes where they are decompressed'],
    ['a file beyond the end', false, 42, 2 ** 31, 'has a header of its own'],
    ['packed data beyond the end', true, 20, 2 ** 20, 'files lie before the directory'],
    ['a size in the extension', false, 24, 2 ** 32 - 1, 'ZIP64'],
    ['another method', false, 10, 14, 'of method 14'],
    ['a password', false, 8, 1, 'encrypted'],
  ])('%s', async (_, compress, field, value, message) => {
    const file = rightOf(await encodeNpz({ x: tensor([1, 2]) }, { compress })());
    expect(leftOf(await readNpz(withField(file, field, value))()).message).toContain(message);
  });

  test('the extension for large files, in the end record or before it', async () => {
    const file = rightOf(await encodeNpz({ x: tensor([1, 2]) })());
    const end = file.length - 22;
    const many = file.slice();
    new DataView(many.buffer).setUint16(end + 10, 0xffff, true);
    const far = file.slice();
    new DataView(far.buffer).setUint32(end + 16, 2 ** 32 - 1, true);
    const extended = new Uint8Array(file.length + 76);
    extended.set(file.subarray(0, end));
    new DataView(extended.buffer).setUint32(end, 0x06064b50, true);
    new DataView(extended.buffer).setUint32(end + 56, 0x07064b50, true);
    extended.set(file.subarray(end), end + 76);
    for (const large of [many, far, extended]) {
      expect(leftOf(await readNpz(large)()).message).toContain('the ZIP64 extension is not read');
    }
  });

  test.each([false, true])(
    'written to a stream, sizes and checksum behind the contents, compressed: %s',
    async compress => {
      const file = rightOf(await encodeNpz({ x: tensor([1, 2]) }, { compress })());
      const view = new DataView(file.buffer);
      const start = view.getUint32(file.length - 6, true);
      const streamed = new Uint8Array(file.length + 16);
      streamed.set(file.subarray(0, start));
      const there = new DataView(streamed.buffer);
      there.setUint16(6, view.getUint16(6, true) | 8, true);
      there.setUint32(start, 0x08074b50, true);
      streamed.set(file.subarray(14, 26), start + 4);
      streamed.fill(0, 14, 26);
      streamed.set(file.subarray(start), start + 16);
      there.setUint16(start + 16 + 8, view.getUint16(start + 8, true) | 8, true);
      there.setUint32(streamed.length - 6, start + 16, true);
      expectSame(rightOf(await readNpz(streamed)()).x, tensor([1, 2]));
    },
  );

  test('the same file twice in the directory', async () => {
    const file = rightOf(await encodeNpz({ x: tensor([1]), y: tensor([2]) })());
    const view = new DataView(file.buffer);
    const directory = view.getUint32(file.length - 6, true);
    view.setUint32(directory + 51 + 42, 0, true);
    expect(leftOf(await readNpz(file)()).message).toContain('inside another');
    file[directory + 51 + 46] = 'x'.charCodeAt(0);
    expect(leftOf(await readNpz(file)()).message).toContain("'x.npy' twice");
  });
});

test('decode undoes encode, whatever the shape', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 4 }), shape => {
      const size = shape.reduce((product, length) => product * length, 1);
      const x = tensor(Float64Array.from({ length: size }, Math.sin), shape) as Tensor;
      expectSame(rightOf(decodeNpy(encodeNpy(x))), x);
    }),
  );
});
