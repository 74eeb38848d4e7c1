/** What a diffusion transformer is made of: layers whose normalisation is told what to do. */
import { type Key, split } from '../../random/key.js';
import { zeros } from '../../tensor/ops/creation/creation.js';
import { gelu, silu } from '../../tensor/ops/elementwise/activation.js';
import { add, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { chunk, unstack } from '../../tensor/ops/movement/joining.js';
import { expandDims, permute, reshape, swapAxes } from '../../tensor/ops/movement/movement.js';
import type { Tensor } from '../../tensor/tensor.js';
import { attentionInBlocks } from '../attention-blocks.js';
import { xavierUniform } from '../initializers.js';
import type { Layer } from '../layer.js';
import { layerNorm } from '../layer-norm.js';
import { type LinearParams, linear } from '../linear.js';
import { fromPatches } from './patches.js';

/** Parameters of one block. `adaLn` gives shift, scale and gate of the attention, then of the layers after it. */
export interface DitBlockParams {
  readonly attn: { readonly qkv: LinearParams; readonly proj: LinearParams };
  readonly mlp: { readonly fc1: LinearParams; readonly fc2: LinearParams };
  readonly adaLn: LinearParams;
}

/** Parameters of the last layer. `adaLn` gives shift and scale. */
export interface DitFinalParams {
  readonly linear: LinearParams;
  readonly adaLn: LinearParams;
}

/** [N, patches, size], and what is told to them, [N, size]. */
type Told<P> = Layer<P, readonly [x: Tensor, told: Tensor]>;

/** As a linear layer, but as the paper draws it. */
const xavierLinear = (inputs: number, outputs: number): Layer<LinearParams> => {
  const { apply } = linear(inputs, outputs);
  return Object.freeze({
    init: (key: Key): LinearParams =>
      Object.freeze({ weight: xavierUniform(key, [outputs, inputs]), bias: zeros([outputs]) }),
    apply,
  }) as Layer<LinearParams>;
};

const zeroLinear = (inputs: number, outputs: number): Layer<LinearParams> =>
  linear(inputs, outputs, { init: 'zeros' }) as unknown as Layer<LinearParams>;

/** Parts of what a linear layer makes of what is told, one after the other, each the same for all patches. */
const partsOf = (y: Tensor, count: number): readonly Tensor[] =>
  chunk(expandDims(y, 1) as Tensor, count, { axis: -1 }) as readonly Tensor[];

const modulated = (x: Tensor, shift: Tensor, scale: Tensor): Tensor => add(mul(x, add(scale, 1)), shift) as Tensor;

/** Sizes of {@link ditBlock}. */
interface BlockSizes {
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly mlpSize: number;
}

/** @internal Attention, then two layers, each scaled and shifted before and scaled after as it is told; it starts as nothing. */
export const ditBlock = ({ hiddenSize, numHeads, mlpSize }: BlockSizes): Told<DitBlockParams> => {
  const norm = layerNorm(hiddenSize, { epsilon: 1e-6, affine: false });
  const normalised = (x: Tensor): Tensor => norm.apply({}, x) as Tensor;
  const [qkv, proj] = [xavierLinear(hiddenSize, 3 * hiddenSize), xavierLinear(hiddenSize, hiddenSize)];
  const [fc1, fc2] = [xavierLinear(hiddenSize, mlpSize), xavierLinear(mlpSize, hiddenSize)];
  const adaLn = zeroLinear(hiddenSize, 6 * hiddenSize);
  const attended = (params: DitBlockParams['attn'], x: Tensor): Tensor => {
    const [n, length] = x.shape as readonly [number, number];
    const apart = reshape(qkv.apply(params.qkv, x), [n, length, 3, numHeads, hiddenSize / numHeads]) as Tensor;
    const all = unstack(permute(apart, [2, 0, 3, 1, 4]) as Tensor) as readonly Tensor[];
    const found = attentionInBlocks(all as readonly [Tensor, Tensor, Tensor]);
    return proj.apply(params.proj, reshape(swapAxes(found, 1, 2) as Tensor, [n, length, hiddenSize]) as Tensor);
  };
  return Object.freeze({
    init: (key: Key): DitBlockParams => {
      const [a, b, c, d] = split(key, 4) as readonly [Key, Key, Key, Key];
      return Object.freeze({
        attn: Object.freeze({ qkv: qkv.init(a), proj: proj.init(b) }),
        mlp: Object.freeze({ fc1: fc1.init(c), fc2: fc2.init(d) }),
        adaLn: adaLn.init(key),
      });
    },
    apply: (params: DitBlockParams, x: Tensor, told: Tensor): Tensor => {
      const [shift, scale, gate, shift2, scale2, gate2] = partsOf(
        adaLn.apply(params.adaLn, silu(told) as Tensor),
        6,
      ) as readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
      const seen = attended(params.attn, modulated(normalised(x), shift, scale));
      const h = add(x, mul(gate, seen)) as Tensor;
      const inner = gelu(fc1.apply(params.mlp.fc1, modulated(normalised(h), shift2, scale2)), { approximate: 'tanh' });
      return add(h, mul(gate2, fc2.apply(params.mlp.fc2, inner as Tensor))) as Tensor;
    },
  });
};

/** Sizes of {@link ditFinal}. */
interface FinalSizes {
  readonly hiddenSize: number;
  readonly patchSize: number;
  readonly outChannels: number;
}

/** @internal Patches as pictures again, [N, outChannels, height, width]; it starts as 0. */
export const ditFinal = ({ hiddenSize, patchSize, outChannels }: FinalSizes): Told<DitFinalParams> => {
  const norm = layerNorm(hiddenSize, { epsilon: 1e-6, affine: false });
  const last = zeroLinear(hiddenSize, patchSize * patchSize * outChannels);
  const adaLn = zeroLinear(hiddenSize, 2 * hiddenSize);
  return Object.freeze({
    init: (key: Key): DitFinalParams => Object.freeze({ linear: last.init(key), adaLn: adaLn.init(key) }),
    apply: (params: DitFinalParams, x: Tensor, told: Tensor): Tensor => {
      const [shift, scale] = partsOf(adaLn.apply(params.adaLn, silu(told) as Tensor), 2) as readonly [Tensor, Tensor];
      const y = last.apply(params.linear, modulated(norm.apply({}, x) as Tensor, shift, scale));
      return fromPatches(y, patchSize, outChannels);
    },
  });
};
