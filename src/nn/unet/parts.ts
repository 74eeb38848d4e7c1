/** What the blocks of a U-Net have in common. */
import type { Key } from '../../random/key.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkpoint } from '../../tensor/transform/checkpoint.js';
import { type ConvLayerOptions, type ConvParams, conv1d, conv2d, conv3d } from '../conv.js';
import type { Layer } from '../layer.js';

/** How many spatial axes there are. */
export type Dims = 1 | 2 | 3;

/** How many groups of channels are normalised, everywhere. */
export const normGroups = 32;

/** A layer that is told the embedding of time and class, [N, size], and in training has a key to drop elements by. */
export type Told<P> = Layer<P, readonly [x: Tensor, embedding: Tensor, key: Key | null]>;

/** @internal A layer as a block that is told nothing. */
export const untold = <P>({ init, apply }: Layer<P>): Told<P> =>
  Object.freeze({ init, apply: (params: P, x: Tensor): Tensor => apply(params, x) });

/** @internal The block, of which derivatives keep the inputs only. */
export const checkpointed = <P>({ init, apply }: Told<P>): Told<P> => Object.freeze({ init, apply: checkpoint(apply) });

type Convolution = (inputs: number, outputs: number, kernel: number, options: ConvLayerOptions) => Layer<ConvParams>;

const convolutions = { 1: conv1d, 2: conv2d, 3: conv3d } as unknown as Readonly<Record<Dims, Convolution>>;

/** @internal A convolution that keeps lengths where the stride is 1. */
export const convOf = (
  dims: Dims,
  inputs: number,
  outputs: number,
  kernel: 1 | 3,
  options: Pick<ConvLayerOptions, 'init' | 'stride'> = {},
): Layer<ConvParams> => convolutions[dims](inputs, outputs, kernel, { padding: (kernel - 1) / 2, ...options });
