/** How the group `modules` makes and applies layers. */
import { cast, logicalNot, mean, reshape, swapAxes, type Tensor, zeros } from 'tenfold';
import * as nn from 'tenfold/nn';
import type { Args, Inputs } from '../operations.js';
import { booleanOf, numberOf, numbersOf, stringOf, unknownCase } from '../read.js';

/** A module's results by their names, and its new buffers. */
export interface Applied {
  readonly out: Inputs;
  readonly buffers?: Inputs;
}

/** What a case has beside `args`. */
interface Given {
  /** By PyTorch's names. */
  readonly params: Inputs;
  readonly buffers: Inputs;
  readonly inputs: Inputs;
  readonly train: boolean;
}

/** Makes a layer of `args` and applies it. */
type Module = (given: Given, args: Args) => Applied;

type Tree = { readonly [name: string]: Tensor | Tree };

const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** PyTorch's flat names as a tree of ours. */
const treeOf = (params: Inputs): never => {
  const groups = new Map<string, Record<string, Tensor>>();
  const tree: Record<string, Tensor | Tree> = {};
  for (const [name, value] of Object.entries(params)) {
    const [first, ...rest] = name.split('.') as [string, ...string[]];
    if (rest.length === 0) tree[camel(first)] = value;
    else groups.set(first, { ...groups.get(first), [rest.join('.')]: value });
  }
  for (const [name, inner] of groups) tree[camel(name)] = treeOf(inner);
  return tree as never;
};

/** Refuses what a case asks for beside these options, unless it is what they are anyway. */
const only = (args: Args, names: readonly string[], usual: Args = {}): void => {
  for (const [name, value] of Object.entries(args)) {
    if (names.includes(name) || (Object.hasOwn(usual, name) && usual[name] === value)) continue;
    unknownCase(`option ${name}`, value);
  }
};

const flag = (value: Args[string], usual: boolean): boolean => (value === undefined ? usual : booleanOf(value));
const number = (value: Args[string], usual: number): number => (value === undefined ? usual : numberOf(value));

/** A number, a list, or a word. */
const setting = (value: Args[string]): never =>
  (Array.isArray(value) ? numbersOf(value) : typeof value === 'string' ? value : numberOf(value)) as never;

/** Those of some settings that a case has, by our names. */
const settings = (args: Args, names: readonly string[]): object =>
  Object.fromEntries(
    names.flatMap(name => (args[name] === undefined ? [] : [[camel(name), setting(args[name])] as const])),
  );

type AnyLayer = { readonly apply: (params: never, ...inputs: readonly never[]) => Tensor };

const applied = (layer: unknown, params: Inputs, ...inputs: readonly (Tensor | undefined)[]): Applied => ({
  out: { y: (layer as AnyLayer).apply(treeOf(params), ...(inputs as never[])) },
});

type MakeConv = (inputs: number, outputs: number, kernel: never, options: object) => unknown;

const conv =
  (make: MakeConv, transposed: boolean): Module =>
  ({ params, inputs }, args) => {
    const names = ['stride', 'padding', 'dilation', 'groups', transposed ? 'output_padding' : 'padding_mode'];
    only(args, ['in_channels', 'out_channels', 'kernel_size', 'bias', ...names], { padding_mode: 'zeros' });
    const options = { ...settings(args, names), bias: flag(args.bias, true) };
    const layer = make(numberOf(args.in_channels), numberOf(args.out_channels), setting(args.kernel_size), options);
    return applied(layer, params, inputs.x);
  };

/** Norms that may keep running statistics; in training they give new ones. */
const statisticsNorm =
  (make: typeof nn.batchNorm, usual: boolean): Module =>
  ({ params, buffers, inputs, train }, args) => {
    only(args, ['num_features', 'eps', 'momentum', 'affine', 'track_running_stats']);
    const tracks = flag(args.track_running_stats, usual);
    const layer = make(numberOf(args.num_features), {
      epsilon: number(args.eps, 1e-5),
      momentum: number(args.momentum, 0.1),
      affine: flag(args.affine, usual),
      trackRunningStats: tracks,
    });
    const kept = tracks ? { runningMean: buffers.running_mean, runningVariance: buffers.running_var } : {};
    const all = { ...params, ...kept } as never;
    if (!train) return { out: { y: layer.apply(all, inputs.x!) } };
    const { y, params: after } = layer.train(all, inputs.x!);
    const { runningMean, runningVariance } = after as Partial<nn.RunningStatistics>;
    return tracks
      ? { out: { y }, buffers: { running_mean: runningMean!, running_var: runningVariance! } }
      : { out: { y } };
  };

const batchNorm = statisticsNorm(nn.batchNorm, true);
const instanceNorm = statisticsNorm(nn.instanceNorm as unknown as typeof nn.batchNorm, false);

/** PyTorch says where there is no attention; in floats both say what is added. */
const maskOf = (mask: Tensor | undefined): Tensor | undefined =>
  mask?.dtype === 'int32' ? (logicalNot(cast(mask, 'bool')) as Tensor) : mask;

/** A mask for every head of every example, in one axis, has one for each here. */
const scoresMask = (mask: Tensor | undefined, heads: number): Tensor | undefined =>
  mask?.shape.length === 3 ? (reshape(mask, [-1, heads, ...mask.shape.slice(1)]) as Tensor) : mask;

/** Swaps examples and places where a case has the places first. */
const batchFirst = (args: Args): ((x: Tensor | undefined) => Tensor | undefined) =>
  flag(args.batch_first, false) ? x => x : x => (x?.shape.length === 3 ? (swapAxes(x, 0, 1) as Tensor) : x);

const multiheadAttention: Module = ({ params, inputs }, args) => {
  const more = ['add_bias_kv', 'add_zero_attn'];
  only(args, ['embed_dim', 'num_heads', 'batch_first', 'bias', 'kdim', 'vdim', 'average_attn_weights', ...more], {
    dropout: 0,
  });
  const [size, heads] = [numberOf(args.embed_dim), numberOf(args.num_heads)];
  const layer = nn.multiHeadAttention(size, heads, {
    bias: flag(args.bias, true),
    addBiasKv: flag(args.add_bias_kv, false),
    addZeroAttn: flag(args.add_zero_attn, false),
    ...(args.kdim == null ? {} : { keySize: numberOf(args.kdim) }),
    ...(args.vdim == null ? {} : { valueSize: numberOf(args.vdim) }),
  });
  const place = batchFirst(args);
  const { y, weights } = layer.withWeights(treeOf(params), place(inputs.query)!, {
    keys: place(inputs.key),
    values: place(inputs.value),
    mask: scoresMask(maskOf(inputs.attn_mask), heads),
    keyMask: maskOf(inputs.key_padding_mask),
  });
  return {
    out: {
      y: place(y)!,
      weights: flag(args.average_attn_weights, false) ? (mean(weights, { axis: -3 }) as Tensor) : weights,
    },
  };
};

const cell =
  (name: 'rnn' | 'gru' | 'lstm'): Module =>
  ({ params, inputs: { x, h, c } }, args) => {
    only(args, ['input_size', 'hidden_size', 'bias', ...(name === 'rnn' ? ['nonlinearity'] : [])]);
    const [size, hidden] = [numberOf(args.input_size), numberOf(args.hidden_size)];
    const options = { bias: flag(args.bias, true), ...(name === 'rnn' ? settings(args, ['nonlinearity']) : {}) };
    const start = zeros([...x!.shape.slice(0, -1), hidden], { dtype: x!.dtype }) as Tensor;
    if (name !== 'lstm') {
      const layer = name === 'rnn' ? nn.rnnCell(size, hidden, options) : nn.gruCell(size, hidden, options);
      return applied(layer, params, x, h ?? start);
    }
    const next = nn.lstmCell(size, hidden, options).apply(treeOf(params), x!, { h: h ?? start, c: c ?? start });
    return { out: { h: next.h, c: next.c } };
  };

const sequence =
  (make: typeof nn.rnn | typeof nn.gru | typeof nn.lstm): Module =>
  ({ params, inputs: { x, h0, c0 } }, args) => {
    const names = ['input_size', 'hidden_size', 'num_layers', 'bidirectional', 'batch_first', 'bias'];
    const own = make === nn.rnn ? ['nonlinearity'] : make === nn.lstm ? ['proj_size'] : [];
    only(args, [...names, ...own], { dropout: 0, proj_size: 0 });
    const projSize = number(args.proj_size, 0);
    const layer = make(numberOf(args.input_size), numberOf(args.hidden_size), {
      layers: number(args.num_layers, 1),
      bidirectional: flag(args.bidirectional, false),
      batchFirst: flag(args.batch_first, false),
      bias: flag(args.bias, true),
      ...settings(args, ['nonlinearity']),
      ...(projSize === 0 ? {} : { projSize }),
    });
    const first = { ...(h0 === undefined ? {} : { h: h0 }), ...(c0 === undefined ? {} : { c: c0 }) };
    return { out: { ...layer.apply(treeOf(params), x!, first) } as unknown as Inputs };
  };

const transformerOptions = (args: Args): nn.TransformerLayerOptions => {
  const names = ['d_model', 'nhead', 'dim_feedforward', 'activation', 'batch_first', 'norm_first', 'layer_norm_eps'];
  only(args, names, { dropout: 0 });
  return {
    feedForward: number(args.dim_feedforward, 2048),
    activation: (args.activation === undefined ? 'relu' : stringOf(args.activation)) as 'relu',
    normFirst: flag(args.norm_first, false),
    epsilon: number(args.layer_norm_eps, 1e-5),
  };
};

const encoderLayer: Module = ({ params, inputs }, args) => {
  const heads = numberOf(args.nhead);
  const layer = nn.transformerEncoderLayer(numberOf(args.d_model), heads, transformerOptions(args));
  const place = batchFirst(args);
  const y = layer.apply(treeOf(params), place(inputs.x)!, {
    mask: scoresMask(maskOf(inputs.attn_mask), heads),
    keyMask: maskOf(inputs.key_padding_mask),
  });
  return { out: { y: place(y)! } };
};

const decoderLayer: Module = ({ params, inputs }, args) => {
  const heads = numberOf(args.nhead);
  const layer = nn.transformerDecoderLayer(numberOf(args.d_model), heads, transformerOptions(args));
  const place = batchFirst(args);
  const y = layer.apply(treeOf(params), place(inputs.x)!, place(inputs.memory)!, {
    mask: scoresMask(maskOf(inputs.attn_mask ?? inputs.tgt_mask), heads),
    keyMask: maskOf(inputs.key_padding_mask ?? inputs.tgt_key_padding_mask),
    memoryMask: scoresMask(maskOf(inputs.memory_mask), heads),
    memoryKeyMask: maskOf(inputs.memory_key_padding_mask),
  });
  return { out: { y: place(y)! } };
};

/** Modules by PyTorch's names. */
export const modules: Readonly<Record<string, Module>> = {
  Linear: ({ params, inputs }, args) => {
    only(args, ['in_features', 'out_features', 'bias']);
    const layer = nn.linear(numberOf(args.in_features), numberOf(args.out_features), { bias: flag(args.bias, true) });
    return applied(layer, params, inputs.x);
  },
  Bilinear: ({ params, inputs }, args) => {
    only(args, ['in1_features', 'in2_features', 'out_features', 'bias']);
    const sizes = [args.in1_features, args.in2_features, args.out_features].map(numberOf) as [number, number, number];
    return applied(nn.bilinear(...sizes, { bias: flag(args.bias, true) }), params, inputs.a, inputs.b);
  },
  Conv1d: conv(nn.conv1d as unknown as MakeConv, false),
  Conv2d: conv(nn.conv2d as unknown as MakeConv, false),
  Conv3d: conv(nn.conv3d as unknown as MakeConv, false),
  ConvTranspose1d: conv(nn.convTranspose1d as unknown as MakeConv, true),
  ConvTranspose2d: conv(nn.convTranspose2d as unknown as MakeConv, true),
  ConvTranspose3d: conv(nn.convTranspose3d as unknown as MakeConv, true),
  GroupNorm: ({ params, inputs }, args) => {
    only(args, ['num_groups', 'num_channels', 'eps', 'affine']);
    const options = { epsilon: number(args.eps, 1e-5), affine: flag(args.affine, true) };
    return applied(nn.groupNorm(numberOf(args.num_groups), numberOf(args.num_channels), options), params, inputs.x);
  },
  LayerNorm: ({ params, inputs }, args) => {
    only(args, ['normalized_shape', 'eps', 'elementwise_affine']);
    const options = { epsilon: number(args.eps, 1e-5), affine: flag(args.elementwise_affine, true) };
    return applied(nn.layerNorm(setting(args.normalized_shape) as number, options), params, inputs.x);
  },
  BatchNorm1d: batchNorm,
  BatchNorm2d: batchNorm,
  BatchNorm3d: batchNorm,
  InstanceNorm1d: instanceNorm,
  InstanceNorm2d: instanceNorm,
  InstanceNorm3d: instanceNorm,
  PReLU: ({ params, inputs }, args) => {
    only(args, ['num_parameters', 'init']);
    return applied(nn.prelu(number(args.num_parameters, 1)), params, inputs.x);
  },
  Embedding: ({ params, inputs }, args) => {
    only(args, ['num_embeddings', 'embedding_dim', 'padding_idx', 'max_norm', 'norm_type']);
    const options = {
      ...(args.padding_idx == null ? {} : { paddingIndex: numberOf(args.padding_idx) }),
      ...(args.max_norm == null ? {} : { maxNorm: numberOf(args.max_norm), normType: number(args.norm_type, 2) }),
    };
    return applied(
      nn.embedding(numberOf(args.num_embeddings), numberOf(args.embedding_dim), options),
      params,
      inputs.index,
    );
  },
  MultiheadAttention: multiheadAttention,
  RNNCell: cell('rnn'),
  GRUCell: cell('gru'),
  LSTMCell: cell('lstm'),
  RNN: sequence(nn.rnn),
  GRU: sequence(nn.gru),
  LSTM: sequence(nn.lstm),
  TransformerEncoderLayer: encoderLayer,
  TransformerDecoderLayer: decoderLayer,
};
