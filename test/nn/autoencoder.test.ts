/** The autoencoder of latent diffusion. */
import {
  add,
  attention,
  cast,
  grad,
  jit,
  mean,
  mul,
  ones,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from 'tenfold';
import { autoencoderKl, groupNorm, linear, loadStateDict, stateDict } from 'tenfold/nn';
import { foldIn, key, normal } from 'tenfold/random';
import { flatten, map } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { level, middle } from '../../src/nn/autoencoder/parts.js';
import { skeletonOf } from '../../src/nn/skeleton.js';
import { apart, countOf, numbers, random } from './parameters.js';

describe('autoencoderKl', () => {
  const options = { blockOutChannels: [8, 16, 16], normNumGroups: 4, layersPerBlock: 1, latentChannels: 2 };
  const model = autoencoderKl(options);
  const params = random(model.init(key(0)));
  const pictures = normal(key(1), [2, 3, 8, 12]) as Tensor;

  it('has the parameters of the one of Stable Diffusion', () => {
    const large = autoencoderKl({ blockOutChannels: [128, 256, 512, 512], layersPerBlock: 2 });
    expect(countOf(large.init)).toBe(83_653_863);
    const names = skeletonOf('test', large.init).paths.map(large.stateName);
    expect(names.length).toBe(248);
    for (const name of [
      'encoder.conv_in.weight',
      'encoder.down_blocks.0.resnets.1.norm2.bias',
      'encoder.down_blocks.2.downsamplers.0.conv.weight',
      'encoder.down_blocks.1.resnets.0.conv_shortcut.weight',
      'encoder.mid_block.attentions.0.group_norm.weight',
      'encoder.mid_block.attentions.0.to_q.weight',
      'encoder.mid_block.attentions.0.to_out.0.bias',
      'encoder.mid_block.resnets.1.conv1.weight',
      'encoder.conv_norm_out.weight',
      'decoder.up_blocks.2.resnets.0.conv_shortcut.bias',
      'decoder.up_blocks.3.resnets.2.conv2.bias',
      'decoder.up_blocks.0.upsamplers.0.conv.weight',
      'decoder.conv_out.bias',
      'quant_conv.weight',
      'post_quant_conv.bias',
    ]) {
      expect(names).toContain(name);
    }
    expect(names.filter(name => /(?:down_blocks.3.down|up_blocks.3.up)samplers/.test(name))).toEqual([]);
  });

  it('goes to distributions of latents and back', () => {
    const { mean: center, logVariance } = model.encode(params, pictures);
    expect([center.shape, logVariance.shape]).toEqual([
      [2, 2, 2, 3],
      [2, 2, 2, 3],
    ]);
    const back = model.decode(params, center);
    expect(back.shape).toEqual([2, 3, 8, 12]);
    expect(apart(model.apply(params, pictures), back)).toBe(0);
    const drawn = model.sample({ mean: center, logVariance }, key(5));
    expect(apart(model.apply(params, pictures, { key: key(5) }), model.decode(params, drawn))).toBe(0);
    expect(apart(jit(model.apply)(params, pictures, { key: key(5) }), model.decode(params, drawn))).toBeLessThan(1e-4);
    const again = loadStateDict(model, stateDict(model, params));
    if (again._tag === 'Left') throw again.left;
    expect(apart(model.apply(again.right, pictures), back)).toBe(0);
  });

  it('draws latents as they are encoded, within bounds', () => {
    const shape = [1, 1, 100, 100];
    const posterior = { mean: mul(ones(shape), 3), logVariance: mul(ones(shape), 2 * Math.log(0.5)) };
    const all = numbers(model.sample(posterior, key(2)));
    const center = all.reduce((total, value) => total + value, 0) / all.length;
    const spread = Math.sqrt(all.reduce((total, value) => total + (value - center) ** 2, 0) / all.length);
    expect(Math.abs(center - 3)).toBeLessThan(0.02);
    expect(Math.abs(spread - 0.5)).toBeLessThan(0.02);
    const bias = (by: number) => mul(ones([4]), by) as Tensor;
    const of = (by: number) =>
      model.encode({ ...params, quantConv: { ...params.quantConv!, bias: bias(by) } }, pictures).logVariance;
    expect(new Set(numbers(of(1e4)))).toEqual(new Set([20]));
    expect(new Set(numbers(of(-1e4)))).toEqual(new Set([-30]));
  });

  it('makes pictures smaller with zeros behind them only', () => {
    const layer = level({ groups: 1, inputs: 1, outputs: 1, count: 1, resample: 'down' });
    const [still] = [layer.init(key(0))].map(own => map(own, leaf => mul(leaf as Tensor, 0)) as typeof own);
    const kernel = reshape(tensor([1, 10, 100, 0, 0, 0, 0, 0, 0]), [1, 1, 3, 3]) as Tensor;
    const own = { ...still!, resample: { weight: kernel, bias: zeros([1]) } as never };
    const row = reshape(tensor([1, 2, 3, 4, 0, 0, 0, 0]), [1, 1, 2, 4]) as Tensor;
    // Elements 0, 1, 2, then 2, 3 and a zero.
    expect(layer.apply(own, row).toArray()).toEqual([[[[321, 43]]]]);
  });

  it('has attention that is the same in blocks of queries', () => {
    const attends = autoencoderKl({ ...options, blockOutChannels: [8] });
    const own = map(random(attends.init(key(0))), leaf => cast(leaf as Tensor, 'float64')) as ReturnType<
      typeof attends.init
    >;
    // 18 · 18 places are more than are answered at once.
    const picture = normal(key(3), [1, 3, 18, 18], { dtype: 'float64' });
    const mid = own.encoder.midBlock.attention!;
    const layer = middle(4, 8, true);
    const h = normal(key(4), [1, 8, 18, 18], { dtype: 'float64' }) as Tensor;
    const first = layer.apply({ ...own.encoder.midBlock, attention: mid }, h);
    const { resnets } = own.encoder.midBlock;
    const silent = resnets.map(each => map(each, leaf => mul(leaf as Tensor, 0)) as typeof each);
    const alone = layer.apply({ resnets: silent, attention: mid }, h);
    const normalised = groupNorm(4, 8, { epsilon: 1e-6 }).apply(mid.groupNorm, h);
    const places = transpose(reshape(normalised, [8, 324]) as Tensor) as Tensor;
    const [q, k, v] = [mid.toQ, mid.toK, mid.toV].map(p => linear(8, 8).apply(p as never, places) as Tensor) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const seen = linear(8, 8).apply(mid.toOut as never, attention(q, k, v) as never) as Tensor;
    const wanted = add(h, reshape(transpose(seen) as Tensor, [1, 8, 18, 18])) as Tensor;
    expect(apart(alone, wanted)).toBeLessThan(1e-12);
    expect(apart(first, alone)).toBeGreaterThan(0.1);
    expect(attends.encode(own, picture).mean.dtype).toBe('float64');
  });

  it('has a gradient for every parameter', () => {
    const own = map(params, leaf => cast(leaf as Tensor, 'float64')) as typeof params;
    const inputs = cast(pictures, 'float64') as Tensor;
    const loss = jit((p: typeof params) => mean(square(model.apply(p, inputs, { key: key(7) }))) as Tensor);
    const slopes = flatten(grad(loss)(own));
    const flat = flatten(own);
    const ways = (flat.leaves as readonly Tensor[]).map((leaf, i) =>
      normal(foldIn(key(5), i), leaf.shape, { dtype: 'float64' }),
    );
    const at = (by: number): number =>
      loss(
        flat.unflatten((flat.leaves as readonly Tensor[]).map((leaf, i) => add(leaf, mul(ways[i]!, by)))) as never,
      ).item() as number;
    const got = (slopes.leaves as readonly Tensor[]).reduce(
      (total, slope, i) => total + ((sum(mul(slope, ways[i]!)) as Tensor).item() as number),
      0,
    );
    const wanted = (at(1e-6) - at(-1e-6)) / 2e-6;
    expect(Math.abs(got - wanted)).toBeLessThan(1e-5 * (1 + Math.abs(wanted)));
    const still = (slopes.leaves as readonly Tensor[]).flatMap((slope, i) =>
      numbers(slope).every(value => value === 0) ? [flat.paths[i]!.join('.')] : [],
    );
    expect(still).toEqual([]);
  });

  it('may leave parts out', () => {
    const less = autoencoderKl({
      ...options,
      midBlockAddAttention: false,
      useQuantConv: false,
      usePostQuantConv: false,
    });
    const own = less.init(key(0));
    expect([own.quantConv, own.postQuantConv, own.encoder.midBlock.attention]).toEqual([null, null, null]);
    expect(less.apply(own, pictures).shape).toEqual([2, 3, 8, 12]);
  });
});
