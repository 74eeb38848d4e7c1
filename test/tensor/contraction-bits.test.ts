/** Products and convolutions of float32: their bits depend on nothing but their terms. */
import { conv2d, jit, matmul, type Tensor, vmap } from 'tenfold';
import { describe, it } from 'vitest';
import { b } from '../../src/tensor/build.js';
import type { Node } from '../../src/tensor/graph.js';
import { operandRoles } from '../../src/tensor/primitives/convolution.js';
import type { ConvRole } from '../../src/tensor/primitives/signatures.js';
import { range, sizeOf } from '../../src/tensor/shape.js';
import { wrap } from '../../src/tensor/tensor.js';
import {
  at,
  batched,
  type ConvCase,
  computed,
  conv,
  convCases,
  convOperands,
  dot,
  leaf,
  letters,
  noise,
  noiseOf,
  roles,
  same,
  shapesOf,
  turned,
  views,
  written,
} from './contraction-cases.js';
import { below, pick, randomOf, shuffled } from './differential.js';

/** Around the lengths at which a sum gets another block. */
const depths = [1, 2, 3, 7, 255, 319, 320, 321, 640, 641, 1000];

describe('the bits of a product', () => {
  it('are those of each row among any number of rows', () => {
    for (const k of depths) {
      for (const n of [1, 3, 29, 70]) {
        const rows = noise(500 * k, k);
        const y = noiseOf([k, n]);
        const whole = computed(dot(leaf([500, k], rows), y));
        for (const m of [1, 2, 3, 5, 6, 7, 13, 16, 31, 32, 33, 100]) {
          const some = (first: number): Float32Array =>
            computed(dot(leaf([m, k], rows.slice(first * k, (first + m) * k)), y));
          same(some(0), whole.slice(0, m * n), `${m} × ${k} · ${k} × ${n}`);
          const last = 500 - m;
          if (m < 8) same(some(last), whole.slice(last * n), `the last ${m} × ${k} · ${k} × ${n}`);
        }
      }
    }
  });

  it('are those of each column among any number of columns', () => {
    for (const k of depths) {
      for (const m of [1, 6, 40]) {
        const [x, y] = [noiseOf([m, k]), noiseOf([k, 70])];
        const whole = leaf([m, 70], computed(dot(x, y)));
        for (const n of [1, 2, 3, 4, 5, 8, 9, 31]) {
          for (const first of [0, 70 - n]) {
            const some = dot(x, written(at(y, 1, first, first + n)));
            same(computed(some), computed(at(whole, 1, first, first + n)), `${m} × ${k} · ${k} × ${n} from ${first}`);
          }
        }
      }
    }
  });

  it('do not depend on how many tiles and packed runs there are', () => {
    for (const [m, k, n] of [
      [2050, 330, 9],
      [40, 330, 2055],
      [3, 330, 2055],
      [7, 4100, 13],
    ] as const) {
      const [x, y] = [noiseOf([m, k]), noiseOf([k, n])];
      const whole = leaf([m, n], computed(dot(x, y)));
      for (const row of [0, m >> 1, m - 1])
        same(computed(dot(written(at(x, 0, row)), y)), computed(at(whole, 0, row)), `row ${row} of ${m}`);
      for (const column of [0, n >> 1, n - 1]) {
        const one = dot(x, written(at(y, 1, column)));
        same(computed(one), computed(at(whole, 1, column)), `column ${column} of ${n}`);
      }
    }
  });

  it('are those of matrices and vectors', () => {
    for (const k of depths) {
      const [x, y, v] = [noiseOf([37, k]), noiseOf([k, 41]), noiseOf([k])];
      const [row, column] = [b.reshape(v, { shape: [1, k] }), b.reshape(v, { shape: [k, 1] })];
      same(computed(dot(x, v)), computed(dot(x, column)), `matrix of ${k} · vector`);
      same(computed(dot(v, y)), computed(dot(row, y)), `vector · matrix of ${k}`);
      same(computed(dot(turned(y), v, { rhsContract: [0] })), computed(dot(row, y)), `turned matrix of ${k} · vector`);
      same(computed(dot(v, v)), computed(dot(row, column)), `vector · vector of ${k}`);
      const many = dot(x, y);
      const last = dot(written(at(x, 0, 36)), written(at(y, 1, 40)));
      same(computed(last), computed(many).slice(-1), `the last place, ${k} terms`);
    }
  });

  it('are those of each element of a batch', () => {
    for (const [m, k, n] of [
      [1, 321, 8],
      [5, 3, 1],
      [13, 64, 70],
      [40, 700, 33],
      [64, 8, 64],
    ] as const) {
      const [x, y] = [noiseOf([6, m, k]), noiseOf([6, k, n])];
      const whole = leaf([6, m, n], computed(batched(x, y)));
      const single = (i: number, j: number): Float32Array =>
        computed(batched(written(at(x, 0, i)), written(at(y, 0, j))));
      for (let i = 0; i < 6; i++) same(single(i, i), computed(at(whole, 0, i)), `element ${i} of ${m} × ${k} × ${n}`);
      const all = b.broadcast(at(x, 0, 2), { shape: [6, m, k] });
      same(computed(at(leaf([6, m, n], computed(batched(all, y))), 0, 5)), single(2, 5), 'one matrix by several');
      const rows = dot(x, at(y, 0, 3), { rhsContract: [1] });
      same(computed(at(rows, 0, 4)), single(4, 3), 'several matrices by one');
    }
  });

  it('do not depend on where the operands are', () => {
    for (const [m, k, n] of [
      [1, 321, 33],
      [7, 35, 16],
      [40, 330, 29],
      [33, 5, 2],
      [2, 64, 70],
    ] as const) {
      const [x, y] = [noiseOf([2, m, k]), noiseOf([2, k, n])];
      const wanted = computed(batched(x, y));
      for (const [name, view] of Object.entries(views)) {
        const what = `${name}, ${m} × ${k} · ${k} × ${n}`;
        same(computed(batched(view(x), y)), wanted, `left ${what}`);
        same(computed(batched(x, view(y))), wanted, `right ${what}`);
        same(computed(batched(view(x), view(y))), wanted, `both ${what}`);
      }
      const row = b.broadcast(b.reshape(noiseOf([k]), { shape: [1, 1, k] }), { shape: [2, m, k] });
      same(computed(batched(row, y)), computed(batched(written(row), y)), 'one row for all');
      const column = b.broadcast(b.reshape(noiseOf([k]), { shape: [1, k, 1] }), { shape: [2, k, n] });
      same(computed(batched(x, column)), computed(batched(x, written(column))), 'one column for all');
      const cell = b.broadcast(noiseOf([2, 1, n]), { shape: [2, k, n] });
      same(computed(batched(x, cell)), computed(batched(x, written(cell))), 'one row for all terms');
    }
  });

  it('do not depend on the order of axes', () => {
    const random = randomOf(5);
    for (let run = 0; run < 60; run++) {
      const lengths = (): number[] => range(below(random, 3)).map(() => pick(random, [1, 2, 3, 5, 8, 19]));
      const [many, k, m, n] = [lengths(), lengths(), lengths(), lengths()] as const;
      const order = (count: number): number[] => shuffled(random, range(count));
      const [p, q, r] = [many.length, k.length, m.length];
      const [x, y] = [noiseOf([...many, ...m, ...k], 1), noiseOf([...many, ...k, ...n], 2)];
      const plain = batched(
        b.reshape(x, { shape: [sizeOf(many), sizeOf(m), sizeOf(k)] }),
        b.reshape(y, { shape: [sizeOf(many), sizeOf(k), sizeOf(n)] }),
      );
      const [left, right] = [order(x.shape.length), order(y.shape.length)];
      const mixed = dot(written(turned(x, left)), written(turned(y, right)), {
        lhsBatch: range(p).map(axis => left.indexOf(axis)),
        rhsBatch: range(p).map(axis => right.indexOf(axis)),
        lhsContract: range(q).map(axis => left.indexOf(p + r + axis)),
        rhsContract: range(q).map(axis => right.indexOf(p + axis)),
      });
      // Free axes are in the order in which they stand.
      const free = (list: readonly number[], first: number, count: number): number[] =>
        list.filter(axis => axis >= first && axis < first + count).map(axis => axis - first);
      const [rows, columns] = [free(left, p, r), free(right, p + q, n.length)];
      const inPlace = b.permute(mixed, {
        axes: [
          ...range(p),
          ...range(r).map(axis => p + rows.indexOf(axis)),
          ...range(n.length).map(axis => p + r + columns.indexOf(axis)),
        ],
      });
      same(computed(inPlace), computed(plain), `[${many}] [${m}] [${k}] [${n}], axes ${left} and ${right}`);
    }
  });

  it('are those of jitted and of batched functions', () => {
    const [x, y] = [noiseOf([5, 9, 330], 1), noiseOf([330, 17], 2)].map(node => wrap(node) as Tensor) as [
      Tensor,
      Tensor,
    ];
    const product = (p: Tensor, q: Tensor): Tensor => matmul(p, q as never) as Tensor;
    const wanted = product(x, y).dataSync() as Float32Array;
    same(jit(product)(x, y).dataSync() as Float32Array, wanted, 'jitted');
    const each = vmap((p: Tensor) => product(p, y))(x) as Tensor;
    same(each.dataSync() as Float32Array, wanted, 'each matrix by itself');
    const [image, kernel] = [noiseOf([4, 40, 6, 7], 1), noiseOf([11, 40, 3, 3], 2)].map(
      node => wrap(node) as Tensor,
    ) as [Tensor, Tensor];
    const filtered = (p: Tensor, q: Tensor): Tensor => conv2d(p, q, { padding: 'same' }) as Tensor;
    const images = filtered(image, kernel).dataSync() as Float32Array;
    same(jit(filtered)(image, kernel).dataSync() as Float32Array, images, 'jitted convolution');
    const one = vmap((p: Tensor) => filtered(p, kernel))(image) as Tensor;
    same(one.dataSync() as Float32Array, images, 'each image by itself');
  });
});

/** The operands of a result at one index of a letter. */
const operandsAt = (
  operands: readonly Node[],
  of: ConvRole,
  letter: keyof ConvCase,
  i: number,
): readonly [Node, Node] =>
  operands.map((x, operand) => {
    const axis = letters[operandRoles(of)[operand]!].indexOf(letter);
    return axis < 0 ? x : written(at(x, axis, i));
  }) as [Node, Node];

const checkLetters = (one: ConvCase, of: ConvRole, name: string): void => {
  const operands = convOperands(one, of);
  const whole = leaf(shapesOf(one)[of], computed(conv(one, of, operands)));
  letters[of].forEach((letter, axis) => {
    const length = one[letter] as number;
    for (const i of new Set([0, length >> 1, length - 1])) {
      const part = conv({ ...one, [letter]: 1 }, of, operandsAt(operands, of, letter, i));
      same(computed(part), computed(at(whole, axis, i)), `${name}: the ${of} at ${letter} = ${i}`);
    }
  });
};

describe('the bits of a convolution', () => {
  for (const [name, one] of Object.entries(convCases)) {
    it(`${name} are those of each sample, group and channel by itself`, () => {
      for (const of of roles) checkLetters(one, of, name);
    });

    it(`${name} do not depend on where the operands are`, () => {
      const small = { ...one, n: 2 };
      for (const of of roles) {
        const [x, y] = convOperands(small, of);
        const wanted = computed(conv(small, of, [x, y]));
        for (const [how, view] of Object.entries(views)) {
          const what = `${name}, ${of}: ${how}`;
          same(computed(conv(small, of, [view(x), y])), wanted, `${what} first`);
          same(computed(conv(small, of, [x, view(y)])), wanted, `${what} second`);
        }
        const spread = (z: Node): Node => b.broadcast(at(z, 2, 0), { shape: z.shape });
        const broadcast = conv(small, of, [spread(x), spread(y)]);
        same(
          computed(broadcast),
          computed(conv(small, of, [written(spread(x)), written(spread(y))])),
          `${name}: spread`,
        );
      }
    });
  }

  it('are those of a part of the image', () => {
    const one: ConvCase = { n: 2, g: 1, o: 5, c: 40, size: [20, 23], kernel: [3, 2], strides: [2, 1] };
    const [x, w] = convOperands(one, 'output');
    const whole = leaf(shapesOf(one).output, computed(conv(one, 'output', [x, w])));
    for (const [first, count] of [
      [0, 1],
      [3, 4],
      [8, 1],
    ] as const) {
      const size = [2 * count + 1, 23];
      const part = conv({ ...one, size }, 'output', [written(at(x, 3, 2 * first, 2 * first + size[0]!)), w]);
      same(computed(part), computed(at(whole, 3, first, first + count)), `${count} rows from ${first}`);
    }
  });

  it('are the same where the kernel is packed in parts', () => {
    const one: ConvCase = {
      ...{ n: 3, g: 1, o: 520, c: 512, size: [5, 5], kernel: [3, 3] },
      padding: [
        [1, 1],
        [1, 1],
      ],
    };
    for (const of of roles) checkLetters(one, of, 'large');
  });
});
