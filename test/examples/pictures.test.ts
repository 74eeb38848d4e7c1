import { readFileSync } from 'node:fs';
import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { encodePng, filmStrip, grid, type Picture } from '../../examples/digits/pictures.js';

const pixel = (picture: Picture, x: number, y: number): number | undefined => picture.pixels[y * picture.width + x];

const rows = ({ width, height, pixels }: Picture): readonly (readonly number[])[] =>
  Array.from({ length: height }, (_, y) => [...pixels.subarray(y * width, (y + 1) * width)]);

/** The real digits, from 0..16 to [-1, 1]. */
const digits = (count: number): Float32Array => {
  const file = readFileSync(new URL('../../assets/digits/digits.safetensors', import.meta.url));
  const data = 8 + Number(file.readBigUInt64LE(0));
  return Float32Array.from(file.subarray(data, data + count * 64), value => value / 8 - 1);
};

describe('grid', () => {
  it('maps -1 to black and 1 to white, and clamps what lies outside', () => {
    const values = Float32Array.of(-1, 1, 0, 0.5, -0.5, -7, 7);
    const { pixels } = grid(values, { count: 1, height: 1, width: 7, columns: 1, scale: 1, gap: 0 });
    expect([...pixels]).toEqual([0, 255, 128, 191, 64, 0, 255]);
  });

  it('enlarges every pixel, puts grey between the images and leaves empty cells grey', () => {
    const values = Float32Array.of(-1, 1, 1, -1, 1, 1);
    const picture = grid(values, { count: 3, height: 1, width: 2, columns: 2, scale: 2, gap: 1 });
    expect(rows(picture)).toEqual([
      [0, 0, 255, 255, 128, 255, 255, 0, 0],
      [0, 0, 255, 255, 128, 255, 255, 0, 0],
      [128, 128, 128, 128, 128, 128, 128, 128, 128],
      [255, 255, 255, 255, 128, 128, 128, 128, 128],
      [255, 255, 255, 255, 128, 128, 128, 128, 128],
    ]);
  });

  it('keeps the rows of an image that is not square', () => {
    const picture = grid(Float32Array.of(-1, 0, 1, 1, 0, -1), {
      count: 1,
      height: 2,
      width: 3,
      columns: 4,
      scale: 1,
      gap: 5,
    });
    expect(rows(picture)).toEqual([
      [0, 128, 255],
      [255, 128, 0],
    ]);
  });

  it('refuses samples that contain NaN', () => {
    const values = Float32Array.of(0, Number.NaN, 0, Number.NaN);
    const options = { count: 1, height: 2, width: 2, columns: 1, scale: 1, gap: 0 };
    expect(() => grid(values, options)).toThrow(/samples contain NaN \(2 of 4 values, the first at index 1\)/);
  });

  it('refuses a length or an option that does not fit', () => {
    const options = { count: 1, height: 2, width: 2, columns: 1, scale: 1, gap: 0 };
    expect(() => grid(new Float32Array(3), options)).toThrow(/grid: got 3 values; 1 images of 2x2 take 4/);
    expect(() => grid(new Float32Array(4), { ...options, scale: 1.5 })).toThrow(/grid: scale is 1.5/);
    expect(() => grid(new Float32Array(4), { ...options, columns: 0 })).toThrow(/grid: columns is 0/);
    expect(() => grid(new Float32Array(4), { ...options, gap: -1 })).toThrow(/grid: gap is -1/);
  });

  it('does not change what it is given', () => {
    const values = Float32Array.of(-3, 3);
    grid(values, { count: 2, height: 1, width: 1, columns: 2, scale: 3, gap: 1 });
    expect([...values]).toEqual([-3, 3]);
  });
});

describe('filmStrip', () => {
  it('has one row for each sample and one column for each frame', () => {
    const frames = [Float32Array.of(-1, 1), Float32Array.of(0, -0.5), Float32Array.of(1, -1)];
    const picture = filmStrip(frames, { count: 2, height: 1, width: 1, scale: 1, gap: 0 });
    expect(rows(picture)).toEqual([
      [0, 128, 255],
      [255, 64, 0],
    ]);
  });

  it('refuses no frames, a frame of another length, and NaN', () => {
    const options = { count: 2, height: 1, width: 1, scale: 1, gap: 0 };
    expect(() => filmStrip([], options)).toThrow(/filmStrip: got no frames/);
    expect(() => filmStrip([new Float32Array(2), new Float32Array(3)], options)).toThrow(/filmStrip: got 3 values/);
    expect(() => filmStrip([Float32Array.of(0, Number.NaN)], options)).toThrow(/samples contain NaN/);
  });
});

describe('encodePng', () => {
  it('gives back the same pixels when decoded', () => {
    const picture = grid(digits(20), { count: 20, height: 8, width: 8, columns: 5, scale: 8, gap: 4 });
    const { width, height, depth, channels, data } = decode(encodePng(picture), { checkCrc: true });
    expect({ width, height, depth, channels }).toEqual({
      width: 5 * 68 - 4,
      height: 4 * 68 - 4,
      depth: 8,
      channels: 1,
    });
    expect(Uint8Array.from(data)).toEqual(picture.pixels);
  });

  it('shows the first digit, a zero, as white ink around a black middle', () => {
    const picture = grid(digits(1), { count: 1, height: 8, width: 8, columns: 1, scale: 8, gap: 0 });
    const art = Array.from({ length: 8 }, (_, y) =>
      Array.from({ length: 8 }, (_, x) => ((pixel(picture, x * 8 + 4, y * 8 + 4) ?? 0) > 100 ? '#' : '.')).join(''),
    );
    expect(art).toEqual([
      '...##...',
      '..####..',
      '..#..##.',
      '..#..##.',
      '..#..##.',
      '..#..##.',
      '..#.##..',
      '...##...',
    ]);
  });
});
