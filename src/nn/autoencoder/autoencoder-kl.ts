/** The autoencoder of latent diffusion. */
import { normal } from '../../random/draw.js';
import { type Key, keyNode, split } from '../../random/key.js';
import type { FloatDType } from '../../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { add, clamp, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { exp } from '../../tensor/ops/elementwise/elementary.js';
import { chunk } from '../../tensor/ops/movement/joining.js';
import { checkArgument, checkInteger, sameShape, showAval } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import type { Path } from '../../tree/tree.js';
import type { ConvParams } from '../conv.js';
import type { Context, Layer } from '../layer.js';
import { checkParams, pictureOf } from '../model-checks.js';
import { skeletonOf } from '../skeleton.js';
import { snake } from '../state-dict.js';
import {
  type AutoencoderBlockParams,
  type AutoencoderEndParams,
  type AutoencoderMidParams,
  convOf,
  end,
  inTurn,
  level,
  middle,
} from './parts.js';

/** Options of {@link autoencoderKl}: those of diffusers' AutoencoderKL in camel case, with its defaults. */
export interface AutoencoderKlOptions {
  /** Channels of x. Default 3. */
  readonly inChannels?: number;
  /** Channels of what is decoded. Default 3. */
  readonly outChannels?: number;
  /** Channels at each resolution, from the highest on; each next one is half as high and wide. Default [64]. */
  readonly blockOutChannels?: readonly number[];
  /** Residual blocks at each resolution of the encoder; the decoder has one more. Default 1. */
  readonly layersPerBlock?: number;
  /** Channels of what is encoded. Default 4. */
  readonly latentChannels?: number;
  /** Groups in which channels are normalised. Default 32. */
  readonly normNumGroups?: number;
  /** Whether places attend to each other at the lowest resolution. Default true. */
  readonly midBlockAddAttention?: boolean;
  /** Whether a convolution over single pixels is behind the encoder. Default true. */
  readonly useQuantConv?: boolean;
  /** Whether a convolution over single pixels is before the decoder. Default true. */
  readonly usePostQuantConv?: boolean;
}

/** Parameters of {@link autoencoderKl}; null where there is no such part. */
export interface AutoencoderKlParams {
  readonly encoder: AutoencoderEndParams & {
    readonly convIn: ConvParams;
    readonly downBlocks: readonly AutoencoderBlockParams[];
    readonly midBlock: AutoencoderMidParams;
  };
  readonly decoder: AutoencoderEndParams & {
    readonly convIn: ConvParams;
    readonly midBlock: AutoencoderMidParams;
    readonly upBlocks: readonly AutoencoderBlockParams[];
  };
  readonly quantConv: ConvParams | null;
  readonly postQuantConv: ConvParams | null;
}

/** What a picture is encoded as: a normal distribution for each latent number, [N, latentChannels, height, width]. */
export interface Posterior {
  readonly mean: Tensor;
  /** From −30 to 20. */
  readonly logVariance: Tensor;
}

/** An {@link autoencoderKl}. `apply` encodes and decodes: by the means, or with a key by a draw. */
export interface AutoencoderKl extends Layer<AutoencoderKlParams, readonly [x: Tensor, context?: Context]> {
  readonly encode: (params: AutoencoderKlParams, x: Tensor) => Posterior;
  /** Latents drawn as encoded. */
  readonly sample: (posterior: Posterior, key: Key) => Tensor;
  readonly decode: (params: AutoencoderKlParams, latents: Tensor) => Tensor;
  /** diffusers' name of the parameter at a path. */
  readonly stateName: (path: Path) => string;
}

const operation = 'autoencoderKl';

/** Names that are other than in snake case; those of `resample` depend on the half. */
const steps: Readonly<Record<string, string>> = { attention: 'attentions.0', toOut: 'to_out.0' };

const stateName = (path: Path): string => {
  const resample = path[0] === 'encoder' ? 'downsamplers.0.conv' : 'upsamplers.0.conv';
  return path.map(step => (step === 'resample' ? resample : (steps[step] ?? snake(step)))).join('.');
};

const counts = ['inChannels', 'outChannels', 'layersPerBlock', 'latentChannels', 'normNumGroups'] as const;
const flags = ['midBlockAddAttention', 'useQuantConv', 'usePostQuantConv'] as const;

const planOf = (options: AutoencoderKlOptions): Required<AutoencoderKlOptions> => {
  checkOptions(operation, [...counts, 'blockOutChannels', ...flags], options);
  const plan = {
    ...{ inChannels: 3, outChannels: 3, blockOutChannels: [64], layersPerBlock: 1, latentChannels: 4 },
    ...{ normNumGroups: 32, midBlockAddAttention: true, useQuantConv: true, usePostQuantConv: true },
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  } as Required<AutoencoderKlOptions>;
  for (const name of counts) checkInteger(operation, name, plan[name], 1, 2 ** 31 - 1);
  for (const name of flags) checkFlag(operation, name, plan[name]);
  checkArgument(
    Array.isArray(plan.blockOutChannels) && plan.blockOutChannels.length > 0,
    operation,
    `${kindOf(plan.blockOutChannels)} as blockOutChannels`,
    'it is a list of the channels at each resolution',
    'Write { blockOutChannels: [64, 128] }.',
  );
  for (const channels of plan.blockOutChannels) {
    checkInteger(operation, 'a number of channels', channels, 1, 2 ** 31 - 1);
    checkArgument(
      channels % plan.normNumGroups === 0,
      operation,
      `${channels} channels in ${plan.normNumGroups} groups`,
      'the groups have equally many channels',
      'Give another normNumGroups, or multiples of it as blockOutChannels.',
    );
  }
  return Object.freeze({ ...plan, blockOutChannels: Object.freeze([...plan.blockOutChannels]) });
};

type Plan = Required<AutoencoderKlOptions>;

const encoderOf = ({ blockOutChannels: widths, normNumGroups: groups, ...plan }: Plan) => {
  const lowest = widths.at(-1)!;
  const convIn = convOf(plan.inChannels, widths[0]!, 3);
  const down = inTurn(
    widths.map((outputs, i) =>
      level({
        groups,
        inputs: widths[Math.max(0, i - 1)]!,
        outputs,
        count: plan.layersPerBlock,
        resample: i < widths.length - 1 ? 'down' : null,
      }),
    ),
  );
  const mid = middle(groups, lowest, plan.midBlockAddAttention);
  const last = end(groups, lowest, 2 * plan.latentChannels);
  return {
    init: (key: Key): AutoencoderKlParams['encoder'] => {
      const [a, b, c, d] = split(key, 4) as readonly [Key, Key, Key, Key];
      return Object.freeze({
        convIn: convIn.init(a),
        downBlocks: down.init(b),
        midBlock: mid.init(c),
        ...last.init(d),
      });
    },
    apply: (params: AutoencoderKlParams['encoder'], x: Tensor): Tensor =>
      last.apply(params, mid.apply(params.midBlock, down.apply(params.downBlocks, convIn.apply(params.convIn, x)))),
  };
};

const decoderOf = ({ blockOutChannels, normNumGroups: groups, ...plan }: Plan) => {
  const widths = [...blockOutChannels].reverse();
  const convIn = convOf(plan.latentChannels, widths[0]!, 3);
  const mid = middle(groups, widths[0]!, plan.midBlockAddAttention);
  const up = inTurn(
    widths.map((outputs, i) =>
      level({
        groups,
        inputs: widths[Math.max(0, i - 1)]!,
        outputs,
        count: plan.layersPerBlock + 1,
        resample: i < widths.length - 1 ? 'up' : null,
      }),
    ),
  );
  const last = end(groups, widths.at(-1)!, plan.outChannels);
  return {
    init: (key: Key): AutoencoderKlParams['decoder'] => {
      const [a, b, c, d] = split(key, 4) as readonly [Key, Key, Key, Key];
      return Object.freeze({ convIn: convIn.init(a), midBlock: mid.init(b), upBlocks: up.init(c), ...last.init(d) });
    },
    apply: (params: AutoencoderKlParams['decoder'], latents: Tensor): Tensor =>
      last.apply(params, up.apply(params.upBlocks, mid.apply(params.midBlock, convIn.apply(params.convIn, latents)))),
  };
};

const checkPosterior = (posterior: unknown): Posterior => {
  const { mean, logVariance } = (posterior ?? {}) as Partial<Posterior>;
  if (isTensor(mean) && isTensor(logVariance) && sameShape(mean.shape, logVariance.shape)) return { mean, logVariance };
  throw new ArgumentError({
    operation,
    given: `${kindOf(posterior)} as what is encoded`,
    rule: 'it is { mean, logVariance }, two tensors of one shape',
    hint: 'Make it with encode(params, x).',
  });
};

/**
 * The autoencoder of latent diffusion (Rombach et al. 2022, arXiv:2112.10752; Kingma, Welling 2014, arXiv:1312.6114), of the form of
 * diffusers' AutoencoderKL, whose checkpoints load with {@link loadStateDict}: residual blocks at lower and lower resolutions with
 * attention at the lowest, and the same back. What is encoded is a normal distribution for each latent number. Parameters of
 * float64 make it compute in float64.
 *
 * The options of the one of Stable Diffusion are `{ blockOutChannels: [128, 256, 512, 512], layersPerBlock: 2 }`; its latents are
 * multiplied by 0.18215 before they are diffused, and divided by it before they are decoded.
 *
 * @param options `inChannels` (3), `outChannels` (3), `blockOutChannels` ([64]), `layersPerBlock` (1), `latentChannels` (4),
 *   `normNumGroups` (32), `midBlockAddAttention`, `useQuantConv`, `usePostQuantConv` (true)
 * @returns a layer; `encode(params, x)` takes x [N, inChannels, H, W] and gives `{ mean, logVariance }`, both
 *   [N, latentChannels, H / f, W / f], f = 2^(resolutions − 1); `sample(posterior, key)` draws latents; `decode(params, latents)`
 *   gives [N, outChannels, H, W]; `apply(params, x, { key })` does all, without a key with the means
 * @throws IndexError for numbers out of range, ArgumentError for wrong and unknown options; applied, ShapeError when x, latents or
 *   parameters have other shapes, or H and W are no multiples of f, ArgumentError for what is no key or nothing encoded, DTypeError
 *   for uint8
 * @numpy —
 * @pytorch diffusers.AutoencoderKL
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { autoencoderKl } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = autoencoderKl({ blockOutChannels: [8, 16], normNumGroups: 4 });
 * const params = model.init(key(0));
 * const encoded = model.encode(params, zeros([2, 3, 8, 8]));
 * encoded.mean.shape; // => [2, 4, 4, 4]
 * model.decode(params, model.sample(encoded, key(1))).shape; // => [2, 3, 8, 8]
 * model.stateName(['encoder', 'midBlock', 'attention', 'toOut', 'bias']); // => 'encoder.mid_block.attentions.0.to_out.0.bias'
 * ```
 */
export const autoencoderKl = (options: AutoencoderKlOptions = {}): AutoencoderKl => {
  const plan = planOf(options);
  const { inChannels, latentChannels, useQuantConv, usePostQuantConv } = plan;
  const factor = 2 ** (plan.blockOutChannels.length - 1);
  const [encoder, decoder] = [encoderOf(plan), decoderOf(plan)];
  const [quant, postQuant] = [
    convOf(2 * latentChannels, 2 * latentChannels, 1),
    convOf(latentChannels, latentChannels, 1),
  ];
  const init = (key: Key): AutoencoderKlParams => {
    const [a, b, c, d] = split(key, 4) as readonly [Key, Key, Key, Key];
    return Object.freeze({
      encoder: encoder.init(a),
      decoder: decoder.init(b),
      quantConv: useQuantConv ? quant.init(c) : null,
      postQuantConv: usePostQuantConv ? postQuant.init(d) : null,
    });
  };
  const like = skeletonOf(operation, init);
  const encode = (params: AutoencoderKlParams, x: Tensor): Posterior => {
    const picture = pictureOf(operation, x, { inChannels, dims: 2 });
    if (picture.shape.slice(2).some(length => length === 0 || length % factor !== 0)) {
      throw new ShapeError({
        operation,
        given: `${showAval(picture)} as x`,
        rule: `height and width are multiples of ${factor}`,
        hint: 'Pad the pictures.',
      });
    }
    checkParams(operation, like, params);
    const moments = encoder.apply(params.encoder, picture);
    const both = chunk(useQuantConv ? quant.apply(params.quantConv!, moments) : moments, 2, { axis: 1 });
    const [mean, logVariance] = both as unknown as readonly [Tensor, Tensor];
    return Object.freeze({ mean, logVariance: clamp(logVariance, -30, 20) as Tensor });
  };
  const sample = (posterior: Posterior, key: Key): Tensor => {
    const { mean, logVariance } = checkPosterior(posterior);
    keyNode(operation, key);
    const noise = normal(key, mean.shape, { dtype: mean.dtype as FloatDType }) as Tensor;
    return add(mean, mul(exp(mul(logVariance, 0.5) as Tensor), noise)) as Tensor;
  };
  const decode = (params: AutoencoderKlParams, latents: Tensor): Tensor => {
    const given = pictureOf(operation, latents, { inChannels: latentChannels, dims: 2 });
    checkParams(operation, like, params);
    return decoder.apply(params.decoder, usePostQuantConv ? postQuant.apply(params.postQuantConv!, given) : given);
  };
  return Object.freeze({
    init,
    encode,
    sample,
    decode,
    stateName,
    apply: (params: AutoencoderKlParams, x: Tensor, context: Context = {}): Tensor => {
      checkOptions(operation, ['key'], context);
      const { key } = context;
      if (key !== undefined) keyNode(operation, key);
      const posterior = encode(params, x);
      return decode(params, key === undefined ? posterior.mean : sample(posterior, key));
    },
  });
};
