/** How the group `ops_nn` calls normalisation, attention and the like. */
import { batchNorm, embedding, groupNorm, instanceNorm, layerNorm, rmsNorm } from 'tenfold/nn';
import type { Inputs, Operations } from '../operations.js';
import { booleanOf, numberOf, numbersOf } from '../read.js';

/** What a layer has in PyTorch's names; without a weight it has no parameters. */
const affineOf = ({ weight, bias }: Inputs) =>
  weight === undefined ? { affine: false, params: {} } : { affine: true, params: { weight, bias: bias! } };

export const layers: Operations = {
  layer_norm: (inputs, args) => {
    const { affine, params } = affineOf(inputs);
    const layer = layerNorm(numbersOf(args.normalized_shape), { epsilon: numberOf(args.eps), affine });
    return layer.apply(params as never, inputs.x!);
  },
  group_norm: (inputs, args) => {
    const { affine, params } = affineOf(inputs);
    const layer = groupNorm(numberOf(args.num_groups), inputs.x!.shape[1]!, { epsilon: numberOf(args.eps), affine });
    return layer.apply(params as never, inputs.x!);
  },
  instance_norm: (inputs, args) => {
    const { affine, params } = affineOf(inputs);
    const layer = instanceNorm(inputs.x!.shape[1]!, { epsilon: numberOf(args.eps), affine });
    return layer.apply(params as never, inputs.x!);
  },
  rms_norm: ({ x, weight }, args) =>
    rmsNorm(weight!.shape, { epsilon: numberOf(args.eps) }).apply({ weight: weight! }, x!),
  batch_norm: ({ x, weight, bias, running_mean, running_var }, args) => {
    const layer = batchNorm(x!.shape[1]!, { momentum: numberOf(args.momentum), epsilon: numberOf(args.eps) });
    const params = { weight: weight!, bias: bias!, runningMean: running_mean!, runningVariance: running_var! };
    if (!booleanOf(args.training)) return layer.apply(params, x!);
    const trained = layer.train(params, x!);
    return { y: trained.y, running_mean: trained.params.runningMean, running_var: trained.params.runningVariance };
  },
  embedding: ({ index, weight }, { padding_idx }) => {
    const [count, size] = weight!.shape as readonly [number, number];
    const options = padding_idx == null ? {} : { paddingIndex: numberOf(padding_idx) };
    return embedding(count, size, options).apply({ weight: weight! }, index!);
  },
};
