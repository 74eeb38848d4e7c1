import fc from 'fast-check';
import { type DType, type Tensor, tensor } from 'tenfold';
import { decodeSafetensors, type ElementType, encodeSafetensors, type StoredType } from 'tenfold/io';
import { describe, expect, test } from 'vitest';
import { caught } from '../helpers.js';
import { leftOf, rightOf } from './helpers.js';

const widths: Record<ElementType, number> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, F8_E5M2: 1, F8_E4M3: 1 },
  ...{ I64: 8, I32: 4, I16: 2, I8: 1 },
  ...{ U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
};

/** A file of one tensor x of these bytes. */
const fileOf = (type: ElementType, bytes: Uint8Array): Uint8Array => {
  const shape = [bytes.length / widths[type]];
  const json = JSON.stringify({ x: { dtype: type, shape, data_offsets: [0, bytes.length] } });
  const header = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const file = new Uint8Array(8 + header.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(bytes, 8 + header.length);
  return file;
};

const dataOf = (file: Uint8Array): Uint8Array =>
  file.slice(8 + Number(new DataView(file.buffer).getBigUint64(0, true)));

const read = (type: ElementType, array: ArrayBufferView, longIntegers?: 'float64'): Tensor =>
  rightOf(decodeSafetensors(fileOf(type, new Uint8Array(array.buffer as ArrayBuffer)), { longIntegers })).tensors.x!;

const written = (type: StoredType, x: Tensor): Uint8Array => dataOf(encodeSafetensors({ x }, {}, { x: type }));

const all16 = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);

/** The value of a half by its definition. */
const halfValue = (bits: number): number => {
  const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
};

const bfloatValue = (bits: number): number => {
  const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 7) & 255, bits & 127];
  if (exponent === 255) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -133 : (1 + mantissa / 128) * 2 ** (exponent - 127));
};

describe('floats of 8 bits', () => {
  const all8 = Uint8Array.from({ length: 256 }, (_, i) => i);

  test('F8_E5M2 is half of a half', () => {
    const values = read('F8_E5M2', all8);
    expect([values.dtype, [...values.dataSync()]]).toEqual(['float32', [...all8].map(bits => halfValue(bits << 8))]);
  });

  test('F8_E4M3 has no infinity and more numbers', () => {
    const values = [...(read('F8_E4M3', all8).dataSync() as Float32Array)];
    expect(values.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(x => x / 512));
    expect([0x38, 0x39, 0x40, 0x7e, 0x7f, 0xb8, 0xfe, 0xff].map(bits => values[bits])).toEqual([
      ...[1, 1.125, 2, 448, Number.NaN, -1, -448, Number.NaN],
    ]);
    expect(Object.is(values[0x80], -0)).toBe(true);
    expect(values.slice(0, 127).every((x, i) => i === 0 || x > values[i - 1]!)).toBe(true);
  });

  test('are not written', () => {
    const types = { x: 'F8_E4M3' } as never;
    expect(caught(() => encodeSafetensors({ x: tensor([1]) }, {}, types)).message).toContain(
      "the string F8_E4M3 as the type of 'x'; float32 is stored as F32 or F16 or BF16",
    );
  });
});

describe.each([
  ['F16', halfValue],
  ['BF16', bfloatValue],
] as const)('%s', (type, valueOf16) => {
  const values = read(type, all16);

  test('each of its values is read exactly', () => {
    expect(values.dtype).toBe('float32');
    expect([...values.dataSync()]).toEqual([...all16].map(valueOf16));
  });

  test('each of its values is written as it was, NaN with its bits', () => {
    expect(new Uint16Array(written(type, values).buffer)).toEqual(all16);
  });

  test('other numbers are written as the nearest, ties to even', () => {
    const infinity = type === 'F16' ? 0x7c00 : 0x7f80;
    const finite = Array.from({ length: infinity }, (_, bits) => valueOf16(bits));
    // Beyond the largest, infinity stands for the next power of two.
    const points = [...finite, 2 * finite[infinity - 1]! - finite[infinity - 2]!];
    const nearest = (value: number): number => {
      let [low, high] = [0, infinity];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (points[middle]! <= value) low = middle;
        else high = middle;
      }
      if (value >= points[infinity]!) return infinity;
      const [below, above] = [value - points[low]!, points[high]! - value];
      return below < above || (below === above && low % 2 === 0) ? low : high;
    };
    const ties = Array.from({ length: 2000 }, (_, i) => (i * 7919) % (infinity - 1)).map(
      bits => (points[bits]! + points[bits + 1]!) / 2,
    );
    const random = fc.sample(fc.float({ min: 0, noNaN: true }), { numRuns: 5000, seed: 1 });
    const numbers = Float32Array.from([...ties, ...random, 2 ** -25, 2 ** -149, 65519, 65520, 3.4e38]);
    const found = new Uint16Array(written(type, tensor(numbers)).buffer);
    expect([...found]).toEqual([...numbers].map(nearest));
    const negative = new Uint16Array(written(type, tensor(numbers.map(x => -x))).buffer);
    expect([...negative]).toEqual([...numbers].map(value => nearest(value) | 0x8000));
  });

  test('a NaN of which only low bits are set stays one', () => {
    const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer);
    const [a, b] = new Uint16Array(written(type, tensor(nan)).buffer);
    expect([valueOf16(a!), valueOf16(b!)]).toEqual([Number.NaN, Number.NaN]);
  });
});

const extremes: readonly (readonly [StoredType, DType, ArrayBufferView, readonly number[]])[] = [
  ['I64', 'int32', BigInt64Array.of(-(2n ** 31n), -1n, 0n, 2n ** 31n - 1n), [-(2 ** 31), -1, 0, 2 ** 31 - 1]],
  ['I16', 'int32', Int16Array.of(-32768, -1, 32767), [-32768, -1, 32767]],
  ['I8', 'int32', Int8Array.of(-128, -1, 127), [-128, -1, 127]],
  ['U64', 'uint32', BigUint64Array.of(0n, 2n ** 32n - 1n), [0, 2 ** 32 - 1]],
  ['U16', 'uint32', Uint16Array.of(0, 65535), [0, 65535]],
];

describe('integers', () => {
  test.each(extremes)('%s becomes %s and back', (type, dtype, array, values) => {
    const x = read(type, array);
    expect([x.dtype, x.toArray()]).toEqual([dtype, values]);
    expect(written(type, x)).toEqual(new Uint8Array(array.buffer as ArrayBuffer));
  });

  test.each([
    ['I64', BigInt64Array.of(0n, 2n ** 31n)],
    ['I64', BigInt64Array.of(0n, -(2n ** 31n) - 1n)],
    ['I64', BigInt64Array.of(0n, -(2n ** 63n))],
    ['U64', BigUint64Array.of(0n, 2n ** 32n)],
    ['U64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ] as const)('%s out of range names the tensor and the element, or is float64', (type, array) => {
    const error = leftOf(decodeSafetensors(fileOf(type, new Uint8Array(array.buffer))));
    expect(error.given).toBe(`${array[1]} at element 1 of the tensor 'x'`);
    const x = read(type, array, 'float64');
    expect([x.dtype, x.toArray()]).toEqual(['float64', Array.from(array, Number)]);
  });

  test('as float64 they are the nearest', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value => {
        expect(read('I64', BigInt64Array.of(value), 'float64').toArray()).toEqual([Number(value)]);
        const unsigned = BigInt.asUintN(64, value);
        expect(read('U64', BigUint64Array.of(unsigned), 'float64').toArray()).toEqual([Number(unsigned)]);
      }),
    );
  });

  test.each<[StoredType, Tensor, string]>([
    ['I16', tensor([0, 32768], { dtype: 'int32' }), '32768 at element 1'],
    ['I8', tensor([-129], { dtype: 'int32' }), '-129 at element 0'],
    ['U16', tensor([65536], { dtype: 'uint32' }), '65536 at element 0'],
  ])('%s does not hold what is too large', (type, x, message) => {
    expect(caught(() => written(type, x)).message).toContain(`${message} of the tensor 'x'; ${type} holds`);
  });
});

test('a type of another dtype, or of no tensor', () => {
  const x = tensor([1, 2]);
  expect(caught(() => written('I64', x)).message).toContain("I64 as the type of 'x'; float32 is stored as F32 or F16");
  expect(caught(() => encodeSafetensors({ x }, {}, { y: 'F16' })).message).toContain('there is no such tensor');
});
