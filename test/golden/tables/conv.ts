/** Convolution, pooling and resampling as PyTorch does them. */
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  add,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type InterpolateMode,
  interpolate,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  reshape,
  type Tensor,
} from 'tenfold';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { booleanOf, type JsonObject, numberOf, numbersOf, stringOf } from '../read.js';

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

/** The arguments that a case has, by our names for them. */
const given = (args: Args, names: Readonly<Record<string, (json: JsonObject[string]) => unknown>>): object =>
  Object.fromEntries(
    Object.entries(names).flatMap(([name, read]) => {
      const json = args[name];
      return json === undefined
        ? []
        : [[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), read(json)]];
    }),
  );

const pooled =
  (pool: (x: Tensor, size: readonly number[], options: object) => Tensor): Operation =>
  ({ x }, args) =>
    pool(
      x!,
      numbersOf(args.kernel),
      given(args, {
        stride: numbersOf,
        padding: numbersOf,
        dilation: numbersOf,
        ceil_mode: booleanOf,
        count_include_pad: booleanOf,
      }),
    );

const adapted =
  (pool: (x: Tensor, outputSize: readonly number[]) => Tensor): Operation =>
  ({ x }, args) =>
    pool(x!, numbersOf(args.output_size));

export const convolutions: Operations = {
  conv1d: convolved(conv1d),
  conv2d: convolved(conv2d),
  conv3d: convolved(conv3d),
  conv_transpose1d: convolved(convTranspose1d),
  conv_transpose2d: convolved(convTranspose2d),
  conv_transpose3d: convolved(convTranspose3d),
  max_pool1d: pooled(maxPool1d),
  max_pool2d: pooled(maxPool2d),
  max_pool3d: pooled(maxPool3d),
  avg_pool1d: pooled(avgPool1d),
  avg_pool2d: pooled(avgPool2d),
  avg_pool3d: pooled(avgPool3d),
  adaptive_avg_pool1d: adapted(adaptiveAvgPool1d),
  adaptive_avg_pool2d: adapted(adaptiveAvgPool2d),
  adaptive_avg_pool3d: adapted(adaptiveAvgPool3d),
  adaptive_max_pool1d: adapted(adaptiveMaxPool1d),
  adaptive_max_pool2d: adapted(adaptiveMaxPool2d),
  adaptive_max_pool3d: adapted(adaptiveMaxPool3d),
  interpolate: ({ x }, args) =>
    interpolate(x!, {
      ...(args.size === undefined ? { scale: numbersOf(args.scale_factor) } : { size: numbersOf(args.size) }),
      mode: stringOf(args.mode) as InterpolateMode,
      ...given(args, { align_corners: booleanOf }),
    }),
};
