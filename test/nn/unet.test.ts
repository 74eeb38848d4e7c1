import {
  abs,
  add,
  attention,
  broadcastTo,
  cast,
  concat,
  conv2d,
  expandDims,
  grad,
  isTensor,
  jit,
  matmul,
  max,
  mean,
  mul,
  pad,
  relu,
  reshape,
  silu,
  slice,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  tensor,
  transpose,
  vmap,
  zeros,
} from 'tenfold';
import {
  groupNorm,
  linear,
  loadStateDict,
  StateDictError,
  stateDict,
  type UnetOptions,
  type UnetParams,
  unet,
  unetEncoder,
} from 'tenfold/nn';
import { foldIn, key, normal } from 'tenfold/random';
import { flatten, map } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { type AttentionBlockParams, attentionBlock, qkvAttention } from '../../src/nn/unet/attention-block.js';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught } from '../helpers.js';

const small: UnetOptions = {
  inChannels: 2,
  modelChannels: 32,
  outChannels: 3,
  numResBlocks: 1,
  attentionResolutions: [2],
  channelMult: [1, 2],
  numHeads: 2,
};

const everything: UnetOptions = {
  ...small,
  numClasses: 4,
  numHeadsUpsample: 4,
  useScaleShiftNorm: true,
  resblockUpdown: true,
  useNewAttentionOrder: true,
};

/** Parameters of the same form, none of them 0. */
const random = <P>(params: P): P => {
  const flat = flatten(params);
  return flat.unflatten(
    (flat.leaves as readonly Tensor[]).map((leaf, i) => mul(normal(foldIn(key(9), i), leaf.shape), 0.2)),
  ) as P;
};

const x = normal(key(1), [2, 2, 8, 8]);
const t = tensor([3, 700]);
const y = tensor([1, 3], { dtype: 'int32' });

const near = (got: Tensor, wanted: Tensor, bound: number): void => {
  expect(got.shape).toEqual(wanted.shape);
  const [a, b] = [Float64Array.from(got.dataSync(), Number), Float64Array.from(wanted.dataSync(), Number)];
  const largest = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  expect(largest).toBeGreaterThan(0);
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(bound * largest);
  });
};

describe('unet', () => {
  const model = unet(everything);
  const params = random(model.init(key(0)));

  it('starts as 0, with a key of its own for each block', () => {
    const fresh = model.init(key(0));
    expect(
      model
        .apply(fresh, x, t, { y })
        .dataSync()
        .every(value => value === 0),
    ).toBe(true);
    const drawn = Object.entries(stateDict(model, fresh))
      .filter(([, value]) => value.shape.length > 1)
      .map(([name, value]) => [name, (reshape(value, [-1]).toArray() as number[])[0]!] as const)
      .filter(([, value]) => value !== 0);
    expect(new Set(drawn.map(([, value]) => value)).size).toBe(drawn.length);
  });

  it('is the same compiled', () => {
    near(jit(model.apply)(params, x, t, { y }), model.apply(params, x, t, { y }), 1e-5);
  });

  it('tells examples apart by time and class, and nothing else', () => {
    const twice = concat([x, x], { axis: 0 });
    const all = model.apply(params, twice, tensor([3, 700, 4, 700]), { y: tensor([1, 3, 1, 2], { dtype: 'int32' }) });
    const [a, b, c, d] = (reshape(all, [4, -1]).toArray() as number[][]).map(row => row[0]!);
    const [one, two] = (reshape(model.apply(params, x, t, { y }), [2, -1]).toArray() as number[][]).map(row => row[0]!);
    expect(a).toBeCloseTo(one!, 4);
    expect(b).toBeCloseTo(two!, 4);
    expect(c).not.toBeCloseTo(a!, 3);
    expect(d).not.toBeCloseTo(b!, 3);
  });

  it('can be mapped over many parameters', () => {
    const other = map(params, leaf => mul(leaf, 0.5)) as UnetParams;
    const flat = flatten(params);
    const both = flat.unflatten(
      flat.leaves.map((leaf, i) =>
        concat([expandDims(leaf as Tensor, 0), expandDims(flatten(other).leaves[i] as Tensor, 0)], { axis: 0 }),
      ),
    ) as UnetParams;
    const results = vmap((p: UnetParams) => model.apply(p, x, t, { y }))(both);
    const one = model.apply(other, x, t, { y });
    near(
      reshape(results, [2, -1]),
      concat([model.apply(params, x, t, { y }), one].map(r => reshape(r, [1, -1]))),
      1e-5,
    );
  });

  it('has the same gradients with checkpoints, out of less memory', () => {
    const kept = unet({ ...everything, checkpointing: true });
    const plain = model;
    const own = map(params, leaf => cast(leaf as Tensor, 'float64')) as UnetParams;
    const gradients = [plain, kept].map(m => {
      const slope = jit(grad((p: UnetParams) => sum(square(m.apply(p, x, t, { y }))) as Tensor));
      const all = stateDict(m, slope(own));
      return { all, bytes: planOf(tracesOf(slope)[0]!.program).bytes };
    });
    const [one, other] = gradients as [(typeof gradients)[0], (typeof gradients)[0]];
    const largest = Math.max(...Object.values(one.all).map(value => (max(abs(value)) as Tensor).item() as number));
    for (const [name, value] of Object.entries(one.all)) {
      const off = (max(abs(sub(value, other.all[name]!))) as Tensor).item() as number;
      expect(off, name).toBeLessThanOrEqual(1e-12 * largest);
    }
    expect(other.bytes).toBeLessThan(0.75 * one.bytes);
  }, 30_000);

  it('drops elements in training only, by the key', () => {
    const dropping = unet({ ...everything, dropout: 0.5 });
    const applied = (k?: number): unknown =>
      dropping.apply(params, x, t, k === undefined ? { y } : { y, key: key(k) }).toArray();
    expect(applied()).toEqual(model.apply(params, x, t, { y }).toArray());
    expect(applied(1)).toEqual(applied(1));
    expect(applied(1)).not.toEqual(applied(2));
    expect(applied(1)).not.toEqual(applied());
    expect(model.apply(params, x, t, { y, key: key(1) }).toArray()).toEqual(applied());
    const kept = unet({ ...everything, dropout: 0.5, checkpointing: true });
    near(kept.apply(params, x, t, { y, key: key(1) }), dropping.apply(params, x, t, { y, key: key(1) }), 1e-5);
  });

  it('computes in float64 with parameters of float64', () => {
    const wide = map(params, leaf => cast(leaf as Tensor, 'float64')) as UnetParams;
    const result = model.apply(wide, x, t, { y });
    expect(result.dtype).toBe('float64');
    near(model.apply(params, x, t, { y }), result, 1e-3);
  });

  it('takes pictures of other sizes, if they can be halved', () => {
    expect(model.apply(params, zeros([1, 2, 4, 6]), tensor([0]), { y: tensor([0], { dtype: 'int32' }) }).shape).toEqual(
      [1, 3, 4, 6],
    );
    const error = caught(() => model.apply(params, zeros([2, 2, 8, 7]), t, { y }));
    expect(error.message).toMatch(/unet: got float32\[2, 2, 8, 7\] as x; .*multiples of 2/);
  });

  it('names what is wrong with parameters', () => {
    const { out, ...rest } = params;
    const error = caught(() => model.apply(rest as UnetParams, x, t, { y }));
    expect(error.message).toMatch(/unet: got undefined as the parameter out\.conv\.bias; it is float32\[3\]/);
    expect(isTensor(out.conv.bias)).toBe(true);
  });
});

/** Kernels with zeros around on one axis more, at this place among the spatial ones: they see no neighbours along it. */
const widened = (leaf: Tensor, rank: number, axis: number): Tensor => {
  if (leaf.shape.length !== rank) return leaf;
  const around = expandDims(leaf, axis);
  if (leaf.shape[2] === 1) return around;
  return pad(
    around,
    around.shape.map((_, i) => (i === axis ? ([1, 1] as const) : ([0, 0] as const))),
  );
};

describe.each([
  { resblockUpdown: true, convResample: true },
  { resblockUpdown: false, convResample: true },
  { resblockUpdown: false, convResample: false },
])('a unet of another number of axes, with %j', options => {
  const plane = unet({ ...small, ...options });
  const params = random(plane.init(key(0)));

  it('is on lines what it is on pictures of equal columns', () => {
    const line = unet({ ...small, ...options, dims: 1 });
    const own = random(line.init(key(0)));
    const convolutions = new Set(
      Object.entries(stateDict(line, own))
        .filter(([name, { shape }]) => shape.length === 3 && !/qkv|proj_out/.test(name))
        .map(([name]) => name),
    );
    const flat = flatten(own);
    const wide = flat.unflatten(
      flat.leaves.map((leaf, i) =>
        convolutions.has(line.stateName(flat.paths[i]!)) ? widened(leaf as Tensor, 3, 3) : leaf,
      ),
    ) as UnetParams;
    const row = normal(key(2), [2, 2, 8]);
    const picture = broadcastTo(expandDims(row, 3), [2, 2, 8, 4]);
    const expected = broadcastTo(expandDims(line.apply(own, row, t), 3), [2, 3, 8, 4]);
    near(plane.apply(wide, picture, t), expected, 1e-3);
  });

  it('is in space what it is on pictures, the first axis left as it is', () => {
    const space = unet({ ...small, ...options, dims: 3 });
    const wide = map(params, leaf => widened(leaf, 4, 2)) as UnetParams;
    const block = broadcastTo(expandDims(x, 2), [2, 2, 3, 8, 8]);
    const expected = broadcastTo(expandDims(plane.apply(params, x, t), 2), [2, 3, 3, 8, 8]);
    near(space.apply(wide, block, t), expected, 1e-3);
  });
});

describe('unetEncoder', () => {
  const bare = { ...small, numResBlocks: 0, channelMult: [1], attentionResolutions: [] };

  it.each(['spatial', 'spatial_v2'] as const)('has means of the channels of all stages in the pool %s', pool => {
    const model = unetEncoder({ ...bare, pool });
    const params = model.init(key(4));
    // All residual branches start at 0.
    const first = params.inputBlocks[0]![0] as { readonly weight: Tensor; readonly bias: Tensor };
    const seen = add(conv2d(x, first.weight, { padding: 1 }), reshape(first.bias, [32, 1, 1]));
    const averages = mean(seen, { axis: [2, 3] });
    const { out } = params as unknown as {
      readonly out: Record<'first' | 'last' | 'norm', { readonly weight: Tensor; readonly bias: Tensor }>;
    };
    const inner = add(matmul(concat([averages, averages], { axis: 1 }), transpose(out.first.weight)), out.first.bias);
    const active = pool === 'spatial' ? relu(inner) : silu(groupNorm(32, 2048).apply(out.norm, inner as Tensor));
    const expected = add(matmul(active as Tensor, transpose(out.last.weight)), out.last.bias);
    near(model.apply(params, x, t), expected as Tensor, 1e-5);
    const names = Object.keys(stateDict(model, params)).filter(name => name.startsWith('out.'));
    const places = pool === 'spatial' ? ['0', '2'] : ['0', '1', '3'];
    expect(names.sort()).toEqual(places.flatMap(place => [`out.${place}.bias`, `out.${place}.weight`]));
  });

  it('counts the channels of all stages', () => {
    const model = unetEncoder({ ...small, pool: 'spatial' });
    const { out } = model.init(key(0)) as unknown as { readonly out: { readonly first: { readonly weight: Tensor } } };
    expect(out.first.weight.shape).toEqual([2048, 32 + 32 + 32 + 64 + 64]);
    expect(model.apply(model.init(key(0)), x, t).shape).toEqual([2, 3]);
  });

  it('is the same compiled, and drops by the key', () => {
    const model = unetEncoder({ ...small, pool: 'attention', imageSize: 8, numHeadChannels: 16, dropout: 0.5 });
    const params = random(model.init(key(0)));
    near(jit(model.apply)(params, x, t), model.apply(params, x, t), 1e-5);
    const dropped = model.apply(params, x, t, { key: key(1) });
    expect(dropped.toArray()).not.toEqual(model.apply(params, x, t).toArray());
  });

  it('takes lines in the pool by attention', () => {
    const model = unetEncoder({ ...small, dims: 1, pool: 'attention', imageSize: 8, numHeadChannels: 16 });
    expect(model.apply(random(model.init(key(0))), zeros([2, 2, 8]), t).shape).toEqual([2, 3]);
  });
});

describe('loadStateDict', () => {
  const model = unet(small);
  const state = stateDict(model, model.init(key(5)));

  it('undoes stateDict', () => {
    const loaded = loadStateDict(model, state);
    if (loaded._tag === 'Left') throw loaded.left;
    expect(stateDict(model, loaded.right)).toEqual(state);
    expect(model.apply(loaded.right, x, t).shape).toEqual([2, 3, 8, 8]);
  });

  it('says all that is wrong at once', () => {
    const { 'time_embed.0.weight': _, 'out.2.bias': __, ...rest } = state;
    const loaded = loadStateDict(model, {
      ...rest,
      'time_embed.1.weight': zeros([3]),
      'input_blocks.0.0.bias': zeros([33]),
      'out.0.bias': zeros([32], { dtype: 'int32' }),
    });
    const error = loaded._tag === 'Left' ? loaded.left : null;
    expect(error).toBeInstanceOf(StateDictError);
    expect(error?._tag).toBe('StateDictError');
    expect([...(error?.missing ?? [])].sort()).toEqual(['out.2.bias', 'time_embed.0.weight']);
    expect(error?.unexpected).toEqual(['time_embed.1.weight']);
    expect(error?.misshaped).toEqual([
      { name: 'input_blocks.0.0.bias', given: 'float32[33]', wanted: 'float32[32]' },
      { name: 'out.0.bias', given: 'int32[32]', wanted: 'float32[32]' },
    ]);
    for (const name of ['out.2.bias', 'time_embed.1.weight', 'float32[33]', 'int32[32]']) {
      expect(error?.message).toContain(name);
    }
  });

  it('names the parameters of other layers by their paths, in snake case', () => {
    const layer = {
      init: (k: ReturnType<typeof key>) => ({ inLayers: [linear(2, 3).init(k)], runningMean: zeros([3]) }),
    };
    expect(Object.keys(stateDict(layer, layer.init(key(0))))).toEqual([
      'in_layers.0.bias',
      'in_layers.0.weight',
      'running_mean',
    ]);
  });
});

describe('attention between the places of a picture', () => {
  const block = attentionBlock({ channels: 32, heads: 2, order: 'legacy' });
  const params = map(block.init(key(1)), p =>
    normal(key((p as Tensor).shape.length), (p as Tensor).shape),
  ) as AttentionBlockParams;

  it('of many places is that of all of them at once', () => {
    const places = 700;
    const qkv = normal(key(2), [2, 96, places]) as Tensor;
    const [q, k, v] = [0, 1, 2].map(i =>
      swapAxes(slice(qkv, [0, 32 * i, 0], [2, 32 * (i + 1), places]) as Tensor, -1, -2),
    ) as readonly Tensor[] as readonly [Tensor, Tensor, Tensor];
    const wanted = swapAxes(attention(q, k, v) as Tensor, -1, -2) as Tensor;
    const apart = max(abs(sub(qkvAttention(qkv, 1, 'legacy'), wanted))) as Tensor;
    expect(apart.item()).toBeLessThan(1e-5);
  });

  it('needs memory that grows with their number, not with its square, and so does its gradient', () => {
    const loss = (p: AttentionBlockParams, x: Tensor): Tensor => sum(square(block.apply(p, x))) as Tensor;
    for (const f of [loss, grad(loss)]) {
      const bytes = (side: number): number => {
        const run = jit(f as typeof loss);
        run(params, zeros([1, 32, side, side]) as Tensor);
        return planOf(tracesOf(run)[0]!.program).bytes;
      };
      expect(bytes(64)).toBeLessThan(4.5 * bytes(32));
    }
  });
});
