/** Pooling and patches. */
import * as t from 'tenfold';
import { tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const image = (axes: number, length = 6): t.Tensor => zeros([1, 2, ...Array(axes).fill(length)]);

const pool = (axes: number): readonly (readonly unknown[])[] => [
  [[1, 2], 2],
  [zeros([4]), 2],
  [zeros(Array(axes + 3).fill(4)), 2],
  [image(axes, 0), 1],
  [image(axes), 7],
  [image(axes), 0],
  [image(axes), 1.5],
  [image(axes), Number.NaN],
  [image(axes), [2, 2, 2, 2]],
  [image(axes), '2'],
  [image(axes), undefined],
  [image(axes), tensor(2)],
  [image(axes), 2, 2],
  [image(axes), 2, null],
  [image(axes), 2, { strides: 2 }],
  [image(axes), 2, { stride: 0 }],
  [image(axes), 2, { stride: [1, 1, 1, 1] }],
  [image(axes), 2, { padding: -1 }],
  [image(axes), 2, { padding: 'same' }],
  [image(axes), 2, { padding: 2 }],
  [image(axes), 2, { ceilMode: 1 }],
];

const maxPool = (axes: number): readonly (readonly unknown[])[] => [
  ...pool(axes),
  [image(axes), 2, { dilation: 0 }],
  [image(axes), 2, { dilation: 6 }],
  [image(axes), 2, { countIncludePad: true }],
];

const avgPool = (axes: number): readonly (readonly unknown[])[] => [
  ...pool(axes),
  [image(axes), 2, { dilation: 2 }],
  [image(axes), 2, { countIncludePad: 'no' }],
  [t.cast(image(axes), 'uint8'), 2],
];

const adaptive = (axes: number): readonly (readonly unknown[])[] => [
  [[1, 2], 2],
  [zeros([4]), 2],
  [zeros(Array(axes + 3).fill(4)), 2],
  [image(axes, 0), 1],
  [image(axes), 0],
  [image(axes), 2.5],
  [image(axes), Number.NaN],
  [image(axes), [1, 1, 1, 1]],
  [image(axes), null],
  [image(axes), tensor(2)],
];

export const pooling: BadInputs = {
  maxPool1d: refused(t.maxPool1d, ...maxPool(1)),
  maxPool2d: refused(t.maxPool2d, ...maxPool(2)),
  maxPool3d: refused(t.maxPool3d, ...maxPool(3)),
  avgPool1d: refused(t.avgPool1d, ...avgPool(1)),
  avgPool2d: refused(t.avgPool2d, ...avgPool(2)),
  avgPool3d: refused(t.avgPool3d, ...avgPool(3)),
  adaptiveMaxPool1d: refused(t.adaptiveMaxPool1d, ...adaptive(1)),
  adaptiveMaxPool2d: refused(t.adaptiveMaxPool2d, ...adaptive(2)),
  adaptiveMaxPool3d: refused(t.adaptiveMaxPool3d, ...adaptive(3)),
  adaptiveAvgPool1d: refused(t.adaptiveAvgPool1d, ...adaptive(1), [t.cast(image(1), 'uint8'), 2]),
  adaptiveAvgPool2d: refused(t.adaptiveAvgPool2d, ...adaptive(2), [t.cast(image(2), 'uint8'), 2]),
  adaptiveAvgPool3d: refused(t.adaptiveAvgPool3d, ...adaptive(3), [t.cast(image(3), 'uint8'), 2]),
  unfold: refused(
    t.unfold,
    [[1, 2], [2]],
    [image(2), 2],
    [image(2), []],
    [image(2), [2, 2, 2, 2]],
    [image(2), [2, 0]],
    [image(2), [2, 1.5]],
    [image(2), [7, 7]],
    [image(2), [2]],
    [zeros([4]), [2]],
    [image(2, 0), [1, 1]],
    [image(2), [2, 2], { ceilMode: true }],
    [image(2), [2, 2], { stride: 0 }],
    [image(2), [2, 2], { padding: [1] }],
    [image(2), [2, 2], { dilation: Number.POSITIVE_INFINITY }],
    [image(2), [2, 2], 1],
  ),
};
