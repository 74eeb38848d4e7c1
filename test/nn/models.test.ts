/** Models: diffusion transformers. */
import {
  abs,
  add,
  cast,
  grad,
  jit,
  max,
  mean,
  mul,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { type DitName, type DitOptions, type DitParams, dit, loadStateDict, stateDict } from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { foldIn, type Key, key, normal, randint, split, uniform } from 'tenfold/random';
import { flatten, map } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { positions } from '../../src/nn/dit/patches.js';
import { skeletonOf } from '../../src/nn/skeleton.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { apart, countOf, numbers, random } from './parameters.js';

const small: DitOptions = {
  depth: 2,
  hiddenSize: 16,
  numHeads: 2,
  patchSize: 2,
  inputSize: 8,
  inChannels: 3,
  numClasses: 4,
};

const x = normal(key(1), [2, 3, 8, 8]);
const t = tensor([3, 700]);
const y = tensor([1, 3], { dtype: 'int32' });

/** A picture, [channels][rows][columns]. */
type Picture = readonly (readonly (readonly number[])[])[];

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, i) => total + value * b[i]!, 0);

const plus = (a: readonly number[], b: readonly number[]): readonly number[] => a.map((value, i) => value + b[i]!);

const siluOf = (v: number): number => v / (1 + Math.exp(-v));

/** The forward pass for one example in plain numbers, by the names of the state dict. */
const plainly = (state: Readonly<Record<string, Tensor>>, picture: Picture, time: number, label: number): Picture => {
  const { depth, hiddenSize: size, numHeads, patchSize, inputSize } = small as Required<DitOptions>;
  const grid = inputSize / patchSize;
  const values = (name: string) => state[name]!.toArray() as unknown;
  const layer = (name: string, v: readonly number[]): readonly number[] => {
    const bias = values(`${name}.bias`) as number[];
    return (values(`${name}.weight`) as number[][]).map((row, i) => dot(row, v) + bias[i]!);
  };
  const part = (v: readonly number[], i: number): readonly number[] => v.slice(i * size, (i + 1) * size);
  const modulate = (v: readonly number[], shift: readonly number[], scale: readonly number[]): readonly number[] => {
    const center = v.reduce((a, b) => a + b, 0) / size;
    const deviation = Math.sqrt(v.reduce((a, b) => a + (b - center) ** 2, 0) / size + 1e-6);
    return v.map((value, i) => ((value - center) / deviation) * (1 + scale[i]!) + shift[i]!);
  };
  const angles = Array.from({ length: 128 }, (_, i) => time * 10_000 ** (-i / 128));
  const waves = [...angles.map(Math.cos), ...angles.map(Math.sin)];
  const told = plus(
    layer('t_embedder.mlp.2', layer('t_embedder.mlp.0', waves).map(siluOf)),
    (values('y_embedder.embedding_table.weight') as number[][])[label]!,
  ).map(siluOf);
  const kernel = values('x_embedder.proj.weight') as number[][][][];
  const offset = values('x_embedder.proj.bias') as number[];
  const places = values('pos_embed') as number[][][];
  let rows: readonly (readonly number[])[] = Array.from({ length: grid * grid }, (_, at) => {
    const [top, left] = [Math.floor(at / grid) * patchSize, (at % grid) * patchSize];
    const vector = kernel.map((channels, o) =>
      channels.reduce(
        (total, lines, c) =>
          total +
          lines.reduce((sum, line, i) => sum + dot(line, picture[c]![top + i]!.slice(left, left + patchSize)), 0),
        offset[o]!,
      ),
    );
    return plus(vector, places[0]![at]!);
  });
  const width = size / numHeads;
  const attended = (name: string, all: readonly (readonly number[])[]): readonly (readonly number[])[] => {
    const qkv = all.map(v => layer(`${name}.qkv`, v));
    const head = (v: readonly number[], which: number, h: number) =>
      v.slice(which * size + h * width, which * size + (h + 1) * width);
    return qkv.map(own => {
      const heads = Array.from({ length: numHeads }, (_, h) => {
        const weights = qkv.map(other => Math.exp(dot(head(own, 0, h), head(other, 1, h)) / Math.sqrt(width)));
        const total = weights.reduce((a, b) => a + b, 0);
        return Array.from(
          { length: width },
          (_, i) =>
            dot(
              weights,
              qkv.map(other => head(other, 2, h)[i]!),
            ) / total,
        );
      });
      return layer(`${name}.proj`, heads.flat());
    });
  };
  const geluOf = (v: number): number => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
  for (let i = 0; i < depth; i++) {
    const all = layer(`blocks.${i}.adaLN_modulation.1`, told);
    const [shift, scale, gate, shift2, scale2, gate2] = [0, 1, 2, 3, 4, 5].map(n => part(all, n)) as [
      ...(readonly number[])[],
    ];
    const seen = attended(
      `blocks.${i}.attn`,
      rows.map(v => modulate(v, shift!, scale!)),
    );
    rows = rows.map((v, n) => v.map((value, j) => value + gate![j]! * seen[n]![j]!));
    rows = rows.map(v => {
      const inner = layer(`blocks.${i}.mlp.fc1`, modulate(v, shift2!, scale2!)).map(geluOf);
      const outer = layer(`blocks.${i}.mlp.fc2`, inner);
      return v.map((value, j) => value + gate2![j]! * outer[j]!);
    });
  }
  const last = layer('final_layer.adaLN_modulation.1', told);
  const ends = rows.map(v => layer('final_layer.linear', modulate(v, part(last, 0), part(last, 1))));
  const outputs = ends[0]!.length / patchSize ** 2;
  return Array.from({ length: outputs }, (_, c) =>
    Array.from({ length: inputSize }, (_, h) =>
      Array.from({ length: inputSize }, (_, w) => {
        const at = Math.floor(h / patchSize) * grid + Math.floor(w / patchSize);
        return ends[at]![((h % patchSize) * patchSize + (w % patchSize)) * outputs + c]!;
      }),
    ),
  );
};

describe('dit', () => {
  it.each([
    ['DiT-S/2', 33],
    ['DiT-B/2', 130],
    ['DiT-L/2', 458],
    ['DiT-XL/2', 675],
  ] as const)('%s has %i million parameters', (name: DitName, millions) => {
    const model = dit({ name, numClasses: 1000 });
    expect(Math.round(countOf(model.init) / 1e6)).toBe(millions);
  });

  it('DiT-XL/2 has as many as its training code counts, positions among them', () => {
    const model = dit({ numClasses: 1000 });
    expect(countOf(model.init) + sizeOf(model.stateConstants().pos_embed!.shape)).toBe(675_129_632);
  });

  it('has names of which each stands for a patch size', () => {
    const shape = (name: DitName) =>
      (skeletonOf('test', dit({ name, numClasses: 1000 }).init).unflatten as (leaves: readonly unknown[]) => DitParams)(
        skeletonOf('test', dit({ name, numClasses: 1000 }).init).leaves,
      ).xEmbedder.weight.shape;
    expect(shape('DiT-S/8')).toEqual([384, 4, 8, 8]);
    expect(shape('DiT-B/4')).toEqual([768, 4, 4, 4]);
  });

  const model = dit(small);
  const fresh = model.init(key(0));
  const params = random(fresh);

  it('starts as 0, with all but the gates drawn', () => {
    const start = model.apply(fresh, x, t, { y });
    expect(start.shape).toEqual([2, 6, 8, 8]);
    expect(numbers(start).every(value => value === 0)).toBe(true);
    const still = Object.entries(stateDict(model, fresh))
      .filter(([, value]) => numbers(value).every(each => each === 0))
      .map(([name]) => name);
    expect(still.filter(name => !name.endsWith('bias')).sort()).toEqual([
      'blocks.0.adaLN_modulation.1.weight',
      'blocks.1.adaLN_modulation.1.weight',
      'final_layer.adaLN_modulation.1.weight',
      'final_layer.linear.weight',
    ]);
  });

  it('has the names of facebookresearch/DiT', () => {
    const block = (i: number): readonly string[] =>
      ['attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2', 'adaLN_modulation.1'].map(name => `blocks.${i}.${name}`);
    const layers = ['x_embedder.proj', 't_embedder.mlp.0', 't_embedder.mlp.2', ...block(0), ...block(1)];
    const all = [...layers, 'final_layer.linear', 'final_layer.adaLN_modulation.1'];
    const state = stateDict(model, params);
    expect(Object.keys(state).sort()).toEqual(
      [
        ...all.flatMap(name => [`${name}.weight`, `${name}.bias`]),
        'y_embedder.embedding_table.weight',
        'pos_embed',
      ].sort(),
    );
    const again = loadStateDict(model, state);
    if (again._tag === 'Left') throw again.left;
    expect(numbers(model.apply(again.right, x, t, { y }))).toEqual(numbers(model.apply(params, x, t, { y })));
    const { pos_embed, ...rest } = state;
    expect(loadStateDict(model, rest)).toMatchObject({ left: { missing: ['pos_embed'] } });
    const wrong = loadStateDict(model, { ...rest, pos_embed: reshape(pos_embed!, [16, 16]) });
    expect(wrong).toMatchObject({ left: { misshaped: [{ name: 'pos_embed' }] } });
  });

  it('refuses parameters of a deeper model, of which it would use some', () => {
    const deeper = dit({ ...small, depth: 3 }).init(key(0));
    expect(() => model.apply(deeper, x, t, { y })).toThrow(/dit: got a parameter .*blocks\[2\]/);
  });

  it('computes what the paper says, in plain numbers', () => {
    const own = map(params, leaf => cast(leaf as Tensor, 'float64')) as DitParams;
    // The positions as they are in float64: loaded ones are not used.
    const state = { ...stateDict(model, own), pos_embed: positions(16, 4, 'float64') };
    const inputs = cast(x, 'float64') as Tensor;
    const got = model.apply(own, inputs, t, { y });
    for (const [i, [time, label]] of [[3, 1] as const, [700, 3] as const].entries()) {
      const wanted = plainly(state, (inputs.toArray() as unknown as Picture[])[i]!, time, label).flat(2);
      const one = ((reshape(got, [2, -1]) as Tensor).toArray() as number[][])[i]!;
      expect(one.length).toBe(wanted.length);
      for (const [j, value] of one.entries()) expect(Math.abs(value - wanted[j]!)).toBeLessThan(1e-9);
    }
  });

  it('has sines of the column, then of the row', () => {
    const table = positions(8, 3, 'float64').toArray() as number[][][];
    // Row 1, column 2: frequencies 1 and 1/100.
    const wanted = [2, 0.02].map(Math.sin).concat([2, 0.02].map(Math.cos));
    const below = [1, 0.01].map(Math.sin).concat([1, 0.01].map(Math.cos));
    for (const [i, value] of [...wanted, ...below].entries()) expect(table[0]![5]![i]).toBeCloseTo(value, 12);
  });

  it('is the same compiled, and with checkpoints', () => {
    const plain = model.apply(params, x, t, { y });
    expect(Math.max(...numbers(plain).map(Math.abs))).toBeGreaterThan(0.1);
    expect(apart(jit(model.apply)(params, x, t, { y }), plain)).toBeLessThan(1e-4);
    const loss = (of: typeof model) => (p: DitParams) => sum(square(of.apply(p, x, t, { y }))) as Tensor;
    const own = map(params, leaf => cast(leaf as Tensor, 'float64')) as DitParams;
    const [one, other] = [model, dit({ ...small, checkpointing: true })].map(of => stateDict(of, grad(loss(of))(own)));
    for (const [name, value] of Object.entries(one!)) {
      const scale = 1 + ((max(abs(value)) as Tensor).item() as number);
      expect(apart(other![name]!, value), name).toBeLessThan(1e-10 * scale);
    }
  });

  it('has gradients as differences say, for every parameter', () => {
    const own = map(params, leaf => cast(leaf as Tensor, 'float64')) as DitParams;
    const loss = jit((p: DitParams) => mean(square(model.apply(p, x, t, { y }))) as Tensor);
    const slopes = flatten(grad(loss)(own));
    const flat = flatten(own);
    const step = 1e-5;
    for (const [i, slope] of (slopes.leaves as readonly Tensor[]).entries()) {
      const way = normal(foldIn(key(5), i), slope.shape, { dtype: 'float64' });
      const at = (by: number): number =>
        loss(
          flat.unflatten(
            (flat.leaves as readonly Tensor[]).map((leaf, j) => (j === i ? add(leaf, mul(way, by)) : leaf)),
          ) as DitParams,
        ).item() as number;
      const wanted = (at(step) - at(-step)) / (2 * step);
      const got = (sum(mul(slope, way)) as Tensor).item() as number;
      expect(Math.abs(got - wanted), String(flat.paths[i])).toBeLessThan(1e-6 * (1 + Math.abs(wanted)));
      expect(Math.abs(got), String(flat.paths[i])).toBeGreaterThan(0);
    }
  });

  it('sees every patch from every other, and tells examples apart by time and class only', () => {
    const plain = model.apply(params, x, t, { y });
    const changed = model.apply(params, add(x, reshape(cast(tensor([1, 0]), 'float32'), [2, 1, 1, 1])), t, { y });
    const [first, second] = (reshape(abs(sub(plain, changed)), [2, -1]) as Tensor).toArray() as number[][];
    expect(Math.min(...first!)).toBeGreaterThanOrEqual(0);
    expect(first!.filter(value => value > 1e-6).length).toBe(first!.length);
    expect(Math.max(...second!)).toBe(0);
    expect(apart(model.apply(params, x, tensor([4, 700]), { y }), plain)).toBeGreaterThan(1e-3);
    expect(apart(model.apply(params, x, t, { y: tensor([1, 2], { dtype: 'int32' }) }), plain)).toBeGreaterThan(1e-3);
  });

  it('leaves out classes with a key, as often as told', () => {
    const many = dit({ ...small, depth: 1, classDropoutProb: 0.25 });
    const own = random(many.init(key(0)));
    const n = 400;
    const alike = zeros([n, 3, 8, 8]);
    const classes = zeros([n], { dtype: 'int32' });
    const given = many.apply(own, alike, zeros([n]), { y: classes, key: key(3) });
    const [one] = numbers(many.apply(own, zeros([1, 3, 8, 8]), zeros([1]), { y: zeros([1], { dtype: 'int32' }) }));
    const [none] = numbers(many.apply(own, zeros([1, 3, 8, 8]), zeros([1]), { y: tensor([4], { dtype: 'int32' }) }));
    const firsts = (reshape(given, [n, -1]).toArray() as number[][]).map(row => row[0]!);
    expect(firsts.every(value => Math.min(Math.abs(value - one!), Math.abs(value - none!)) < 1e-4)).toBe(true);
    const left = firsts.filter(value => Math.abs(value - none!) < 1e-4).length;
    expect(left).toBeGreaterThan(n * 0.25 - 4 * Math.sqrt(n * 0.1875));
    expect(left).toBeLessThan(n * 0.25 + 4 * Math.sqrt(n * 0.1875));
    expect(dit({ ...small, classDropoutProb: 0 }).init(key(0)).yEmbedder!.weight.shape).toEqual([4, 16]);
    expect(fresh.yEmbedder!.weight.shape).toEqual([5, 16]);
  });

  it('can be mapped over keys, and made without classes and sigma', () => {
    const plain = dit({ ...small, numClasses: undefined as never, learnSigma: false });
    const own = random(plain.init(key(0)));
    expect(own.yEmbedder).toBeNull();
    const wanted = plain.apply(own, x, t);
    expect(wanted.shape).toEqual([2, 3, 8, 8]);
    const each = vmap((one: Tensor, at: Tensor) =>
      plain.apply(own, reshape(one, [1, 3, 8, 8]) as Tensor, reshape(at, [1]) as Tensor),
    )(x as Tensor, t as Tensor);
    expect(apart(reshape(each, [2, 3, 8, 8]) as Tensor, wanted)).toBeLessThan(1e-4);
  });

  it('is told time and class once the gates have opened, which takes two steps', () => {
    const optimizer = adam(1e-2);
    const target = normal(key(4), [2, 6, 8, 8]);
    const slope = jit(grad((p: DitParams) => mean(square(sub(model.apply(p, x, t, { y }), target))) as Tensor));
    const told = (p: DitParams): readonly number[] => [
      apart(model.apply(p, x, t, { y }), model.apply(p, x, tensor([4, 700]), { y })),
      apart(model.apply(p, x, t, { y }), model.apply(p, x, t, { y: tensor([1, 2], { dtype: 'int32' }) })),
    ];
    let [own, state] = [fresh, optimizer.init(fresh)];
    for (const step of [1, 2]) {
      const [updates, next] = optimizer.update(slope(own), state, own);
      [own, state] = [applyUpdates(own, updates), next];
      expect(Math.max(...numbers(model.apply(own, x, t, { y })).map(Math.abs))).toBeGreaterThan(1e-3);
      if (step === 1) expect(told(own)).toEqual([0, 0]);
      else expect(Math.min(...told(own))).toBeGreaterThan(1e-5);
    }
  });

  it('learns to take noise from pictures of two classes', () => {
    const small = { depth: 2, hiddenSize: 32, numHeads: 4, patchSize: 2, inputSize: 8, inChannels: 1, numClasses: 2 };
    const learner = dit({ ...small, learnSigma: false, classDropoutProb: 0 });
    const stripes = reshape(
      tensor(Array.from({ length: 128 }, (_, i) => ((i < 64 ? i >> 3 : i) % 4 < 2 ? 1 : -1))),
      [2, 1, 8, 8],
    ) as Tensor;
    // At time 0 there is the picture only, at time 1000 noise only.
    const noisy = (k: Key, n: number) => {
      const [forClass, forTime, forNoise] = split(k, 3) as readonly [Key, Key, Key];
      const classes = randint(forClass, [n], 0, 2);
      const share = uniform(forTime, [n]);
      const clean = take(stripes, classes, { axis: 0 }) as Tensor;
      const each = reshape(share, [n, 1, 1, 1]) as Tensor;
      const mixed = add(mul(sub(1, each), clean), mul(each, normal(forNoise, [n, 1, 8, 8]))) as Tensor;
      return { classes, times: mul(share, 1000) as Tensor, clean, mixed };
    };
    const loss = (p: DitParams, k: Key): Tensor => {
      const { classes, times, clean, mixed } = noisy(k, 16);
      return mean(square(sub(learner.apply(p, mixed, times, { y: classes }), clean))) as Tensor;
    };
    const optimizer = adam(3e-3);
    const step = jit((p: DitParams, state: never, k: Key) => {
      const [updates, next] = optimizer.update(grad(loss)(p, k), state, p);
      return { p: applyUpdates(p, updates), state: next };
    });
    const first = learner.init(key(0));
    let [p, state] = [first, optimizer.init(first) as unknown];
    for (let i = 0; i < 400; i++) ({ p, state } = step(p, state as never, foldIn(key(1), i)));
    expect(loss(first, key(2)).item()).toBe(1);
    expect(loss(p, key(2)).item()).toBeLessThan(0.03);
    // From noise alone it is the class that says what the picture is.
    const noise = normal(key(3), [2, 1, 8, 8]);
    const swapped = learner.apply(p, noise, tensor([1000, 1000]), { y: tensor([1, 0], { dtype: 'int32' }) });
    expect(
      (mean(square(sub(swapped, take(stripes, tensor([1, 0], { dtype: 'int32' }))))) as Tensor).item(),
    ).toBeLessThan(0.1);
  });
});
