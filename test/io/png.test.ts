import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { decode, encode } from 'fast-png';
import { FormatError, type Tensor, tensor, zeros } from 'tenfold';
import { encodePng, readPng } from 'tenfold/io';
import { describe, expect, test } from 'vitest';
import { expectSame, leftOf, rightOf } from './helpers.js';

/** A picture of any size, channels and depth: noise, which needs no filter, or slopes, which need some. */
const picture = fc
  .record({
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1, 2, 3, 4),
    depth: fc.constantFrom(8, 16) as fc.Arbitrary<8 | 16>,
    slope: fc.boolean(),
  })
  .chain(({ height, width, channels, depth, slope }) => {
    const length = height * width * channels;
    const samples = fc.array(fc.nat(2 ** depth - 1), { minLength: length, maxLength: length });
    return samples.map(noise => ({
      ...{ height, width, channels, depth },
      samples: slope ? noise.map((_, i) => (i * 3) % 2 ** depth) : noise,
    }));
  });

interface Parts {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly depth: 8 | 16;
  readonly samples: readonly number[];
}

const imageOf = ({ height, width, channels, depth, samples }: Parts): Tensor =>
  tensor(depth === 8 ? Uint8Array.from(samples) : Uint32Array.from(samples), [height, width, channels]) as Tensor;

describe('against fast-png', () => {
  test('it reads what is written here', () =>
    fc.assert(
      fc.asyncProperty(picture, async parts => {
        const { width, height, channels, depth, data } = decode(rightOf(await encodePng(imageOf(parts))()));
        expect({ width, height, channels, depth, samples: [...data] }).toEqual(parts);
      }),
      { numRuns: 200 },
    ));

  test('what it writes is read here', () =>
    fc.assert(
      fc.asyncProperty(picture, async parts => {
        const data = parts.depth === 8 ? Uint8Array.from(parts.samples) : Uint16Array.from(parts.samples);
        expectSame(rightOf(await readPng(encode({ ...parts, data }))()), imageOf(parts));
      }),
      { numRuns: 200 },
    ));
});

test('a picture without channels is grey', async () => {
  const image = tensor(Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  const found = rightOf(await readPng(rightOf(await encodePng(image)()))());
  expectSame(found, tensor(Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3, 1]));
});

const crcOf = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
};

const chunk = (type: string, data: ArrayLike<number> = []): Uint8Array => {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crcOf(bytes.subarray(4, 8 + data.length)));
  return bytes;
};

const header = (width: number, height: number, bits: number, colour: number, interlace = 0): Uint8Array => {
  const data = new Uint8Array(13);
  new DataView(data.buffer).setUint32(0, width);
  new DataView(data.buffer).setUint32(4, height);
  data.set([bits, colour, 0, 0, interlace], 8);
  return chunk('IHDR', data);
};

const pixels = (...rows: readonly number[]): Uint8Array => chunk('IDAT', deflateSync(Uint8Array.from(rows)));

const fileOf = (...chunks: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, ...chunks.flatMap(each => [...each]), ...chunk('IEND')]);

describe('what becomes of', () => {
  test.each<[string, Uint8Array, unknown]>([
    ['one bit', fileOf(header(10, 1, 1, 0), pixels(0, 0b10100000, 0b01000000)), [255, 0, 255, 0, 0, 0, 0, 0, 0, 255]],
    ['two bits', fileOf(header(4, 1, 2, 0), pixels(0, 0b00011011)), [0, 85, 170, 255]],
    ['four bits', fileOf(header(3, 1, 4, 0), pixels(0, 0x0f, 0x70)), [0, 255, 119]],
    ['a palette', fileOf(header(2, 1, 8, 3), chunk('PLTE', [1, 2, 3, 4, 5, 6]), pixels(0, 1, 0)), [4, 5, 6, 1, 2, 3]],
    [
      'a palette with alphas',
      fileOf(header(2, 1, 4, 3), chunk('PLTE', [1, 2, 3, 4, 5, 6]), chunk('tRNS', [9]), pixels(0, 0x10)),
      [4, 5, 6, 255, 1, 2, 3, 9],
    ],
    ['other chunks', fileOf(header(1, 1, 8, 0), chunk('tEXt', [1]), pixels(0, 7), chunk('tIME', [1])), [7]],
    [
      'data in parts',
      fileOf(header(1, 1, 8, 0), ...[...deflateSync(Uint8Array.of(0, 7))].map(x => chunk('IDAT', [x]))),
      [7],
    ],
  ])('%s', async (_, file, values) => {
    expect([...rightOf(await readPng(file)()).dataSync()]).toEqual(values);
  });
});

describe('interlaced', () => {
  /** The pass of each of 8 by 8 pixels, as the specification draws it. */
  const passes = ['16462646', '77777777', '56565656', '77777777', '36463646', '77777777', '56565656', '77777777'];

  /** The file of samples, each row filtered by its difference from the pixel before. */
  const interlaced = (width: number, height: number, bits: number, colour: number, samples: readonly number[]) => {
    const channels = samples.length / (width * height);
    const step = Math.max(1, (channels * bits) / 8);
    const rows = [1, 2, 3, 4, 5, 6, 7].flatMap(pass =>
      Array.from({ length: height }, (_, y) => {
        const own = samples.filter((_, i) => {
          const pixel = Math.floor(i / channels);
          return Math.floor(pixel / width) === y && passes[y % 8]![(pixel % width) % 8] === String(pass);
        });
        const text = own.map(sample => sample.toString(2).padStart(bits, '0')).join('');
        const bytes = (text.match(/.{1,8}/g) ?? []).map(byte => Number.parseInt(byte.padEnd(8, '0'), 2));
        return bytes.length === 0 ? [] : [1, ...bytes.map((byte, i) => (byte - (bytes[i - step] ?? 0)) & 255)];
      }).flat(),
    );
    return fileOf(header(width, height, bits, colour, 1), pixels(...rows));
  };

  test('of all sizes, channels and depths, as fast-png reads them', () =>
    fc.assert(
      fc.asyncProperty(picture, async parts => {
        const { width, height, channels, depth, samples } = parts;
        const file = interlaced(width, height, depth, [0, 0, 4, 2, 6][channels]!, samples);
        expect([...decode(file).data]).toEqual(samples);
        expectSame(rightOf(await readPng(file)()), imageOf(parts));
      }),
      { numRuns: 200 },
    ));

  test.each([1, 2, 4])('of %i bits', async bits => {
    for (const [width, height] of [
      [1, 1],
      [5, 3],
      [9, 8],
      [17, 10],
    ] as const) {
      const samples = Array.from({ length: width * height }, (_, i) => (i * i + (i >> 2)) % 2 ** bits);
      const found = rightOf(await readPng(interlaced(width, height, bits, 0, samples))());
      expect(found.shape).toEqual([height, width, 1]);
      expect([...found.dataSync()]).toEqual(samples.map(sample => (sample * 255) / (2 ** bits - 1)));
    }
  });
});

describe('refused:', () => {
  const good = [header(1, 1, 8, 0), pixels(0, 7)] as const;
  test.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), '0 bytes that start otherwise'],
    ['another format', new Uint8Array(100), 'that start otherwise'],
    ['no end', fileOf(...good).slice(0, -12), 'without an end'],
    ['a chunk beyond the end', fileOf(chunk('IHDR').fill(127, 0, 4)), 'a chunk of 2139062143 bytes'],
    ['a chunk without a name', fileOf(chunk('IH\0R')), 'without a name'],
    ['a changed chunk', fileOf(good[0].with(17, 2), good[1]), 'IHDR with another checksum'],
    ['no header', fileOf(good[1]), 'the first is IHDR'],
    ['a short header', fileOf(chunk('IHDR', [0, 0])), 'IHDR of 2 bytes'],
    ['two headers', fileOf(good[0], ...good), 'IHDR twice'],
    ['no width', fileOf(header(0, 1, 8, 0), good[1]), '0 by 1 pixels'],
    ['too many pixels', fileOf(header(2 ** 31 - 1, 2 ** 31 - 1, 8, 6), good[1]), '268435456 bytes at most'],
    [
      'more pixels than there are',
      fileOf(header(2 ** 14, 2 ** 14, 8, 0), good[1]),
      '2 bytes where they are decompressed',
    ],
    ['fewer pixels than there are', fileOf(good[0], pixels(0, 1, 2)), 'more than 2 bytes'],
    ['another interlacing', fileOf(header(1, 1, 8, 0, 2), good[1]), 'the interlace method 2'],
    ['rows of fewer passes', fileOf(header(2, 1, 8, 0, 1), pixels(0, 7)), '2 bytes where they are decompressed'],
    ['12 bits', fileOf(header(1, 1, 12, 0), good[1]), '12 bits of colour type 0'],
    ['colour type 5', fileOf(header(1, 1, 8, 5), good[1]), '8 bits of colour type 5'],
    ['an unknown chunk that matters', fileOf(good[0], chunk('ABCD'), good[1]), 'the chunk ABCD'],
    ['no pixels', fileOf(good[0]), 'no chunk IDAT'],
    ['pixels in two places', fileOf(...good, chunk('tIME'), good[1]), 'chunks among IDAT'],
    ['a transparent colour', fileOf(good[0], chunk('tRNS', [0, 1]), good[1]), 'one colour that is transparent'],
    ['no palette', fileOf(header(1, 1, 8, 3), good[1]), 'without one'],
    ['a colour that there is not', fileOf(header(1, 1, 8, 3), chunk('PLTE', [1, 2, 3]), good[1]), 'the colour 7 of 1'],
    ['part of a palette', fileOf(header(1, 1, 8, 3), chunk('PLTE', [1, 2]), good[1]), 'a palette of 2 bytes'],
    ['a filter that there is not', fileOf(good[0], pixels(5, 1)), 'an unknown filter'],
    ['no deflate', fileOf(good[0], chunk('IDAT', [1, 2, 3])), 'contents that cannot be read'],
    ['half of the data', fileOf(good[0], chunk('IDAT', deflateSync(Uint8Array.of(0, 7)).subarray(0, 5))), 'bytes'],
  ])('%s', async (_, file, message) => {
    const error = leftOf(await readPng(file)());
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(message);
  });

  test('a small file of a very large picture', async () => {
    const file = fileOf(header(5000, 5000, 8, 0), chunk('IDAT', deflateSync(new Uint8Array(5000 * 5001))));
    expect(leftOf(await readPng(file, { maxBytes: 10 ** 6 })()).given).toContain('5000 by 5000 pixels');
    expect(rightOf(await readPng(file)()).shape).toEqual([5000, 5000, 1]);
  });

  test('a sample of 17 bits', async () => {
    const image = tensor(Uint32Array.of(65535, 65536), [1, 2]);
    expect(leftOf(await encodePng(image)()).given).toBe('the sample 65536 at element 1');
    expect(() => encodePng(zeros([2, 2]))).toThrow('a picture is uint8 or uint32');
  });
});
