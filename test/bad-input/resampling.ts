/** Resampling. */
import { interpolate, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const image = zeros([1, 2, 4, 4]);

export const resampling: BadInputs = {
  interpolate: [
    ...refused(
      interpolate,
      [[1, 2], { scale: 2 }],
      [image],
      [image, 2],
      [image, {}],
      [image, { scale: 2, size: 8 }],
      [image, { scaleFactor: 2 }],
      [image, { scale: 0 }],
      [image, { scale: -1 }],
      [image, { scale: Number.NaN }],
      [image, { scale: Number.POSITIVE_INFINITY }],
      [image, { scale: 1e300 }],
      [image, { scale: '2' }],
      [image, { scale: [2, 2, 2, 2] }],
      [image, { scale: 0.1 }],
      [image, { scale: tensor(2) }],
      [image, { size: 0 }],
      [image, { size: 2.5 }],
      [image, { size: [] }],
      [image, { size: [4] }],
      [image, { size: null }],
      [image, { scale: 2, mode: 'lanczos' }],
      [image, { scale: 2, mode: 'toString' }],
      [image, { scale: 2, mode: 1 }],
      [image, { scale: [2], mode: 'bilinear' }],
      [zeros([4, 4]), { scale: 2, mode: 'trilinear' }],
      [image, { scale: 2, alignCorners: true }],
      [image, { scale: 2, mode: 'area', alignCorners: true }],
      [image, { scale: 2, mode: 'linear', alignCorners: 1 }],
      [zeros([4, 4]), { scale: 2 }],
      [zeros([1, 1, 2, 2, 2, 2]), { scale: 2 }],
      [zeros([1, 2, 0, 4]), { scale: 2 }],
      [zeros([1, 2, 4, 4], { dtype: 'uint8' }), { scale: 2, mode: 'linear' }],
    ),
    () => interpolate(2 as never),
    () => interpolate({ antialias: true } as never),
  ],
};
