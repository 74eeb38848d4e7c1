/** Convolution, pooling and resampling as PyTorch does them. */
import { add, conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, reshape, type Tensor } from 'tenfold';
import { type Args, type Inputs, type Operation, operationTests } from './operations.js';
import { numberOf, numbersOf } from './read.js';

const optionsOf = (args: Args): object => {
  const { stride, padding, dilation, groups, output_padding: outputPadding } = args;
  return {
    stride: numbersOf(stride),
    padding: numbersOf(padding),
    dilation: numbersOf(dilation),
    groups: numberOf(groups),
    ...(outputPadding === undefined ? {} : { outputPadding: numbersOf(outputPadding) }),
  };
};

const convolved =
  (convolve: (x: Tensor, w: Tensor, options: object) => Tensor): Operation =>
  ({ x, weight, bias }: Inputs, args) => {
    const y = convolve(x!, weight!, optionsOf(args));
    return bias === undefined ? y : (add(y, reshape(bias, [-1, ...numbersOf(args.stride).map(() => 1)])) as Tensor);
  };

operationTests('ops_conv', {
  conv1d: convolved(conv1d),
  conv2d: convolved(conv2d),
  conv3d: convolved(conv3d),
  conv_transpose1d: convolved(convTranspose1d),
  conv_transpose2d: convolved(convTranspose2d),
});
