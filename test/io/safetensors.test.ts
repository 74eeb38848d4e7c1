import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { add, type DType, FormatError, type Tensor, type TypedArray, tensor, vmap, zeros } from 'tenfold';
import { decodeSafetensors, encodeSafetensors } from 'tenfold/io';
import { describe, expect, test } from 'vitest';
import { caught } from '../helpers.js';
import { leftOf, rightOf } from './helpers.js';

/** A file with this header, whatever it says. */
const fileOf = (header: string | Uint8Array, data: readonly number[] = []): Uint8Array => {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
};

const entry = (shape: unknown, begin: unknown, end: unknown, dtype: unknown = 'U8'): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

const headerOf = (file: Uint8Array): string => {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(file.slice(8, 8 + length));
};

const bitsOf = (x: Tensor): Uint8Array => {
  const { buffer, byteOffset, byteLength } = x.dataSync() as TypedArray;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

const same = (a: Tensor, b: Tensor): void => {
  expect([a.dtype, a.shape]).toEqual([b.dtype, b.shape]);
  expect(bitsOf(a)).toEqual(bitsOf(b));
};

const arrays: Record<DType, (bytes: Uint8Array) => TypedArray> = {
  float32: bytes => new Float32Array(bytes.buffer as ArrayBuffer),
  float64: bytes => new Float64Array(bytes.buffer as ArrayBuffer),
  int32: bytes => new Int32Array(bytes.buffer as ArrayBuffer),
  uint32: bytes => new Uint32Array(bytes.buffer as ArrayBuffer),
  uint8: bytes => bytes,
  bool: bytes => bytes.map(byte => byte & 1),
};
const widths: Record<DType, number> = { float32: 4, float64: 8, int32: 4, uint32: 4, uint8: 1, bool: 1 };

/** A tensor of any dtype and small shape, with any bits as its elements: NaN, infinities and −0 are among them. */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...(Object.keys(arrays) as DType[])), fc.array(fc.nat(4), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((size, n) => size * n, widths[dtype]);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map(bytes => tensor(arrays[dtype](bytes.slice()), shape, { dtype }) as Tensor);
  });

const anyName = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '10', '2', ''))
  .filter(name => name !== '__metadata__');

const record = <A>(value: fc.Arbitrary<A>): fc.Arbitrary<Record<string, A>> =>
  fc.array(fc.tuple(anyName, value), { maxLength: 5 }).map(members => Object.fromEntries(members));

describe('encode and decode', () => {
  test('decode undoes encode, bit for bit', () => {
    fc.assert(
      fc.property(record(anyTensor), record(fc.string({ unit: 'binary' })), (tensors, metadata) => {
        const read = rightOf(decodeSafetensors(encodeSafetensors(tensors, metadata)));
        expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, x] of Object.entries(tensors)) same(read.tensors[name]!, x);
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
    );
  });

  test('the bytes do not depend on the order of the record', () => {
    const [a, b] = [tensor([1, 2]), tensor([true])];
    const bytes = encodeSafetensors({ b, a, '10': b, '9': a }, { y: '1', x: '2' });
    expect(encodeSafetensors({ '9': a, a, '10': b, b }, { x: '2', y: '1' })).toEqual(bytes);
  });

  test('the layout: padded header, sorted names, large elements first', () => {
    const file = encodeSafetensors(
      {
        a: tensor(new Uint8Array([7])),
        b: tensor(2),
        c: tensor(new Float64Array([3])),
        d: tensor([true, false]),
      },
      { k: 'v' },
    );
    const header = headerOf(file);
    expect(header.length % 8).toBe(0);
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"k":"v"},' +
        `"a":${entry([1], 12, 13)},"b":${entry([], 8, 12, 'F32')},` +
        `"c":${entry([1], 0, 8, 'F64')},"d":${entry([2], 13, 15, 'BOOL')}}`,
    );
    expect([...file.slice(8 + header.length)]).toEqual([0, 0, 0, 0, 0, 0, 8, 64, 0, 0, 0, 64, 7, 1, 0]);
  });

  test('nothing at all is a file too', () => {
    const file = encodeSafetensors({});
    expect([file.length, headerOf(file)]).toEqual([16, '{}      ']);
    expect(rightOf(decodeSafetensors(file))).toEqual({ tensors: {}, metadata: {} });
  });

  test('values that are still to be computed, and shared', () => {
    const sum = add(tensor([1, 2]), 1);
    const { tensors } = rightOf(decodeSafetensors(encodeSafetensors({ sum, more: add(sum, sum) })));
    expect([tensors.sum!.toArray(), tensors.more!.toArray()]).toEqual([
      [2, 3],
      [4, 6],
    ]);
  });

  test('reads what another writer made, aligned or not', () => {
    const path = new URL('../golden/gaussian_diffusion.safetensors', import.meta.url);
    const file = new Uint8Array(readFileSync(path));
    const aligned = rightOf(decodeSafetensors(file)).tensors;
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    const other = rightOf(decodeSafetensors(shifted.subarray(3))).tensors;
    const names = Object.keys(aligned);
    expect(names.length).toBeGreaterThan(100);
    const header = JSON.parse(headerOf(file));
    const differing = Object.entries(aligned).filter(([name, x]) => {
      const y = other[name]!;
      const isSame = x.dtype === y.dtype && `${x.shape}` === `${y.shape}` && `${x.shape}` === `${header[name].shape}`;
      return !isSame || Buffer.compare(bitsOf(x), bitsOf(y)) !== 0;
    });
    expect(differing).toEqual([]);
    // Not the same reader twice: the elements as they lie in the file.
    const [begin, end] = header[names[0]!].data_offsets;
    expect(aligned[names[0]!]?.dtype).toBe('float64');
    const dataStart = 8 + headerOf(file).length;
    expect(aligned[names[0]!]?.dataSync()).toEqual(
      new Float64Array(file.slice(dataStart + begin, dataStart + end).buffer),
    );
  });

  test('the file may be written to afterwards', () => {
    for (const file of [encodeSafetensors({ x: tensor([5]) }), Buffer.from(encodeSafetensors({ x: tensor([5]) }))]) {
      const { x } = rightOf(decodeSafetensors(file)).tensors;
      file.fill(0);
      expect(x!.toArray()).toEqual([5]);
    }
  });

  test('a tensor named __proto__ is one like any other', () => {
    const { tensors, metadata } = rightOf(
      decodeSafetensors(fileOf(`{"__metadata__":{"__proto__":"m"},"__proto__":${entry([1], 0, 1)}}`, [9])),
    );
    expect(Object.keys(tensors)).toEqual(['__proto__']);
    expect(Object.getOwnPropertyDescriptor(tensors, '__proto__')?.value.toArray()).toEqual([9]);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
    expect(Object.keys(metadata)).toEqual(['__proto__']);
  });

  test('results are frozen', () => {
    const read = rightOf(decodeSafetensors(encodeSafetensors({ x: tensor([1]) }, { k: 'v' })));
    for (const value of [read, read.tensors, read.metadata, read.tensors.x?.shape]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });
});

describe('damaged files', () => {
  const a = entry([2], 0, 2);
  test.each<[string, Uint8Array, string]>([
    ['too short', new Uint8Array(7), 'got 7 bytes; a file starts with eight bytes'],
    ['a header beyond the file', fileOf('{}').fill(1, 0, 1), 'a header of 1'],
    ['a header as long as can be', new Uint8Array(16).fill(255, 0, 8), 'a header of 18446744073709551615 bytes'],
    ['no JSON', fileOf('{"a":'), 'a header of 5 bytes that cannot be read'],
    ['an empty header', fileOf(''), 'a header of 0 bytes that cannot be read'],
    ['no UTF-8', fileOf(Uint8Array.of(123, 34, 255, 34, 58, 49, 125)), 'a header of 7 bytes that cannot be read'],
    ['a byte order mark', fileOf('\ufeff{}'), 'that cannot be read'],
    ['an array', fileOf('[]'), 'got a header []; the header is a JSON object'],
    ['null', fileOf('null'), 'got a header null'],
    ['metadata that are no object', fileOf('{"__metadata__":3}'), '__metadata__ 3'],
    ['metadata that are no strings', fileOf('{"__metadata__":{"k":1}}'), '__metadata__ {"k":1}'],
    ['an entry that is no object', fileOf('{"a":[]}'), "[] for the tensor 'a'"],
    [
      'scales without a mantissa',
      fileOf(`{"a":${entry([1], 0, 1, 'F8_E8M0')}}`, [0]),
      'the dtype "F8_E8M0" for the tensor \'a\'',
    ],
    [
      'complex numbers',
      fileOf(`{"a":${entry([0], 0, 0, 'C64')}}`),
      'F64, F32, F16, BF16, F8_E5M2, F8_E4M3, I64, I32, I16, I8, U64',
    ],
    [
      'a long integer that does not fit',
      fileOf(`{"a":${entry([2], 0, 16, 'I64')}}`, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0]),
      "2147483648 at element 1 of the tensor 'a'; I64 becomes int32 where all of its elements fit",
    ],
    ['a dtype of Object', fileOf(`{"a":${entry([0], 0, 0, 'constructor')}}`), 'the dtype "constructor"'],
    ['no dtype', fileOf('{"a":{"shape":[0],"data_offsets":[0,0]}}'), 'the dtype undefined'],
    ['no shape', fileOf('{"a":{"dtype":"U8","data_offsets":[0,0]}}'), 'the shape undefined'],
    ['a negative length', fileOf(`{"a":${entry([-1], 0, 1)}}`, [0]), 'the shape [-1]'],
    ['a fraction', fileOf(`{"a":${entry([0.5], 0, 1)}}`, [0]), 'the shape [0.5]'],
    ['an endless shape', fileOf('{"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,1]}}', [0]), 'the shape [null]'],
    ['one offset', fileOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1]}}', [0]), 'the data_offsets [1]'],
    ['offsets in words', fileOf(`{"a":${entry([1], '0', '1')}}`, [0]), 'the data_offsets ["0","1"]'],
    ['offsets backwards', fileOf(`{"a":${entry([2], 2, 0)}}`, [0, 0]), '-2 bytes (data_offsets [2,0])'],
    ['another size than the shape', fileOf(`{"a":${entry([2], 0, 3)}}`, [0, 0, 0]), 'U8 of shape [2] takes 2 bytes'],
    ['a size in elements', fileOf(`{"a":${entry([2], 0, 2, 'F32')}}`, [0, 0]), 'F32 of shape [2] takes 8 bytes'],
    ['a size beyond all integers', fileOf(`{"a":${entry([2 ** 40, 2 ** 40], 0, 2)}}`, [0, 0]), 'takes'],
    ['a hole', fileOf(`{"a":${a},"b":${entry([1], 3, 4)}}`, [0, 0, 0, 0]), "'b' at byte 3, after a hole from 2"],
    ['a hole at the start', fileOf(`{"b":${entry([1], 1, 2)}}`, [0, 0]), "'b' at byte 1, after a hole from 0"],
    ['an overlap', fileOf(`{"a":${a},"b":${entry([2], 1, 3)}}`, [0, 0, 0]), "'b' at byte 1, inside another up to 2"],
    ['the same place twice', fileOf(`{"a":${a},"b":${a}}`, [0, 0]), "'b' at byte 0, inside another up to 2"],
    ['an end beyond the file', fileOf(`{"a":${a}}`, [0]), 'tensors of 2 bytes in a file with 1'],
    ['bytes left over', fileOf(`{"a":${a}}`, [0, 0, 0]), 'tensors of 2 bytes in a file with 3'],
    ['no tensors for the bytes', fileOf('{}', [0]), 'tensors of 0 bytes in a file with 1'],
    ['a name twice', fileOf(`{"a":${a},"a":${a}}`, [0, 0]), "the name 'a' twice in the header"],
    ['a name twice, written differently', fileOf(`{"a":${a},"\\u0061" :${a}}`, [0, 0]), "the name 'a' twice"],
    ['metadata twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), "the name '__metadata__' twice"],
    ['a name twice within an entry', fileOf('{"__metadata__":{"k":"{","k":"}"}}'), "the name 'k' twice"],
    ['a truth value of 2', fileOf(`{"a":${entry([2], 0, 2, 'BOOL')}}`, [1, 2]), 'the byte 2 at element 1'],
  ])('%s', (_, file, message) => {
    const error = leftOf(decodeSafetensors(file));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.operation).toBe('decodeSafetensors');
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  test('names that look like repeated ones and are not', () => {
    const header = `{"__metadata__":{"a":"\\"a\\":{","b":"a"},"a":${a},"dtype":${entry([0], 0, 0)}, "b" : ${entry([0], 2, 2)} }`;
    expect(Object.keys(rightOf(decodeSafetensors(fileOf(header, [1, 2]))).tensors)).toEqual(['a', 'dtype', 'b']);
  });

  test.each([undefined, null, 'file', 3, {}, [1], new ArrayBuffer(8), new Float32Array(4)])('%s is no file', value => {
    const error = leftOf(decodeSafetensors(value as never));
    expect(error.message).toContain('a file is a Uint8Array');
  });

  const whole = encodeSafetensors(
    { a: tensor([1, 2]), b: tensor([true, false]), 'c.0': zeros([2, 0], { dtype: 'int32' }) },
    { step: '3' },
  );

  test('every cut is noticed', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(isLeft(decodeSafetensors(whole.slice(0, length)))).toBe(true);
    }
  });

  test('changed bytes never throw, and what is read has a size that fits', () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(...'0123456789{}[]",:')));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), changes => {
        const file = whole.slice();
        for (const [at, to] of changes) file[at] = typeof to === 'number' ? to : to.charCodeAt(0);
        const read = decodeSafetensors(file);
        if (isLeft(read)) expect(read.left).toBeInstanceOf(FormatError);
        else for (const x of Object.values(read.right.tensors)) x.dataSync();
      }),
      { numRuns: 2000 },
    );
  });

  test('any bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, headed) => {
        expect(isLeft(decodeSafetensors(headed ? fileOf(bytes) : bytes)) || bytes.length > 1).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('any JSON in the header never throws', () => {
    fc.assert(
      fc.property(fc.dictionary(anyName, fc.jsonValue()), header => {
        decodeSafetensors(fileOf(JSON.stringify(header)));
      }),
    );
  });
});

describe('bad calls of encodeSafetensors', () => {
  test.each<[string, () => unknown, string]>([
    ['nothing', () => encodeSafetensors(undefined as never), 'got the undefined undefined; it takes tensors by name'],
    ['null', () => encodeSafetensors(null as never), 'got null'],
    ['an array', () => encodeSafetensors([tensor(1)] as never), 'got an array'],
    ['a tensor', () => encodeSafetensors(tensor(1) as never), 'got a tensor'],
    ['a number', () => encodeSafetensors({ w: 3 } as never), "got the number 3 as 'w'; every value is a tensor"],
    ['a nested tree', () => encodeSafetensors({ w: { v: tensor(1) } } as never), "got an object as 'w'"],
    ['the name of the metadata', () => encodeSafetensors({ __metadata__: tensor(1) }), "a tensor named '__metadata__'"],
    [
      'metadata of numbers',
      () => encodeSafetensors({}, { step: 3 } as never),
      "the number 3 as the metadata 'step'; metadata are strings by name",
    ],
  ])('%s', (_, call, message) => {
    const error = caught(call);
    expect(error._tag).toBe('ArgumentError');
    expect(error.operation).toBe('encodeSafetensors');
    expect(error.message).toContain(message);
  });

  test('a placeholder has no elements', () => {
    const error = caught(() =>
      vmap((x: Tensor) => {
        encodeSafetensors({ x });
        return x;
      })(tensor([1, 2])),
    );
    expect(error._tag).toBe('TraceError');
  });
});
