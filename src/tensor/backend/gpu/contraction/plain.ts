/**
 * Contractions as kernels of gpu.js: a thread, or a quarter of one, for each element of the result, and a loop over the
 * terms.
 */
import type { DType } from '../../../dtype.js';
import { range, type Shape, sizeOf } from '../../../shape.js';
import type { Condition, Coordinate, Float, Integer } from '../language/code.js';
import { KernelCode } from '../language/kernel-code.js';
import { operate } from '../language/operations.js';
import { floatsOfScalar, loadScalar, type Scalar, selectScalar, zeroScalar } from '../language/scalars.js';
import { floatsOf } from '../pass.js';
import { exact, gridOf, linear } from '../passes/indices.js';
import type { Sequence, Value } from '../passes/sequence.js';
import { type Addresses, type Affine, axesOf, type Description, type Place } from './description.js';
import { buffersOf, coarser, commonAxes, type Epilogue, finish, lengthsIn } from './epilogue.js';
import { addParts } from './parts.js';

/** A buffer that a contraction reads. */
export interface Read {
  readonly value: Value;
  readonly floats: number;
}

/** Terms that are added up in order: more would round more. */
const mostTerms = 1024;
/** Terms that are worth a thread of their own. */
const leastTerms = 64;

/** Indices of a term axis in a thread: some from a number of its own on, and none from the limit on. */
interface Walk {
  readonly axis: number;
  readonly from: Coordinate | null;
  readonly length: number;
  readonly limit: number;
}

/** The largest length up to `most` of which some are the whole; `most` where that would be less than half of it. */
const blockOf = (length: number, most: number): number => {
  for (let block = most; block > most / 2; block--) if (length % block === 0) return block;
  return most;
};

const times = (index: Coordinate, stride: number, by: Coordinate): Coordinate => ({
  integer: `(${linear(0, [{ at: index.integer, stride }])} + ${by.integer})`,
  float: `(${index.float} * ${stride} + ${by.float})`,
});

class Writer {
  readonly #code: KernelCode;
  readonly #description: Description;
  readonly #dtype: DType;
  readonly #positions: readonly [number, number];
  /** Of the indices of one term: what was loaded and computed for the elements before. */
  #known = new Map<string, Scalar>();
  #quotients = new Map<string, Float>();

  constructor(code: KernelCode, description: Description, dtype: DType, positions: readonly [number, number]) {
    this.#code = code;
    this.#description = description;
    this.#dtype = dtype;
    this.#positions = positions;
  }

  /** Adds the products of all terms to the sums of some elements of the result. */
  sums(elements: readonly (readonly Coordinate[])[], walks: readonly Walk[]): readonly Scalar[] {
    const code = this.#code;
    const halves = range(floatsOf[this.#dtype]);
    const fresh = (): Float[][] => elements.map(() => halves.map(() => code.variable(code.literal(0))));
    const totals = fresh();
    const size = (from: number): number => walks.slice(from).reduce((terms, { length }) => terms * length, 1);
    // The first walk of which the rest are few enough to be added in order.
    const inner = range(walks.length + 1).find(i => size(i) <= mostTerms)!;
    const parts = inner === 0 ? totals : fresh();
    const nest = (
      from: number,
      to: number,
      at: ReadonlyMap<number, Coordinate>,
      body: (at: ReadonlyMap<number, Coordinate>) => void,
    ): void => {
      if (from === to) {
        body(at);
        return;
      }
      const { axis, from: start, length, limit } = walks[from]!;
      code.loop(length, index => {
        const own = start === null ? index : times(start, length, index);
        const go = (): void => nest(from + 1, to, new Map([...at, [axis, own]]), body);
        if (start === null) go();
        else this.#below(own, limit, go);
      });
    };
    const add = (at: ReadonlyMap<number, Coordinate>): void => this.#term(elements, parts, at);
    const block = (body: () => void): void => {
      for (const part of parts.flat()) code.assign(part, code.literal(0));
      body();
      totals.forEach((total, i) => {
        this.#accumulate(total, this.#scalar(parts[i]!));
      });
    };
    if (inner === 0) {
      nest(0, walks.length, new Map(), add);
    } else {
      // The walk before those is cut into blocks.
      const { axis, from: start, length, limit } = walks[inner - 1]!;
      const most = Math.max(1, Math.floor(mostTerms / size(inner)));
      const turns = blockOf(length, Math.min(most, length));
      nest(0, inner - 1, new Map(), outer =>
        code.loop(Math.ceil(length / turns), chunk =>
          block(() =>
            code.loop(turns, index => {
              const within = times(chunk, turns, index);
              const own = start === null ? within : times(start, length, within);
              const go = (): void => nest(inner, walks.length, new Map([...outer, [axis, own]]), add);
              const whole = (): void => (start === null ? go() : this.#below(own, limit, go));
              if (length % turns === 0) whole();
              else code.if(`${within.integer} < ${length}`, whole);
            }),
          ),
        ),
      );
    }
    return totals.map(total => this.#scalar(total));
  }

  #below(at: Coordinate, limit: number, go: () => void): void {
    this.#code.if(`${at.integer} < ${limit}`, go);
  }

  #scalar(parts: readonly Float[]): Scalar {
    return parts.length === 1 ? { kind: 'float', x: parts[0]! } : { kind: 'word', low: parts[0]!, high: parts[1]! };
  }

  #accumulate(total: readonly Float[], more: Scalar): void {
    const code = this.#code;
    const [dtype] = [this.#dtype];
    const next =
      more.kind === 'float'
        ? [`${total[0]!} + ${more.x}`]
        : floatsOfScalar(code, operate(code, 'add', {}, [this.#scalar(total), more], [dtype, dtype], dtype));
    next.forEach((part, i) => {
      code.assign(total[i]!, part);
    });
  }

  #term(
    elements: readonly (readonly Coordinate[])[],
    sums: readonly (readonly Float[])[],
    terms: ReadonlyMap<number, Coordinate>,
  ): void {
    const code = this.#code;
    const dtype = this.#dtype;
    this.#known = new Map();
    this.#quotients = new Map();
    const { left, right } = this.#description;
    elements.forEach((element, i) => {
      const at = this.#description.axes.map((_, axis) => terms.get(axis) ?? element[axis]!);
      const [x, y] = [this.#factor(left, this.#positions[0], at), this.#factor(right, this.#positions[1], at)];
      const product: Scalar =
        x.kind === 'float' && y.kind === 'float'
          ? { kind: 'float', x: `${x.x} * ${y.x}` }
          : operate(code, 'mul', {}, [x, y], [dtype, dtype], dtype);
      this.#accumulate(sums[i]!, product);
    });
  }

  #factor(map: Addresses, position: number, at: readonly Coordinate[]): Scalar {
    const code = this.#code;
    const quotients = map.places.flatMap(place =>
      place.divisor === 1 ? [] : [{ place, q: this.#quotient(place, at) }],
    );
    const index = linear(map.constant, [
      ...this.#strides(map, at),
      ...quotients.map(({ place, q }) => ({ at: code.integer(q), stride: place.stride })),
    ]);
    const conditions = map.places.flatMap((place): Condition[] => {
      if (place.divisor === 1) {
        const q = this.#sum(place, at);
        return this.#range(q, place);
      }
      const q = this.#quotient(place, at);
      return [`${q} * ${place.divisor} == ${this.#sum(place, at)}`, ...this.#range(q, place)];
    });
    // A view that stands still has the same address for elements of which some are not there.
    const key = `${position} ${index} ${conditions}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const scalar = this.#load(position, index, conditions);
    this.#known.set(key, scalar);
    return scalar;
  }

  #load(position: number, index: Integer, conditions: readonly Condition[]): Scalar {
    const code = this.#code;
    const dtype = this.#dtype;
    if (conditions.length === 0) return loadScalar(code, dtype, position, index);
    // A product and no `&&`: that is a branch, and compilers that unroll the loops around many of them do not end.
    const truths = conditions.map(condition => code.select(condition, code.literal(1), code.literal(0)));
    const valid = `(${code.let(truths.join(' * '))} > ${code.literal(0.5)})`;
    const loaded = loadScalar(code, dtype, position, code.chosen(valid, index));
    return selectScalar(code, valid, loaded, zeroScalar(code, dtype));
  }

  #range(q: Integer, { low, high }: Place): Condition[] {
    const [lowest, highest] = [-exact, exact];
    return [...(low > lowest ? [`${q} >= ${low}`] : []), ...(high < highest ? [`${q} < ${high}`] : [])];
  }

  #strides({ coefficients }: Affine, at: readonly Coordinate[]): { at: Integer; stride: number }[] {
    return at.map(({ integer }, axis) => ({ at: integer, stride: coefficients[axis]! }));
  }

  #sum(affine: Affine, at: readonly Coordinate[]): Integer {
    return linear(affine.constant, this.#strides(affine, at));
  }

  /** Rounded down; the half keeps multiples of the divisor clear of where quotients are rounded. */
  #quotient(place: Place, at: readonly Coordinate[]): Float {
    const code = this.#code;
    const floats = at.map(({ float }, axis) => ({ at: float, stride: place.coefficients[axis]! }));
    const sum = linear(place.constant, floats);
    const key = `${sum} / ${place.divisor}`;
    const known = this.#quotients.get(key);
    if (known !== undefined) return known;
    const quotient = code.let(code.call('floor', `(${sum} + 0.5) / ${place.divisor}`));
    this.#quotients.set(key, quotient);
    return quotient;
  }
}

interface Plain {
  readonly name: string;
  readonly description: Description;
  readonly dtype: DType;
  readonly operands: readonly [Read, Read];
  /** Of one store. */
  readonly epilogue: Epilogue | null;
}

/** Threads that share the terms of an element, and the axis they share. */
const sharing = (
  description: Description,
  size: number,
  { traits }: Sequence,
): { axis: number; parts: number; turns: number } | null => {
  const terms = axesOf(description, 'term');
  const length = (axis: number): number => description.axes[axis]!.length;
  const total = terms.reduce((product, axis) => product * length(axis), 1);
  const axis = [...terms].sort((a, b) => length(b) - length(a))[0];
  if (axis === undefined) return null;
  const most = traits.integers ? traits.floats : Math.min(traits.floats, exact);
  const wanted = Math.min(
    Math.floor(traits.threads / size),
    Math.floor(total / leastTerms),
    Math.floor(most / size),
    length(axis),
  );
  if (wanted < 2) return null;
  const turns = blockOf(length(axis), Math.ceil(length(axis) / wanted));
  const parts = Math.ceil(length(axis) / turns);
  return parts < 2 ? null : { axis, parts, turns };
};

/** Whether it is computed with its epilogue: its terms are not shared. */
export const isWhole = (sequence: Sequence, description: Description, shape: Shape): boolean =>
  sharing(description, sizeOf(shape), sequence) === null;

/** The buffer with the product, or with what the epilogue stores of it. */
export const plain = (sequence: Sequence, { name, description, dtype, operands, epilogue }: Plain): Value => {
  const { traits } = sequence;
  const resultAxes = range(description.axes.length).filter(axis => description.axes[axis]!.role !== 'term');
  const lengths = resultAxes.map(axis => description.axes[axis]!.length);
  const size = sizeOf(lengths);
  const shared = sharing(description, size, sequence);
  const fine = epilogue === null ? lengths : commonAxes(lengths, epilogue.kernel)!;
  const made = epilogue === null ? dtype : epilogue.kernel.values[epilogue.kernel.stores[0]!.value]!.dtype;
  const last = fine.at(-1) ?? 1;
  const quads = floatsOf[made] === 1 && floatsOf[dtype] === 1 && last % 4 === 0 && shared === null;
  const halves = floatsOf[made] === 2;
  const code = new KernelCode(traits.integers);
  const grid = gridOf(
    code,
    [
      ...(shared === null ? [] : [shared.parts]),
      ...fine.slice(0, -1),
      ...(fine.length === 0 ? [] : [quads ? last / 4 : last]),
      ...(halves ? [2] : []),
    ],
    traits,
    name,
  );
  const own = grid.at.slice(shared === null ? 0 : 1, halves ? -1 : undefined);
  const elements = range(quads ? 4 : 1).map(lane =>
    quads ? [...own.slice(0, -1), times(own.at(-1)!, 4, { integer: `${lane}`, float: `${lane}` })] : own,
  );
  const reads = new Map<Value, number>();
  for (const { value, floats } of operands) reads.set(value, floats);
  if (epilogue !== null) for (const [value, floats] of buffersOf(epilogue)) reads.set(value, floats);
  const positions = new Map([...reads.keys()].map((value, i) => [value, i]));
  const positionOf = (value: Value): number => positions.get(value)!;
  const walks = axesOf(description, 'term').map((axis): Walk => {
    const { length } = description.axes[axis]!;
    return shared?.axis === axis
      ? { axis, from: grid.at[0]!, length: shared.turns, limit: length }
      : { axis, from: null, length, limit: length };
  });
  const ordered = [description.leftOperand, 1 - description.leftOperand] as const;
  const writer = new Writer(code, description, dtype, [
    positionOf(operands[ordered[0]]!.value),
    positionOf(operands[ordered[1]]!.value),
  ]);
  const inResult = elements.map(at => {
    const coordinates = coarser(lengths, fine, at);
    const all: Coordinate[] = [];
    resultAxes.forEach((axis, i) => {
      all[axis] = coordinates[i]!;
    });
    return all;
  });
  const sums = writer.sums(inResult, walks);
  const results = sums.map((sum, i) => {
    if (epilogue === null) return floatsOfScalar(code, sum);
    const [scalar] = finish(code, epilogue, sum, {
      at: coarser(lengthsIn(epilogue.kernel), fine, elements[i]!),
      positionOf,
      asFloat: index => index,
    });
    return floatsOfScalar(code, scalar!);
  });
  const terms = walks.reduce((product, { length }) => product * length, 1);
  const [value] = sequence.launch(
    {
      kind: 'kernel',
      name,
      source: code.source(
        reads.size,
        quads
          ? results.map(([x]) => x!)
          : halves
            ? code.select(`${grid.at.at(-1)!.integer} < 1`, results[0]![0]!, results[0]![1]!)
            : results[0]![0]!,
      ),
      grid: grid.grid,
      components: quads ? 4 : 1,
      reads: [...reads.values()],
      numbers: code.numbers,
      turns: code.turns,
      flops: 2 * terms * size * (shared?.parts ?? 1),
    },
    [...reads.keys()],
  ) as [Value];
  return shared === null ? value : addParts(sequence, { name, dtype, parts: shared.parts, size, value });
};
