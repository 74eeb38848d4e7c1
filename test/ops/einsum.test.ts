/** einsum against loops over all values of all letters; what it is computed by; what it refuses. */
import * as fc from 'fast-check';
import { einsum, explain, jit, mul, reshape, sum, type Tensor, tensor, vjp, vmap, zeros } from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it, test } from 'vitest';
import { contractionOrder, type Order } from '../../src/tensor/ops/contraction/contraction-order.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { caught } from '../helpers.js';

/** Small integers, so that sums of products are exact in float32. */
const integers = (shape: readonly number[], seed: number): Tensor =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 5) % 11) - 5),
    shape,
  ) as Tensor;

const call = (equation: string, operands: readonly Tensor[]): Tensor =>
  einsum(equation, ...(operands as [Tensor, ...Tensor[]]));

interface Case {
  readonly equation: string;
  readonly shapes: readonly (readonly number[])[];
  /** A label for every axis. */
  readonly labels: readonly (readonly string[])[];
  readonly output: readonly string[];
  readonly lengths: Readonly<Record<string, number>>;
}

const letters = ['a', 'b', 'c', 'D'];

const cases: fc.Arbitrary<Case> = fc
  .record({
    lengths: fc.tuple(...[...letters, '1', '2'].map(() => fc.constantFrom(2, 3, 1, 2, 3, 0))),
    terms: fc.array(
      fc.record({
        letters: fc.array(fc.constantFrom(...letters), { maxLength: 3 }),
        ellipsis: fc.constantFrom(null, null, 0, 1, 2),
        at: fc.nat(3),
        short: fc.array(fc.nat(3), { maxLength: 1 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    order: fc.shuffledSubarray(letters),
    form: fc.constantFrom('explicit', 'ellipsis', 'implicit'),
  })
  .map(({ lengths: list, terms, order, form }): Case => {
    const lengths = Object.fromEntries([...letters, '1', '2'].map((label, i) => [label, list[i]!]));
    const names = (rank: number): string[] => ['2', '1'].slice(2 - rank);
    const labels = terms.map(({ letters, ellipsis, at }) =>
      letters.toSpliced(at, 0, ...(ellipsis === null ? [] : names(ellipsis))),
    );
    const texts = terms.map(({ letters, ellipsis, at }) =>
      letters.toSpliced(at, 0, ...(ellipsis === null ? [] : ['...'])).join(''),
    );
    const shapes = labels.map((axes, i) => {
      const short = terms[i]!.short.map(at => axes[at]);
      return axes.map(label => (short.includes(label) ? 1 : lengths[label]!));
    });
    // A letter is as long as where it is not 1.
    const actual = Object.fromEntries(
      Object.keys(lengths).map(label => {
        const found = labels.flatMap((axes, i) => axes.flatMap((l, axis) => (l === label ? [shapes[i]![axis]!] : [])));
        return [label, found.find(length => length !== 1) ?? 1];
      }),
    );
    const used = labels.flat().filter(label => letters.includes(label));
    const rank = Math.max(0, ...terms.map(({ ellipsis }) => ellipsis ?? 0));
    const kept = order.filter(letter => used.includes(letter));
    const once = used.filter(letter => used.filter(other => other === letter).length === 1).sort();
    const left = texts.join(' , ');
    const [equation, output] =
      form === 'implicit'
        ? [left, [...names(rank), ...once]]
        : form === 'ellipsis'
          ? [
              `${left} -> ${kept.slice(0, 1).join('')}...${kept.slice(1).join('')}`,
              [...kept.slice(0, 1), ...names(rank), ...kept.slice(1)],
            ]
          : [`${left}->${kept.join('')}`, kept];
    return { equation, shapes, labels, output, lengths: actual };
  });

/** The definition: for every value of every letter one product, added where it belongs. */
const byLoops = ({ labels, output, lengths }: Case, operands: readonly Tensor[]): number[] => {
  const all = [...new Set([...output, ...labels.flat()])];
  const result = new Array<number>(output.reduce((n, label) => n * lengths[label]!, 1)).fill(0);
  const data = operands.map(x => x.dataSync());
  const walk = (at: Readonly<Record<string, number>>, depth: number): void => {
    if (depth < all.length) {
      for (let i = 0; i < lengths[all[depth]!]!; i++) walk({ ...at, [all[depth]!]: i }, depth + 1);
      return;
    }
    const place = output.reduce((index, label) => index * lengths[label]! + at[label]!, 0);
    result[place]! += operands.reduce((product, { shape }, i) => {
      const index = labels[i]!.reduce((n, label, axis) => n * shape[axis]! + (shape[axis] === 1 ? 0 : at[label]!), 0);
      return product * Number(data[i]![index]!);
    }, 1);
  };
  walk({}, 0);
  return result;
};

const inner = (x: Tensor, y: Tensor): number => Number((sum(mul(x, y) as Tensor) as Tensor).item()) + 0;

const values = (x: Tensor): number[] => Array.from(x.dataSync(), x => Number(x) + 0);

describe('values', () => {
  it('are those of the definition, on any equation', () => {
    fc.assert(
      fc.property(cases, each => {
        const operands = each.shapes.map(integers);
        const y = call(each.equation, operands);
        expect(y.shape).toEqual(each.output.map(label => each.lengths[label]));
        expect(values(y)).toEqual(byLoops(each, operands).map(x => x + 0));
      }),
      { numRuns: 300 },
    );
  });

  it('are linear in every operand, and gradients are the transpose', () => {
    fc.assert(
      fc.property(cases, each => {
        const operands = each.shapes.map(integers);
        const [y, pullback] = vjp((...xs: readonly Tensor[]) => call(each.equation, xs), ...operands);
        const ct = integers(y.shape, 3);
        const gradients = pullback(ct as never) as readonly Tensor[];
        operands.forEach((_, i) => {
          const other = integers(each.shapes[i]!, i + 9);
          const moved = call(each.equation, operands.with(i, other));
          expect(gradients[i]!.shape).toEqual(each.shapes[i]);
          expect(inner(gradients[i]!, other)).toBe(inner(ct, moved));
        });
      }),
      { numRuns: 100 },
    );
  });

  const [a, c] = [integers([2, 3], 0), integers([3, 4], 1)];

  it('of a function of the operands, in jit and vmap', () => {
    const expected = call('ij,jk->ik', [a, c]).toArray();
    const product = einsum('ij,jk->ik');
    expect(product(a, c).toArray()).toEqual(expected);
    expect(jit((x: Tensor, y: Tensor) => einsum('ij,jk', x, y))(a, c).toArray()).toEqual(expected);
    expect((vmap((row: Tensor) => einsum('j,jk->k', row, c))(a) as Tensor).toArray()).toEqual(expected);
  });

  it.each([
    ['int32', 'int32', 'int32'],
    ['bool', 'bool', 'int32'],
    ['int32', 'float64', 'float64'],
    ['uint32', 'bool', 'uint32'],
  ] as const)('of %s and %s are %s', (p, q, dtype) => {
    const y = einsum('ij,jk->k', zeros([2, 3], { dtype: p }), zeros([3, 4], { dtype: q }));
    expect([y.dtype, y.toArray()]).toEqual([dtype, [0, 0, 0, 0]]);
  });

  it('have a dtype that the compiler knows', () => {
    const ints = zeros([2], { dtype: 'int32' });
    expectTypeOf(einsum('i,i->', ints, tensor([1.5, 2])).dtype).toEqualTypeOf<'float32'>();
    expectTypeOf(einsum('i,i->')(ints, ints).dtype).toEqualTypeOf<'int32'>();
  });

  it('off a diagonal do not matter', () => {
    const x = tensor([
      [-0, Number.NaN],
      [Number.POSITIVE_INFINITY, 2],
    ]);
    expect(einsum('ii->i', x).toArray()).toEqual([-0, 2]);
    expect(einsum('ii', x).item()).toBe(2);
  });
});

describe('what it is computed by', () => {
  const steps = (equation: string, ...shapes: readonly (readonly number[])[]) => {
    const f = (...xs: Tensor[]): Tensor => call(equation, xs);
    const { report } = explain(f)(...shapes.map((shape, i) => normal(key(i), shape) as Tensor));
    return report!.steps;
  };

  test.each<readonly [string, string, readonly (readonly number[])[]]>([
    [
      'ij,jk->ik',
      'matmul',
      [
        [4, 5],
        [5, 6],
      ],
    ],
    [
      'ij,jk->ki',
      'matmul',
      [
        [4, 5],
        [5, 6],
      ],
    ],
    [
      'bij,bjk->bik',
      'matmul',
      [
        [3, 4, 5],
        [3, 5, 6],
      ],
    ],
    [
      'bhqd,bhkd->bhqk',
      'matmul',
      [
        [2, 3, 4, 5],
        [2, 3, 6, 5],
      ],
    ],
    [
      'bqhd,bkhd->bhqk',
      'matmul',
      [
        [2, 4, 3, 5],
        [2, 6, 3, 5],
      ],
    ],
    [
      'ijk,kl->jil',
      'matmul',
      [
        [2, 3, 4],
        [4, 5],
      ],
    ],
    [
      'iab,jba->ij',
      'matmul',
      [
        [3, 4, 5],
        [3, 5, 4],
      ],
    ],
    ['i,i->i', 'mul', [[5], [5]]],
    ['i,j->ji', 'mul', [[5], [6]]],
    [
      'ij,ij->',
      'mul sum',
      [
        [4, 5],
        [4, 5],
      ],
    ],
    [
      'ij,ji->j',
      'mul sum',
      [
        [4, 5],
        [5, 4],
      ],
    ],
    ['i,i,i->', 'mul mul sum', [[5], [5], [5]]],
    ['ij->', 'sum', [[4, 5]]],
    ['ijk->kj', 'sum', [[4, 5, 6]]],
    ['ii->', 'sum', [[4, 4]]],
  ])('%s is one step, %s', (equation, name, shapes) => {
    expect(steps(equation, ...shapes).map(step => step.name)).toEqual([name]);
  });

  it('multiplies in the cheaper order', () => {
    const total = (...shapes: readonly (readonly number[])[]): number =>
      steps('ij,jk,kl->il', ...shapes).reduce((flops, step) => flops + step.flops, 0);
    expect(total([2, 50], [50, 40], [40, 30])).toBe(2 * (2 * 50 * 40 + 2 * 40 * 30));
    expect(total([30, 40], [40, 50], [50, 2])).toBe(2 * (40 * 50 * 2 + 30 * 40 * 2));
  });
});

describe('the order', () => {
  interface Priced {
    readonly labels: readonly string[];
    readonly held: readonly number[];
    readonly cost: number;
  }

  const network = fc
    .record({
      terms: fc.array(fc.uniqueArray(fc.constantFrom(...'abcdef'), { maxLength: 4 }), {
        minLength: 2,
        maxLength: 5,
      }),
      sizes: fc.tuple(...[...'abcdef'].map(() => fc.integer({ min: 1, max: 9 }))),
      output: fc.subarray([...'abcdef']),
    })
    .map(({ terms, sizes, output }) => {
      const needed = (label: string): boolean =>
        output.includes(label) || terms.filter(term => term.includes(label)).length > 1;
      return {
        terms: terms.map(term => term.filter(needed)),
        output: output.filter(label => terms.some(term => term.includes(label))),
        lengths: new Map([...'abcdef'].map((label, i) => [label, sizes[i]!])),
      };
    });

  const join = (
    x: Priced,
    y: Priced,
    {
      terms,
      output,
      lengths,
    }: { terms: readonly string[][]; output: readonly string[]; lengths: ReadonlyMap<string, number> },
  ): Priced => {
    const union = [...new Set([...x.labels, ...y.labels])];
    const held = [...x.held, ...y.held];
    const isNeeded = (label: string): boolean =>
      output.includes(label) || terms.some((term, i) => !held.includes(i) && term.includes(label));
    return {
      labels: union.filter(isNeeded),
      held,
      cost: x.cost + y.cost + union.reduce((n, label) => n * lengths.get(label)!, 1),
    };
  };

  it('of few operands is the best there is', () => {
    fc.assert(
      fc.property(network, net => {
        const leaf = (i: number): Priced => ({ labels: net.terms[i]!, held: [i], cost: 0 });
        const priced = (order: Order): Priced =>
          typeof order === 'number' ? leaf(order) : join(priced(order[0]), priced(order[1]), net);
        const cheapest = (parts: readonly Priced[]): number =>
          parts.length === 1
            ? parts[0]!.cost
            : Math.min(
                ...parts.flatMap((x, i) =>
                  parts
                    .slice(i + 1)
                    .map(y => cheapest([...parts.filter(part => part !== x && part !== y), join(x, y, net)])),
                ),
              );
        const chosen = priced(contractionOrder(net.terms, net.output, net.lengths));
        expect([...chosen.held].sort()).toEqual(net.terms.map((_, i) => i));
        expect(chosen.cost).toBe(cheapest(net.terms.map((_, i) => leaf(i))));
      }),
    );
  });

  it('of many goes along the chain, and values stay', () => {
    const count = 12;
    const names = 'abcdefghijklm';
    const terms = Array.from({ length: count }, (_, i) => names.slice(i, i + 2));
    const order = contractionOrder(
      terms.map(term => [...term]),
      ['a', 'm'],
      new Map([...names].map((name, i) => [name, 2 + (i % 3)])),
    );
    const spans = (part: Order): readonly number[] =>
      typeof part === 'number' ? [part] : part.flatMap(spans).sort((x, y) => x - y);
    const isConnected = (part: Order): boolean => {
      const all = spans(part);
      return all.at(-1)! - all[0]! === all.length - 1 && (typeof part === 'number' || part.every(isConnected));
    };
    expect([spans(order).length, isConnected(order)]).toEqual([count, true]);
    const swap = tensor([
      [0, 1],
      [1, 0],
    ]) as Tensor;
    const all = terms.map((_, i) => (i === 5 ? (integers([2, 2], 1) as Tensor) : swap));
    // Five swaps of rows in front, six of columns behind.
    expect(call(`${terms.join()}->am`, all).toArray()).toEqual(
      (call('ij,jk->ik', [swap, all[5]!]) as Tensor).toArray(),
    );
    // Operands that share nothing.
    const scalars = Array.from({ length: 9 }, () => reshape(tensor([2]), [1]) as Tensor);
    expect(call('a,b,c,d,e,f,g,h,i->', scalars).item()).toBe(512);
  });
});

describe('refuses', () => {
  const [a, c] = [zeros([2, 3]), zeros([4, 5])];

  it.each<readonly [string, readonly unknown[], string, string]>([
    [
      'ij,jk->ik',
      [a, c],
      'ShapeError',
      "float32[2, 3] and float32[4, 5]; the letter j in 'ij,jk->ik' has the lengths 3 and 4",
    ],
    ['ii', [a], 'ShapeError', "float32[2, 3]; the letter i in 'ii' has the lengths 2 and 3. A letter that repeats"],
    ['...i,...i', [zeros([2, 4, 3]), zeros([5, 3])], 'ShapeError', 'axis −1 of the ellipsis in'],
    ['ijk', [a], 'ShapeError', "'ijk' in 'ijk' for float32[2, 3]; the term names 3 axes, the operand has 2"],
    ['i', [a], 'ShapeError', 'the term names 1 axis, the operand has 2. Name all axes'],
    ['...ijk', [a], 'ShapeError', 'the term names 3 axes, the operand has 2'],
    ['ii->i', [zeros([1, 3])], 'ShapeError', 'the lengths 1 and 3'],
    ['ij->ik', [a], 'ArgumentError', "'ij->ik'; the letter k of the result is in no operand"],
    ['ij->ii', [a], 'ArgumentError', 'the letter i stands twice in the result'],
    ['ij,jk', [a], 'ArgumentError', "'ij,jk' and 1 operand; the equation has 2 terms"],
    ['ij', [a, c], 'ArgumentError', "'ij' and 2 operands; the equation has 1 term."],
    ['i1', [a], 'ArgumentError', "the term 'i1' in 'i1'"],
    ['..ij', [a], 'ArgumentError', "the term '..ij'"],
    ['...i...', [a], 'ArgumentError', 'at most one ellipsis'],
    ['ij->i->j', [a], 'ArgumentError', 'an equation has one arrow'],
    ['ij->i,j', [a], 'ArgumentError', "the term 'i,j'"],
    ['ij', [[1]], 'ArgumentError', 'a tensor belongs there'],
    ['ij', [zeros([1, 1], { dtype: 'uint8' })], 'DTypeError', 'uint8'],
  ])('%s of %s: %s', (equation, operands, tag, message) => {
    const error = caught(() => call(equation, operands as readonly Tensor[]));
    expect([error._tag, error.operation]).toEqual([tag, 'einsum']);
    expect(error.message).toContain(message);
  });

  it('what is no equation, before there are operands', () => {
    expect(caught(() => einsum('ij->ik')).message).toContain('the letter k of the result');
    expect(caught(() => einsum(a as never, 'ij' as never)).message).toContain('a tensor as the equation');
    expect(caught(() => (einsum('ij') as () => Tensor)()).message).toContain('and 0 operands');
  });
});
