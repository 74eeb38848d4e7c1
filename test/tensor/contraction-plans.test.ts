/** Kernels fused behind products and convolutions and in front of them: which are, and that no bit changes. */
import {
  broadcastTo,
  cast,
  cond,
  conv1d,
  conv2d,
  convTranspose2d,
  div,
  fold,
  greater,
  jit,
  matmul,
  maximum,
  neg,
  reshape,
  silu,
  slice,
  softmax,
  sum,
  type Tensor,
  tanh,
  transpose,
  where,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import type { ContractionStep } from '../../src/tensor/backend/wasm/steps.js';
import { b } from '../../src/tensor/build.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import {
  both,
  type ConvCase,
  computedAll,
  conv,
  convOperands,
  kindsOf,
  noiseOf,
  planFor,
  product,
  same,
  stored,
  times,
  written,
  writtenAs,
} from './contraction-cases.js';

const plan = (...roots: readonly Tensor[]) => planFor(...roots.map(nodeOf));

/** Products whose tiles can be cut into rows of the result. */
const products: Readonly<Record<string, () => Tensor>> = {
  'a matrix': () => product(stored([40, 33]), stored([33, 64])),
  'few rows': () => product(stored([5, 321]), stored([321, 16])),
  'one row': () => product(stored([1, 20]), stored([20, 48])),
  'columns of two tiles': () => product(stored([9, 20]), stored([20, 320])),
  'more rows than are packed at a time': () => product(stored([2100, 7]), stored([7, 24])),
  'more columns than are packed at a time': () => product(stored([3, 330]), transpose(stored([2304, 330])) as Tensor),
  'tiles as wide as the result': () => product(stored([331, 12]), stored([12, 413])),
  'many rows, and columns of two wide tiles': () => product(stored([165, 7]), stored([7, 2112])),
  'a width that fills no panel': () => product(stored([70, 50]), stored([50, 251])),
  'a batch': () => product(stored([3, 20, 9]), stored([3, 9, 24])),
  'turned operands': () => product(transpose(stored([33, 40])) as Tensor, transpose(stored([72, 33])) as Tensor),
  'one matrix for several': () => product(stored([4, 11, 9]), stored([9, 40])),
  'a convolution': () => conv2d(stored([2, 8, 10, 12]), stored([16, 8, 3, 3]), { padding: 'same' }) as Tensor,
  'a convolution in bands': () =>
    conv2d(stored([1, 50, 48, 32]), stored([20, 50, 3, 3]), { padding: 'same' }) as Tensor,
  'a convolution with 5×5 taps in bands': () =>
    conv2d(stored([1, 50, 48, 32]), stored([20, 50, 5, 5]), { padding: 'same' }) as Tensor,
  'a convolution by minimal algorithms': () =>
    conv2d(stored([5, 20, 6, 10]), stored([17, 20, 3, 3]), { padding: 'same' }) as Tensor,
  'a convolution by minimal algorithms with rows in blocks': () =>
    conv2d(stored([2, 130, 8, 8]), stored([150, 130, 3, 3]), { padding: 'same' }) as Tensor,
  'a convolution of images that are done together': () =>
    conv2d(stored([19, 24, 6, 8]), stored([14, 12, 3, 3]), { groups: 2, stride: 2, padding: 1 }) as Tensor,
  'a convolution in groups': () => conv2d(stored([2, 8, 9, 9]), stored([12, 4, 2, 2]), { groups: 2 }) as Tensor,
  'a convolution along one axis': () => conv1d(stored([3, 5, 64]), stored([7, 5, 3]), { padding: 1 }) as Tensor,
  'a convolution with a stride': () =>
    conv2d(stored([2, 8, 16, 16]), stored([16, 8, 3, 3]), { stride: 2, padding: 1 }) as Tensor,
  'a transposed convolution': () =>
    convTranspose2d(stored([2, 8, 6, 8]), stored([8, 6, 4, 4]), { stride: 2, padding: 1 }),
  'a convolution with a large kernel': () =>
    conv2d(stored([1, 512, 4, 4]), stored([520, 512, 3, 3]), { padding: 'same' }) as Tensor,
  'a gradient of a kernel': () => {
    const one: ConvCase = { n: 5, g: 2, o: 6, c: 4, size: [9, 10], kernel: [3, 3] };
    return wrap(conv(one, 'kernel', convOperands(one, 'kernel'))) as Tensor;
  },
  'a gradient of a kernel of many channels': () => {
    const one: ConvCase = { n: 2, g: 1, o: 170, c: 33, size: [5, 6], kernel: [3, 3] };
    return wrap(conv(one, 'kernel', convOperands(one, 'kernel'))) as Tensor;
  },
};

/** A tensor that is added to each row or channel. */
const biasOf = ({ shape }: Tensor): Tensor =>
  shape.length === 4 ? stored([shape[1]!, 1, 1], 5) : stored([shape[shape.length - 1]!], 5);

/** Kernels that go along with a result. */
const epilogues: Readonly<Record<string, (p: Tensor) => readonly Tensor[]>> = {
  bias: p => [both(p, biasOf(p))],
  'an activation': p => [silu(both(p, biasOf(p)))],
  'a residual': p => [both(p, stored(p.shape, 3))],
  'bias, activation, residual, scale': p => [times(both(silu(both(p, biasOf(p))), stored(p.shape, 3)), 0.7)],
  'a residual that is turned': p => [both(p, transpose(stored([...p.shape].reverse(), 4)) as Tensor)],
  'a function of much work': p => [tanh(both(tanh(p) as Tensor, tanh(neg(p)) as Tensor)) as Tensor],
  'a choice by index': p => {
    const index = wrap(b.iota({ shape: p.shape, dtype: 'int32', axis: p.shape.length - 1 })) as Tensor;
    return [where(greater(index, 3) as never, p as never, 0) as Tensor];
  },
  'several results': p => [times(p, 2), both(p, biasOf(p)), times(p, p)],
  'the product itself as well': p => [p, silu(p)],
  division: p => [div(p, 3) as Tensor, div(1, p) as Tensor],
  float64: p => [cast(times(p, 3), 'float64') as Tensor],
  int32: p => [cast(times(p, 10), 'int32') as Tensor],
  'a truth value': p => [greater(p, 0.25) as Tensor],
  'results of several widths': p => [
    cast(p, 'float64') as Tensor,
    maximum(p, 0) as Tensor,
    greater(p, 0) as Tensor,
    times(p, 3),
    cast(p, 'int32') as Tensor,
  ],
};

/** The results in one evaluation and in two, bit for bit. */
const checkAlike = (make: () => Tensor, behind: (p: Tensor) => readonly Tensor[], what: string): void => {
  const fused = computedAll(...behind(make()).map(nodeOf));
  const apart = wrap(written(nodeOf(make()))) as Tensor;
  const separate = computedAll(...behind(apart).map(nodeOf));
  fused.forEach((values, i) => {
    same(values, separate[i]!, `${what}, result ${i}`);
  });
};

describe('kernels behind contractions', () => {
  it('leave a product alone that they need a part of, or nothing', () => {
    const make = products['few rows']!;
    const none = (p: Tensor): Tensor => broadcastTo(reshape(p, [1, ...p.shape]), [0, ...p.shape]) as Tensor;
    const first = (p: Tensor): Tensor => slice(p, [0, 0], [1, p.shape[1]!]) as Tensor;
    checkAlike(make, p => [neg(none(p)) as Tensor, p], 'nothing');
    checkAlike(make, p => [neg(none(p)) as Tensor], 'nothing alone');
    checkAlike(products['a batch']!, p => [none(p), none(p)], 'nothing of a batch');
    checkAlike(make, p => [none(p)], 'a copy of nothing');
    const branch = (x: Tensor): Tensor => none(matmul(x as never, x as never) as Tensor);
    const square = stored([16, 16], 3);
    expect(
      (cond(greater(sum(square), 1e9) as never, branch as never, branch as never)(square as never) as Tensor).shape,
    ).toEqual([0, 16, 16]);
    (cond(greater(sum(square), 1e9) as never, branch as never, branch as never)(square as never) as Tensor).dataSync();
    checkAlike(make, p => [neg(first(p)) as Tensor, p], 'a part');
    checkAlike(make, p => [neg(first(p)) as Tensor], 'a part alone');
  });

  it('read the product before a result that needs it not takes its place', () => {
    const make = products['few rows']!;
    const turns: readonly ((p: Tensor, x: Tensor) => readonly Tensor[])[] = [
      (p, x) => [tanh(x) as Tensor, both(neg(p) as Tensor, x)],
      (p, x) => [both(neg(p) as Tensor, x), tanh(x) as Tensor],
      (p, x) => [silu(neg(p) as Tensor), both(neg(p) as Tensor, x), tanh(x) as Tensor],
      (p, x) => [tanh(x) as Tensor, both(neg(p) as Tensor, x), silu(neg(p) as Tensor)],
    ];
    turns.forEach((turn, i) => {
      checkAlike(make, p => turn(p, stored(p.shape, 5)), `turn ${i}`);
    });
  });

  for (const [name, make] of Object.entries(products)) {
    it(`${name}: give the same bits as apart, in one step that keeps no product`, () => {
      for (const [epilogue, behind] of Object.entries(epilogues)) {
        checkAlike(make, behind, `${name}, ${epilogue}`);
        const results = behind(make());
        const { steps, bytes } = plan(...results);
        expect(
          steps.map(({ kind }) => kind),
          `${name}, ${epilogue}`,
        ).toEqual(['contraction']);
        const [step] = steps as readonly ContractionStep[];
        expect(step!.epilogue, `${name}, ${epilogue}`).not.toBeNull();
        if (results.some(({ dtype }) => dtype === 'float32')) {
          // Beside numbers there is nothing that the product by itself has not.
          expect(step!.out.kind).toBe('output');
          expect(bytes - plan(make()).bytes).toBeLessThanOrEqual(64);
        }
      }
    });
  }

  it('what cannot be cut into tiles has its kernel behind it, and is right', () => {
    const apart: Readonly<Record<string, () => Tensor>> = {
      '511 columns': () => product(stored([6, 20]), stored([20, 511])),
      '7 columns': () => product(stored([60, 20]), stored([20, 7])),
      'one column': () => product(stored([300, 20]), stored([20, 1])),
      'three columns': () => product(stored([300, 20]), stored([20, 3])),
      'few places': () => conv2d(stored([5, 8, 2, 3]), stored([4, 8, 1, 1])) as Tensor,
    };
    for (const [name, make] of Object.entries(apart)) {
      for (const [epilogue, behind] of Object.entries(epilogues)) {
        checkAlike(make, behind, `${name}, ${epilogue}`);
        expect(kindsOf(plan(...behind(make()))), `${name}, ${epilogue}`).toEqual(['contraction', 'kernel']);
      }
    }
  });

  it('with bands of an image that do not divide its rows is right', () => {
    const make = (): Tensor => conv2d(stored([1, 50, 40, 32]), stored([4, 50, 3, 3]), { padding: 'same' }) as Tensor;
    for (const [epilogue, behind] of Object.entries(epilogues)) checkAlike(make, behind, epilogue);
  });

  it('other readers of the product find it whole', () => {
    for (const [name, make] of Object.entries(products)) {
      const last = (p: Tensor): number => p.shape.length - 1;
      checkAlike(make, p => [silu(p), sum(p, { axis: 0 }) as Tensor], `${name}, a sum across`);
      checkAlike(make, p => [silu(p), sum(p, { axis: last(p) }) as Tensor, neg(p) as Tensor], `${name}, a sum along`);
      checkAlike(make, p => [softmax(p), times(p, 2)], `${name}, a softmax`);
      checkAlike(make, p => [both(p, biasOf(p)), transpose(p) as Tensor], `${name}, turned`);
      checkAlike(
        make,
        p => [silu(p), product(reshape(p, [-1, p.shape[last(p)]!]) as Tensor, stored([p.shape[last(p)]!, 3]))],
        `${name}, a product`,
      );
    }
  });

  it('that need other places than those that are ready stay by themselves', () => {
    const make = (): Tensor => product(stored([24, 30]), stored([30, 24]));
    const elsewhere: Readonly<Record<string, (p: Tensor) => Tensor>> = {
      'turned and plain': p => both(p, transpose(p) as Tensor),
      'its rows in turn': p => both(p, slice(p, [0], [1]) as Tensor),
      'a part of it': p => times(slice(p, [3, 2], [20, 18]) as Tensor, 2),
    };
    for (const [name, behind] of Object.entries(elsewhere)) {
      checkAlike(make, p => [behind(p)], name);
      expect(kindsOf(plan(behind(make()))), name).toEqual(['contraction', 'kernel']);
    }
  });

  it('a kernel is fused behind the last of the products that it reads', () => {
    const [x, w, v] = [stored([40, 30]), stored([30, 48], 1), stored([30, 48], 2)];
    const gated = (): Tensor => times(silu(product(x, w)), product(x, v));
    expect(kindsOf(plan(gated()))).toEqual(['contraction', 'contraction']);
    const [p, q] = [w, v].map(right => wrap(written(nodeOf(product(x, right)))) as Tensor) as [Tensor, Tensor];
    same(computedAll(nodeOf(gated()))[0]!, computedAll(nodeOf(times(silu(p), q)))[0]!, 'gated');
  });

  it('layers in a row give the bits of layers one by one', () => {
    const layer = (x: Tensor, i: number): Tensor =>
      both(x, silu(both(product(tanh(x) as Tensor, stored([32, 32], i)), stored([32], i))));
    const x = stored([50, 32]);
    let [whole, step] = [x, x];
    for (let i = 0; i < 6; i++) {
      whole = layer(whole, i);
      step = wrap(written(nodeOf(layer(step, i)))) as Tensor;
    }
    const wanted = computedAll(nodeOf(step))[0]!;
    same(computedAll(nodeOf(whole))[0]!, wanted, 'layers');
    const inside = jit((y: Tensor) => [0, 1, 2, 3, 4, 5].reduce(layer, y))(x);
    same(inside.dataSync() as Float32Array, wanted, 'jitted layers');
  });

  it('in the body of a loop give the bits of steps one by one', () => {
    const [x, w, bias] = [stored([20, 24]), stored([24, 24]), stored([24])];
    const once = (y: Tensor): Tensor => times(both(tanh(both(product(y, w), bias)) as Tensor, y), 0.5);
    let step = x;
    for (let i = 0; i < 5; i++) step = wrap(written(nodeOf(once(step)))) as Tensor;
    const looped = fold(once)(x, 5);
    same(looped.dataSync() as Float32Array, computedAll(nodeOf(step))[0]!, 'a loop');
  });

  it('follow their numbers from run to run', () => {
    const [x, w] = [stored([20, 24]), stored([24, 40])];
    const scaled = jit((y: Tensor, by: number): Tensor => times(product(y, w), by));
    for (const by of [2, -3.5, 0, 1]) {
      const apart = times(wrap(written(nodeOf(product(x, w)))) as Tensor, by);
      same(scaled(x, by).dataSync() as Float32Array, computedAll(nodeOf(apart))[0]!, `times ${by}`);
    }
  });
});

/** Uses of an operand of this shape. */
const uses: Readonly<Record<string, readonly [shape: readonly number[], use: (x: Tensor) => Tensor]>> = {
  'a left matrix': [[40, 64], x => product(x, stored([64, 48]))],
  'a left matrix of several blocks': [[70, 660], x => product(x, stored([660, 40]))],
  'many rows': [[2100, 16], x => product(x, stored([16, 24]))],
  'few rows': [[5, 321], x => product(x, stored([321, 16]))],
  'one row': [[1, 64], x => product(x, stored([64, 48]))],
  'a right matrix': [[33, 64], x => product(stored([40, 33]), x)],
  'a right matrix of many columns': [[33, 2304], x => product(stored([40, 33]), x)],
  'the right of few rows': [[330, 64], x => product(stored([3, 330]), x)],
  'the left of one column': [[300, 64], x => product(x, stored([64, 1]))],
  'a turned matrix': [[48, 33], x => product(stored([40, 33]), transpose(x) as Tensor)],
  'the left of a batch': [[3, 20, 40], x => product(x, stored([3, 40, 24]))],
  'the right of a batch': [[3, 20, 40], x => product(stored([3, 11, 20]), x)],
  'both at once': [[24, 40], x => product(x, transpose(x) as Tensor)],
  'a matrix by itself': [[24, 24], x => product(x, x)],
  'the input of a convolution': [[2, 8, 10, 12], x => conv2d(x, stored([16, 8, 3, 3]), { padding: 'same' }) as Tensor],
  'the input of one channel': [[5, 1, 8, 8], x => conv2d(x, stored([7, 1, 3, 3]), { padding: 'same' }) as Tensor],
  'the input of one channel in bands': [
    [2, 1, 64, 48],
    x => conv2d(x, stored([7, 1, 3, 3]), { padding: 'same' }) as Tensor,
  ],
  'the only row of an input': [[3, 4, 1, 24], x => conv2d(x, stored([7, 4, 3, 3]), { padding: 'same' }) as Tensor],
  'the only image of an input by minimal algorithms': [
    [1, 17, 8, 8],
    x => conv2d(x, stored([16, 17, 3, 3]), { padding: 'same' }) as Tensor,
  ],
  'the input of a convolution by minimal algorithms': [
    [3, 20, 8, 12],
    x => conv2d(x, stored([16, 20, 3, 3]), { padding: 'same' }) as Tensor,
  ],
  'the input in blocks of channels by 5×5 taps': [
    [1, 50, 20, 16],
    x =>
      conv2d(x, stored([20, 50, 5, 5]), {
        padding: [
          [2, 1],
          [0, 1],
        ],
      }) as Tensor,
  ],
  'the input in blocks of channels': [
    [1, 50, 20, 16],
    x =>
      conv2d(x, stored([20, 50, 3, 3]), {
        padding: [
          [2, 1],
          [0, 1],
        ],
      }) as Tensor,
  ],
  'the input of images that are done together': [
    [19, 24, 6, 8],
    x => conv2d(x, stored([14, 12, 3, 3]), { groups: 2, stride: 2, padding: 1 }) as Tensor,
  ],
  'the input of groups with strides': [
    [2, 8, 9, 16],
    x => conv2d(x, stored([12, 4, 2, 3]), { groups: 2, stride: 2 }) as Tensor,
  ],
  'the input of single places': [[2, 24, 8, 8], x => conv2d(x, stored([9, 24, 1, 1])) as Tensor],
  'the input of a large kernel': [
    [2, 512, 4, 4],
    x => conv2d(x, stored([520, 512, 3, 3]), { padding: 'same' }) as Tensor,
  ],
  'the input along one axis': [[3, 5, 64], x => conv1d(x, stored([7, 5, 3]), { dilation: 2, padding: 1 }) as Tensor],
  'the input of a transposed convolution': [
    [2, 8, 6, 8],
    x => convTranspose2d(x, stored([8, 6, 4, 4]), { stride: 2, padding: 1 }),
  ],
  'a kernel': [[16, 8, 3, 4], x => conv2d(stored([2, 8, 10, 12]), x) as Tensor],
  'the input of a gradient': [
    [2, 4, 9, 16],
    x =>
      wrap(
        conv(gradient, 'kernel', [nodeOf(reshape(x, [2, 1, 4, 9, 16]) as Tensor), noiseOf([2, 1, 6, 9, 16])]),
      ) as Tensor,
  ],
  'the output of a gradient': [
    [2, 6, 9, 16],
    x =>
      wrap(
        conv(gradient, 'kernel', [noiseOf([2, 1, 4, 9, 16]), nodeOf(reshape(x, [2, 1, 6, 9, 16]) as Tensor)]),
      ) as Tensor,
  ],
};
const gradient: ConvCase = {
  ...{ n: 2, g: 1, o: 6, c: 4, size: [9, 16], kernel: [3, 3] },
  padding: [
    [1, 1],
    [1, 1],
  ],
};

/** Kernels that make a tensor of a shape. */
const fronts: Readonly<Record<string, (shape: readonly number[]) => Tensor>> = {
  'an activation': shape => silu(stored(shape)),
  'scale, bias, activation': shape => {
    const x = stored(shape);
    return silu(both(times(x, 0.7), biasOf(x)));
  },
  'a sum with what is turned': shape => both(stored(shape), transpose(stored([...shape].reverse(), 4)) as Tensor),
  'numbers of 64 bits': shape => cast(times(cast(stored(shape), 'float64') as Tensor, 3), 'float32') as Tensor,
  bytes: shape => {
    const bytes = cast(times(both(stored(shape), 9), 10), 'uint8') as Tensor;
    return both(times(cast(wrap(writtenAs(nodeOf(bytes))) as Tensor, 'float32') as Tensor, 1 / 255), -0.5);
  },
  'a choice by index': shape => {
    const index = wrap(b.iota({ shape, dtype: 'int32', axis: shape.length - 1 })) as Tensor;
    return where(greater(index, 3) as never, stored(shape) as never, 0) as Tensor;
  },
  'a padded one': shape => {
    const [none, low] = [shape.map(() => 0), shape.map((n, axis) => (axis === shape.length - 1 ? n >> 2 : 0))];
    const inner = stored(shape.map((n, axis) => n - low[axis]!));
    return times(wrap(b.pad(nodeOf(inner), { low, high: none, interior: none })) as Tensor, 3);
  },
  'what is turned': shape => transpose(stored([...shape].reverse())) as Tensor,
  'an outer sum': shape => both(stored([...shape.slice(0, -1), 1]), stored([shape.at(-1)!])),
};

describe('kernels in front of contractions', () => {
  for (const [name, [shape, use]] of Object.entries(uses)) {
    it(`${name}: give the same bits as apart`, () => {
      for (const [front, make] of Object.entries(fronts)) {
        checkAlike(
          () => make(shape),
          x => [use(x)],
          `${front}, ${name}`,
        );
        checkAlike(
          () => make(shape),
          x => [silu(use(x))],
          `${front}, ${name}, an activation`,
        );
        checkAlike(
          () => make(shape),
          x => [use(x), x],
          `${front}, ${name}, stored as well`,
        );
      }
      checkAlike(
        () => silu(stored(shape)),
        x => [use(x), neg(x) as Tensor, use(times(x, 2))],
        `${name}, several readers`,
      );
    });
  }

  it('of both operands, and in the body of a loop', () => {
    const [x, y] = [stored([24, 24], 1), stored([24, 24], 2)];
    const step = (z: Tensor): Tensor => times(tanh(product(silu(z), both(y, 0.5))) as Tensor, 0.5);
    let [whole, apart] = [x, x];
    for (let i = 0; i < 4; i++) {
      whole = step(whole);
      const [left, right] = [silu(apart), both(y, 0.5)].map(z => wrap(written(nodeOf(z))) as Tensor);
      apart = wrap(written(nodeOf(times(tanh(product(left!, right!)) as Tensor, 0.5)))) as Tensor;
    }
    const wanted = computedAll(nodeOf(apart))[0]!;
    same(computedAll(nodeOf(whole))[0]!, wanted, 'steps');
    same(fold(step)(x, 4).dataSync() as Float32Array, wanted, 'a loop');
    same(jit(step)(jit(step)(jit(step)(jit(step)(x)))).dataSync() as Float32Array, wanted, 'jitted');
  });

  it('are one step with the input of a convolution and the left of a product', () => {
    const image = silu(stored([2, 8, 16, 16]));
    expect(kindsOf(plan(conv2d(image, stored([16, 8, 3, 3]), { padding: 1 }) as Tensor))).toEqual(['contraction']);
    expect(kindsOf(plan(product(silu(stored([40, 64])), stored([64, 48]))))).toEqual(['contraction']);
  });
});
