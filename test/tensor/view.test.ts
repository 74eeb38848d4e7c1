/** Views beside what the movements mean: reading a buffer through one is what moving its elements would give. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateInstruction } from '../../src/tensor/backend/reference/reference.js';
import type { Params } from '../../src/tensor/graph.js';
import { entryOf } from '../../src/tensor/primitives/table.js';
import { type Aval, range, type Shape, sameShape, sizeOf } from '../../src/tensor/shape.js';
import { contiguous, isContiguous, refined, reshaped, type View } from '../../src/tensor/view.js';
import { below, pick, type Random, randomOf, shuffled } from './differential.js';

interface Movement {
  readonly op: 'permute' | 'broadcast' | 'slice' | 'flip' | 'pad' | 'reshape';
  readonly params: Params;
}

interface MovementEntry {
  aval(inputs: readonly Aval[], params: Params): Aval;
  view(view: View, params: Params, shape: Shape): View | null;
}

const entry = ({ op }: Movement): MovementEntry => entryOf(op) as unknown as MovementEntry;
const shapeAfter = (movement: Movement, shape: Shape): Shape =>
  entry(movement).aval([{ shape, dtype: 'int32' }], movement.params).shape;
const viewAfter = (movement: Movement, view: View): View | null =>
  entry(movement).view(view, movement.params, shapeAfter(movement, view.shape));

/** What the reference backend makes of a movement. */
const meaning = (movement: Movement, shape: Shape, elements: Int32Array): Int32Array => {
  const input: Aval = { shape, dtype: 'int32' };
  const aval: Aval = { shape: shapeAfter(movement, shape), dtype: 'int32' };
  const { op, params } = movement;
  const own = { bodies: [], inputs: [0], inputAvals: [input], aval, outputs: null, result: 1, kindHash: 0 };
  return evaluateInstruction({ op, params, ...own }, [elements], []) as Int32Array;
};

/** The places of a view in row-major order, null where it reads zero. */
const placesOf = ({ shape, offset, strides, valid }: View): (number | null)[] => {
  const places: (number | null)[] = [];
  const walk = (axis: number, at: number, inside: boolean): void => {
    if (axis === shape.length) {
      places.push(inside ? at : null);
      return;
    }
    const [lo, hi] = valid[axis] ?? [0, shape[axis]!];
    for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, at + i * strides[axis]!, inside && i >= lo && i < hi);
  };
  walk(0, offset, true);
  return places;
};

/** The elements read; a place outside of the buffer gives NaN. */
const readThrough = (view: View, buffer: Int32Array): number[] =>
  placesOf(view).map(place => (place === null ? 0 : (buffer[place] ?? Number.NaN)));

const mostElements = 600;
/** Another shape of the same size: neighbours joined, lengths split, 1s put in and left out. */
const reshapedTo = (random: Random, shape: Shape): Shape => {
  if (sizeOf(shape) === 0) return pick(random, [[0], [2, 0], [0, 3, 1]]);
  let lengths = shape.filter(n => n !== 1 || random() < 0.5);
  lengths = lengths.flatMap(n => {
    const divisors = range(n + 1).filter(d => d > 0 && n % d === 0);
    const divisor = pick(random, divisors);
    return random() < 0.4 ? [divisor, n / divisor] : [n];
  });
  for (let i = lengths.length - 1; i > 0; i--)
    if (random() < 0.4) lengths.splice(i - 1, 2, lengths[i - 1]! * lengths[i]!);
  if (random() < 0.3) lengths.splice(below(random, lengths.length + 1), 0, 1);
  return lengths;
};

const movements: readonly ((random: Random, shape: Shape) => Movement)[] = [
  (random, shape) => ({ op: 'permute', params: { axes: shuffled(random, range(shape.length)) } }),
  (random, shape) => {
    const wider = shape.map(n => (n === 1 && random() < 0.6 ? pick(random, [0, 1, 2, 3, 5]) : n));
    return { op: 'broadcast', params: { shape: random() < 0.4 ? [pick(random, [1, 2, 3]), ...wider] : wider } };
  },
  (random, shape) => {
    const stop = shape.map(n => (random() < 0.5 ? n : below(random, n + 1)));
    const start = stop.map(n => (random() < 0.5 ? 0 : below(random, n + 1)));
    return { op: 'slice', params: { start, stop, step: stop.map(() => pick(random, [1, 1, 2, 3])) } };
  },
  (random, shape) => ({ op: 'flip', params: { axes: range(shape.length).filter(() => random() < 0.5) } }),
  (random, shape) => {
    const amount = (of: readonly number[]) => shape.map(() => pick(random, of));
    return {
      op: 'pad',
      params: { low: amount([0, 0, 1, 3]), high: amount([0, 0, 1, 2]), interior: amount([0, 0, 1]) },
    };
  },
  (random, shape) => ({ op: 'reshape', params: { shape: reshapedTo(random, shape) } }),
];

/** A chain of movements: its view while there is one, and the elements that it means. */
const chained = (seed: number, only?: readonly Movement['op'][]) => {
  const random = randomOf(seed);
  let shape: Shape = range(below(random, 5)).map(() => pick(random, [1, 1, 2, 3, 4, 6]));
  let before = shape;
  const buffer = Int32Array.from(range(sizeOf(shape)), i => i + 1);
  let elements: Int32Array = buffer;
  let view: View | null = contiguous(shape);
  const chain: Movement[] = [];
  for (let length = 1 + below(random, 7); chain.length < length && view !== null; ) {
    const movement = pick(random, movements)(random, shape);
    if (only !== undefined && !only.includes(movement.op)) continue;
    const next = shapeAfter(movement, shape);
    if (sizeOf(next) > mostElements) continue;
    chain.push(movement);
    elements = meaning(movement, shape, elements);
    view = viewAfter(movement, view);
    [before, shape] = [shape, next];
  }
  /** `before`: the shape before the last movement. */
  return { buffer, elements, view, shape, before, chain };
};

const seeds = fc.noBias(fc.integer());

describe('a chain of movements as one view', () => {
  it('reads what the chain means, whenever there is a view', () => {
    const count = { views: 0, partly: 0, seen: new Set<string>() };
    fc.assert(
      fc.property(seeds, seed => {
        const { buffer, elements, view, shape, chain } = chained(seed);
        if (view === null) return;
        count.views++;
        if (view.valid.some(range => range !== null)) count.partly++;
        for (const { op } of chain) count.seen.add(op);
        expect(view.shape).toEqual(shape);
        expect(view.strides).toHaveLength(shape.length);
        expect(view.valid).toHaveLength(shape.length);
        expect(readThrough(view, buffer)).toEqual([...elements]);
      }),
      { numRuns: 6000, seed: 1 },
    );
    expect(count.views).toBeGreaterThan(4000);
    expect(count.partly).toBeGreaterThan(800);
    expect(count.seen.size).toBe(6);
  });

  it('has a view for ever without reshape and interior padding', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const { view, chain, before } = chained(seed, ['permute', 'broadcast', 'slice', 'flip', 'pad']);
        const { op, params } = chain[chain.length - 1]!;
        const between = op === 'pad' && before.some((n, axis) => n > 1 && (params.interior as number[])[axis]! > 0);
        expect(view === null).toBe(between);
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  it('says that a range is no range where all of the axis is valid', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const { view } = chained(seed, ['slice', 'pad', 'permute', 'flip']);
        view?.valid.forEach((range, axis) => {
          if (range !== null) expect(range[0] <= 0 && range[1] >= view.shape[axis]!).toBe(view.shape[axis] === 0);
        });
      }),
      { numRuns: 1000, seed: 3 },
    );
  });
});

describe('what no view can say', () => {
  const transposed: View = { ...contiguous([3, 4]), shape: [4, 3], strides: [1, 4] };
  const at = (view: View, movement: Movement): View | null => viewAfter(movement, view);

  it('is joining axes that do not go on where the next one ends', () => {
    expect(reshaped(transposed, [12])).toBeNull();
    expect(reshaped(transposed, [2, 6])).toBeNull();
    expect(reshaped(transposed, [4, 3, 1])).not.toBeNull();
    expect(reshaped(transposed, [2, 2, 1, 3])).not.toBeNull();
    const cut = at(contiguous([4, 6]), { op: 'slice', params: { start: [0, 0], stop: [4, 5], step: [1, 1] } })!;
    expect(reshaped(cut, [20])).toBeNull();
    const firstRows = at(contiguous([4, 6]), { op: 'slice', params: { start: [1, 0], stop: [3, 6], step: [1, 1] } })!;
    expect(reshaped(firstRows, [12])).toMatchObject({ offset: 6, strides: [1] });
  });

  it('is padding between elements, and splitting or joining a padded axis', () => {
    const pad = (low: number, high: number, interior: number): Movement => ({
      op: 'pad',
      params: { low: [0, low], high: [0, high], interior: [0, interior] },
    });
    expect(at(contiguous([2, 3]), pad(0, 0, 1))).toBeNull();
    expect(at(contiguous([2, 1]), pad(1, 0, 1))).not.toBeNull();
    const padded = at(contiguous([2, 3]), pad(1, 2, 0))!;
    expect(reshaped(padded, [12])).toBeNull();
    expect(reshaped(padded, [2, 2, 3])).toBeNull();
    expect(reshaped(padded, [1, 2, 1, 6, 1])).not.toBeNull();
  });

  it('is nothing of what is affine: a reshape without a view has places that no strides reach', () => {
    const count = { none: 0 };
    fc.assert(
      fc.property(seeds, seed => {
        const { view } = chained(seed, ['permute', 'broadcast', 'slice', 'flip', 'reshape']);
        if (view === null || sizeOf(view.shape) === 0) return;
        const to = reshapedTo(randomOf(seed + 1), view.shape);
        if (reshaped(view, to) !== null) return;
        count.none++;
        const places = placesOf(view) as number[];
        const own = contiguous(to).strides;
        const affine: View = {
          shape: to,
          offset: places[0]!,
          strides: to.map((length, axis) => (length === 1 ? 0 : places[own[axis]!]! - places[0]!)),
          valid: to.map(() => null),
        };
        expect(placesOf(affine)).not.toEqual(places);
      }),
      { numRuns: 4000, seed: 4 },
    );
    expect(count.none).toBeGreaterThan(100);
  });
});

describe('isContiguous', () => {
  it('is true of exactly the views that read 0, 1, 2, …', () => {
    const count = { is: 0, not: 0 };
    fc.assert(
      fc.property(seeds, seed => {
        const { view } = chained(seed);
        if (view === null) return;
        const places = placesOf(view);
        const is = places.every((place, i) => place === i);
        count[is ? 'is' : 'not']++;
        expect(isContiguous(view)).toBe(is);
      }),
      { numRuns: 3000, seed: 5 },
    );
    expect(Math.min(count.is, count.not)).toBeGreaterThan(300);
  });

  it('does not look at the strides of axes of length 1', () => {
    expect(isContiguous({ ...contiguous([2, 1, 3]), strides: [3, 77, 1] })).toBe(true);
    expect(isContiguous({ ...contiguous([2, 3]), offset: 1 })).toBe(false);
    expect(isContiguous({ ...contiguous([2, 3]), valid: [null, [0, 2]] })).toBe(false);
  });
});

describe('a common refinement', () => {
  /** The products of the lengths in front of each place where an axis ends. */
  const cuts = (shape: Shape): ReadonlySet<number> => {
    const seen = new Set<number>();
    shape.reduce((before, length) => {
      seen.add(before * length);
      return before * length;
    }, 1);
    return seen;
  };
  /** Shapes of one size: 1s and the factors of 2·2·3·2·5 put together in any way. */
  const shapeOf = (random: Random): Shape => {
    const lengths = shuffled(random, [2, 2, 3, 2, 5]);
    for (let i = lengths.length - 1; i > 0; i--)
      if (random() < 0.5) lengths.splice(i - 1, 2, lengths[i - 1]! * lengths[i]!);
    if (random() < 0.4) lengths.splice(below(random, lengths.length + 1), 0, 1);
    return lengths;
  };

  it('cuts wherever one of the two does and nowhere else, or there is none', () => {
    const count = { some: 0, none: 0 };
    fc.assert(
      fc.property(seeds, seed => {
        const random = randomOf(seed);
        const [a, b] = [shapeOf(random), shapeOf(random)];
        const wanted = [...new Set([...cuts(a), ...cuts(b)])].filter(cut => cut > 1).sort((p, q) => p - q);
        // Each piece has to be a whole number.
        const lengths = wanted.map((cut, i) => cut / (wanted[i - 1] ?? 1));
        const expected = lengths.every(Number.isInteger) ? lengths : null;
        const got = refined(a, b);
        count[got === null ? 'none' : 'some']++;
        expect(got).toEqual(expected);
        expect(refined(b, a)).toEqual(expected);
      }),
      { numRuns: 2000, seed: 6 },
    );
    expect(Math.min(count.some, count.none)).toBeGreaterThan(200);
  });

  it('of shapes of one element has no axis', () => {
    expect(refined([], [1, 1])).toEqual([]);
    expect(refined([6], [2, 3])).toEqual([2, 3]);
    expect(refined([2, 3], [3, 2])).toBeNull();
    expect(refined([4, 6], [4, 1, 2, 3])).toEqual([4, 2, 3]);
  });

  it('carries every view of both shapes', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const random = randomOf(seed);
        const [a, b] = [shapeOf(random), shapeOf(random)];
        const finer = refined(a, b);
        if (finer === null) return;
        for (const shape of [a, b]) {
          const view = viewAfter({ op: 'flip', params: { axes: [0] } }, contiguous(shape))!;
          const over = reshaped(view, finer);
          expect(over).not.toBeNull();
          expect(sameShape(over!.shape, finer)).toBe(true);
          expect(placesOf(over!)).toEqual(placesOf(view));
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
