/**
 * A small U-Net, written once for all libraries: three resolutions, a residual block of group norm, SiLU and 3×3 convolutions
 * on the way down and on the way up at each, two at the lowest; what was on the way down is added on the way up.
 */
import { type Input, uniform } from '../inputs.js';

/** What a library has to offer for it. Channels may be where it wants them. */
export interface UnetOps<T> {
  /** The same once more, where functions own their arguments. */
  readonly again: (x: T) => T;
  readonly add: (x: T, y: T) => T;
  readonly silu: (x: T) => T;
  /** 3×3 or 1×1, with as much padding as keeps the size where the stride is 1, and a bias for each channel. */
  readonly conv: (x: T, kernel: T, bias: T, stride: 1 | 2) => T;
  /** In {@link unetGroups} groups. */
  readonly norm: (x: T, gain: T, shift: T) => T;
  /** x·weight + bias of a matrix [n, c], added to every place of an image with c channels. */
  readonly addDense: (image: T, x: T, weight: T, bias: T) => T;
  /** Every place becomes 2 × 2. */
  readonly upsample: (x: T) => T;
}

export const unetGroups = 4;

export interface UnetSizes {
  readonly batch: number;
  /** Of the images. */
  readonly channels: number;
  /** Rows and columns; a multiple of 4. */
  readonly size: number;
  /** Channels at the highest resolution; twice as many at the others. */
  readonly width: number;
  /** Length of a time's embedding. */
  readonly embedding: number;
}

/** The network's result, an image like x. Parameters are used in their order, each once. */
export const unet = <T>(ops: UnetOps<T>, params: readonly T[], x: T, time: T): T => {
  let used = 0;
  const next = (): T => params[used++]!;
  const { again, add, silu, conv, norm, addDense, upsample } = ops;
  const block = (h: T): T => {
    const first = conv(silu(norm(again(h), next(), next())), next(), next(), 1);
    const told = addDense(first, again(time), next(), next());
    return add(h, conv(silu(norm(told, next(), next())), next(), next(), 1));
  };
  const high = block(conv(x, next(), next(), 1));
  const middle = block(conv(again(high), next(), next(), 2));
  const low = block(block(conv(again(middle), next(), next(), 2)));
  const up = block(add(conv(upsample(low), next(), next(), 1), middle));
  const top = block(add(conv(upsample(up), next(), next(), 1), high));
  return conv(silu(norm(top, next(), next())), next(), next(), 1);
};

/** Shapes of the parameters, in the order in which {@link unet} takes them. */
export const unetShapes = ({ channels, width, embedding }: UnetSizes): readonly (readonly number[])[] => {
  const conv = (from: number, to: number): number[][] => [[to, from, 3, 3], [to]];
  const norm = (count: number): number[][] => [[count], [count]];
  const block = (count: number): number[][] => [
    ...norm(count),
    ...conv(count, count),
    [embedding, count],
    [count],
    ...norm(count),
    ...conv(count, count),
  ];
  const wide = 2 * width;
  return [
    ...conv(channels, width),
    ...block(width),
    ...conv(width, wide),
    ...block(wide),
    ...conv(wide, wide),
    ...block(wide),
    ...block(wide),
    ...conv(wide, wide),
    ...block(wide),
    ...conv(wide, width),
    ...block(width),
    ...norm(width),
    ...conv(width, channels),
  ];
};

const product = (shape: readonly number[]): number => shape.reduce((p, n) => p * n, 1);

/** Weights have a variance that keeps that of what they multiply. Seeds are from `seed` on. */
export const unetParams = (sizes: UnetSizes, seed: number): readonly Input[] =>
  unetShapes(sizes).map((shape, i) => {
    if (shape.length === 1) return uniform(seed + i, shape, -0.1, 0.1);
    const terms = shape.length === 4 ? product(shape.slice(1)) : shape[0]!;
    const bound = 1 / Math.sqrt(terms);
    return uniform(seed + i, shape, -bound, bound);
  });
