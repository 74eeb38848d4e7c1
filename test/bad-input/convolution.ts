/** What only some of the convolutions take. */
import * as t from 'tenfold';
import { zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const operands = (axes: number): readonly [t.Tensor, t.Tensor] => [
  zeros([1, 2, ...Array(axes).fill(5)]),
  zeros([2, 2, ...Array(axes).fill(3)]),
];

const convolution = (axes: number): readonly (readonly unknown[])[] => {
  const [image, kernel] = operands(axes);
  return [
    [zeros([1, 2, ...Array(axes).fill(0)]), kernel],
    [image, zeros([2, 2, ...Array(axes).fill(6)])],
    [image, kernel, { inputDilation: 0 }],
    [image, kernel, { padding: 'same', stride: 2 }],
    [image, kernel, { padding: [[0, 1, 2]] }],
    [image, kernel, { outputPadding: 1 }],
    [image, kernel, null],
    [t.cast(image, 'int32'), t.cast(kernel, 'uint32')],
  ];
};

const transposed = (axes: number): readonly (readonly unknown[])[] => {
  const [image, kernel] = operands(axes);
  return [
    [zeros([1, 2, ...Array(axes).fill(0)]), kernel],
    [image, kernel, { inputDilation: 2 }],
    [image, kernel, { outputPadding: 1 }],
    [image, kernel, { outputPadding: -1, stride: 2 }],
    [image, kernel, { outputPadding: 0.5, stride: 2 }],
    [image, kernel, { padding: 4 }],
    [image, kernel, { padding: 'same' }],
    [image, kernel, null],
    [t.cast(image, 'int32'), t.cast(kernel, 'uint32')],
  ];
};

export const convolutions: BadInputs = {
  conv1d: refused(t.conv1d, ...convolution(1)),
  conv2d: refused(t.conv2d, ...convolution(2)),
  conv3d: refused(t.conv3d, ...convolution(3)),
  convTranspose1d: refused(t.convTranspose1d, ...transposed(1)),
  convTranspose2d: refused(t.convTranspose2d, ...transposed(2)),
  convTranspose3d: refused(t.convTranspose3d, ...transposed(3)),
};
