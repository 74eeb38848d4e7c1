/**
 * Kernels that reduce axes other than the last: vectors along the last axis that is kept, many results side by side.
 * Terms are added to rows of partial sums in scratch memory, so memory is read in its own order.
 *
 * A unit of work is a strip: some neighbouring results, for all their terms.
 */
import { depthOf, type Kernel, type KernelValue, lengthsOf, type ReduceValue } from '../../../compile/kernel.js';
import { contiguous, reshaped, type View } from '../../../view.js';
import { FunctionWriter, type Local } from '../assembler.js';
import type { Value } from '../emitter.js';
import { Body, type KernelCode, lanesOf, parametersOf, slotsOf } from './body.js';
import { type Access, type Cursor, collapsed, Rows } from './cursors.js';
import { accumulatorOf, blockTerms, isArithmetic, partials, Reduction, spans } from './reducers.js';
import { Vectors } from './vectors.js';

/** Results made side by side: their partial sums fit into the first-level cache. */
const stripElements = 256;
const tileElements = 2 ** 14;

/** Loads, indices and stores over the reduced axis, then those kept; the last one is that of the vectors. */
interface Layout {
  readonly lengths: readonly number[];
  readonly accesses: readonly Access[];
}

/** One axis in front of others. */
const inFront = (view: View, length: number, stride: number, valid: View['valid'][number]): View => ({
  shape: [length, ...view.shape],
  offset: view.offset,
  strides: [stride, ...view.strides],
  valid: [valid, ...view.valid],
});

const layoutOf = ({ values, stores, space }: Kernel, slots: readonly number[], ids: readonly number[]): Layout => {
  const depth = depthOf(space);
  const kept = lengthsOf(space, 'row');
  const first = space.findIndex(({ reduced }) => reduced);
  const joined = [...kept.slice(0, first), depth, ...kept.slice(first)];
  /** The reduced axis of a view of elements, and the view without it. */
  const apart = (
    view: View,
  ): { readonly stride: number; readonly valid: View['valid'][number]; readonly rest: View } => {
    const { offset, strides, valid } = reshaped(view, joined)!;
    const without = <T>(list: readonly T[]): readonly T[] => list.filter((_, axis) => axis !== first);
    const rest = { shape: kept, offset, strides: without(strides), valid: without(valid) };
    return { stride: strides[first]!, valid: valid[first]!, rest };
  };
  const parted = (argument: number | null, { dtype, level }: KernelValue, view: View) => {
    const { stride, valid, rest } = level === 'row' ? { stride: 0, valid: null, rest: view } : apart(view);
    return { argument, dtype, stride, valid, view: rest };
  };
  const reading = slots.length - stores.length;
  const all = [
    ...ids.map(id => {
      const value = values[id] as KernelValue & { readonly view: View };
      return parted(value.kind === 'load' ? slots.indexOf(value.slot) : null, value, value.view);
    }),
    ...stores.map(({ value }, i) =>
      parted(reading + i, values[value]!, contiguous(lengthsOf(space, values[value]!.level))),
    ),
  ];
  const together = collapsed(kept, all);
  // A single result is a row of one.
  const lengths = together.lengths.length === 0 ? [1] : together.lengths;
  return {
    lengths: [depth, ...lengths],
    accesses: together.accesses.map(({ argument, dtype, view }, i) => {
      const own = together.lengths.length === 0 ? { ...view, shape: [1], strides: [0], valid: [null] } : view;
      return { argument, dtype, view: inFront(own, depth, all[i]!.stride, all[i]!.valid) };
    }),
  };
};

/** A walk through the rows, with the cursors of those values and stores that it needs. */
interface Walk {
  readonly rows: Rows;
  /** By value. */
  readonly reads: ReadonlyMap<number, Cursor>;
  /** By store. */
  readonly writes: ReadonlyMap<number, Cursor>;
}

/** A reduction and its scratch memory: rows of partial results, and where terms come in blocks one of totals. */
interface Reduced {
  readonly id: number;
  readonly value: ReduceValue;
  readonly reduction: Reduction;
  /** Vectors of accumulators for a vector of values. */
  readonly span: 1 | 2;
  /** Rows of partial results: one takes the terms whose number leaves this rest. */
  readonly count: number;
  readonly rowBytes: number;
  readonly at: number;
  readonly totals: number | null;
}

class AcrossWriter {
  readonly writer: FunctionWriter;
  readonly #kernel: Kernel;
  readonly #vectors: Vectors;
  readonly #lanes: 2 | 4;
  readonly #scratch: Local;
  readonly #depth: number;
  readonly #columns: number;
  /** Columns in whole vectors. */
  readonly #whole: number;
  readonly #terms: Walk;
  readonly #results: Walk;
  readonly #reduced: readonly Reduced[];
  readonly #position: Local;
  readonly #begin: Local;
  readonly #end: Local;
  readonly strip: number;
  readonly strips: number;
  readonly rowCount: number;
  readonly scratchBytes: number;

  constructor(kernel: Kernel, slots: readonly number[]) {
    const { types, scratch } = parametersOf(slots);
    const writer = new FunctionWriter(types);
    const { values, stores } = kernel;
    this.writer = writer;
    this.#kernel = kernel;
    this.#scratch = scratch;
    this.#lanes = lanesOf(kernel);
    this.#vectors = new Vectors(writer, this.#lanes);
    const ids = values.flatMap((value, id) => (value.kind === 'load' || value.kind === 'index' ? [id] : []));
    const { lengths, accesses } = layoutOf(kernel, slots, ids);
    const [depth, ...kept] = lengths as [number, ...number[]];
    this.#depth = depth;
    this.#columns = kept[kept.length - 1]!;
    this.#whole = Math.floor(this.#columns / this.#lanes) * this.#lanes;
    this.strip = Math.min(stripElements, Math.ceil(this.#columns / this.#lanes) * this.#lanes);
    this.strips = Math.ceil(this.#columns / this.strip);
    this.rowCount = kept.slice(0, -1).reduce((p, n) => p * n, 1);

    // One walk over terms for what is made of elements, one over rows for what is made of results.
    const isElement = (i: number): boolean => values[stores[i]!.value]!.level === 'element';
    const rowAxes = kept.slice(0, -1).map((_, i) => i + 1);
    const walk = (roots: readonly number[], axes: readonly number[], element: boolean): Walk => {
      const needed = new Set<number>();
      const need = (id: number): void => {
        const value = values[id]!;
        if (needed.has(id)) return;
        needed.add(id);
        if (value.kind === 'operation') for (const operand of value.operands) need(operand);
      };
      for (const root of roots) need(root);
      const reads = ids.filter(id => needed.has(id));
      const writes = [...stores.keys()].filter(i => isElement(i) === element);
      const places = [...reads.map(id => ids.indexOf(id)), ...writes.map(i => ids.length + i)];
      const rows = new Rows(
        writer,
        places.map(place => accesses[place]!),
        axes,
        kept.length,
        lengths,
      );
      return {
        rows,
        reads: new Map(reads.map((id, i) => [id, rows.cursors[i]!])),
        writes: new Map(writes.map((store, i) => [store, rows.cursors[reads.length + i]!])),
      };
    };
    const storesOf = (element: boolean): number[] =>
      stores.flatMap(({ value }, i) => (isElement(i) === element ? [value] : []));
    const terms = values.flatMap(value => (value.kind === 'reduce' ? [value.operand] : []));
    this.#terms = walk([...terms, ...storesOf(true)], [...rowAxes, 0], true);
    this.#results = walk(storesOf(false), rowAxes, false);

    let next = 0;
    this.#reduced = values.flatMap((value, id): Reduced[] => {
      if (value.kind !== 'reduce') return [];
      const { op, dtype } = value;
      const span = spans(op, dtype, this.#lanes);
      const sums = isArithmetic(op) && accumulatorOf(op, dtype) === 'float64';
      const count = sums ? partials : 1;
      const rowBytes = (this.strip / this.#lanes) * 16 * span;
      const at = next;
      const totals = sums && depth > blockTerms ? at + count * rowBytes : null;
      next = at + rowBytes * (count + (totals === null ? 0 : 1));
      const reduction = new Reduction(writer, op, dtype, this.#lanes);
      return [{ id, value, reduction, span, count, rowBytes, at, totals }];
    });
    this.scratchBytes = next;
    [this.#position, this.#begin, this.#end] = [writer.local('i32'), writer.local('i32'), writer.local('i32')];
  }

  /** For every vector of the strip; the last may have fewer elements. */
  #overStrip(place: (count: number) => void): void {
    const writer = this.writer;
    const whole = this.#whole;
    writer.get(this.#begin).set(this.#position);
    if (whole > 0) {
      writer.get(this.#end).i32(whole).get(this.#end).i32(whole).op('i32.lt_u', 'select');
      const stop = writer.keep('i32');
      writer.loop(this.#position, stop, this.#lanes, () => place(this.#lanes));
    }
    if (whole === this.#columns) return;
    writer
      .get(this.#end)
      .i32(this.#columns)
      .op('i32.eq')
      .if(() => {
        writer.i32(whole).set(this.#position);
        place(this.#columns - whole);
      });
  }

  /** Address of the accumulators for the place, in the row of them that begins at the offset. */
  #accumulator({ span }: Reduced, offset: number): Local {
    const writer = this.writer;
    const shift = (this.#lanes === 4 ? 2 : 3) + (span - 1);
    writer.get(this.#scratch).get(this.#position, this.#begin).op('i32.sub').i32(shift).op('i32.shl', 'i32.add');
    return writer.i32(offset).op('i32.add').keep('i32');
  }

  #load(each: Reduced, offset: number): Local[] {
    const at = this.#accumulator(each, offset);
    return Array.from({ length: each.span }, (_, j) =>
      this.writer
        .get(at)
        .memory('v128.load', 16 * j)
        .keep('v128'),
    );
  }

  #store(each: Reduced, offset: number, vectors: readonly Local[]): void {
    const at = this.#accumulator(each, offset);
    vectors.forEach((vector, j) => {
      this.writer.get(at, vector).memory('v128.store', 16 * j);
    });
  }

  #reset(each: Reduced): void {
    const identity = each.reduction.identity();
    for (let row = 0; row < each.count; row++)
      this.#store(each, each.at + row * each.rowBytes, new Array<Local>(each.span).fill(identity));
  }

  /** The rows of partial results taken together. */
  #gathered(each: Reduced): readonly Local[] {
    const rows = Array.from({ length: each.count }, (_, row) => this.#load(each, each.at + row * each.rowBytes));
    return rows[0]!.map((_, j) => each.reduction.tree(rows.map(row => row[j]!)));
  }

  /** Adds the partial sums to the totals. */
  #endBlock(): void {
    this.#overStrip(() => {
      for (const each of this.#reduced) {
        if (each.totals === null) continue;
        const sums = this.#gathered(each);
        const totals = this.#load(each, each.totals);
        this.#store(
          each,
          each.totals,
          totals.map((total, j) => each.reduction.combine(total, sums[j]!)),
        );
        this.#reset(each);
      }
    });
  }

  /** Values that are the same along the strip. */
  #fixed({ reads }: Walk): ReadonlyMap<number, Value> {
    const still = [...reads].filter(
      ([, { stride, valid, access }]) => stride === 0 && valid === null && access.argument !== null,
    );
    return new Map(still.map(([id, cursor]) => [id, this.#vectors.splat(cursor)]));
  }

  #body({ reads }: Walk, known: ReadonlyMap<number, Value>, count: number): Body {
    return new Body(this.writer, this.#kernel, (id, value) =>
      value.kind === 'operation' ? null : (known.get(id) ?? this.#vectors.load(reads.get(id)!, this.#position, count)),
    );
  }

  #write({ writes }: Walk, body: Body, count: number): void {
    for (const [store, cursor] of writes)
      this.#vectors.store(cursor, this.#position, body.value(this.#kernel.stores[store]!.value), count);
  }

  /** One term of every result of the strip. */
  #term(term: Local): void {
    const writer = this.writer;
    const fixed = this.#fixed(this.#terms);
    const row = writer
      .get(term)
      .i32(partials - 1)
      .op('i32.and')
      .keep('i32');
    this.#overStrip(count => {
      const body = this.#body(this.#terms, fixed, count);
      this.#write(this.#terms, body, count);
      for (const each of this.#reduced) {
        // What lies behind the last column is added up as well, and stored nowhere.
        const terms = each.reduction.terms(body.value(each.value.operand), this.#lanes);
        const at = this.#accumulator(each, each.at);
        if (each.count > 1) writer.get(at).get(row).i32(each.rowBytes).op('i32.mul', 'i32.add').set(at);
        terms.forEach((vector, j) => {
          const before = writer
            .get(at)
            .memory('v128.load', 16 * j)
            .keep('v128');
          writer.get(at, each.reduction.combine(before, vector)).memory('v128.store', 16 * j);
        });
      }
    });
  }

  /** The results of the strip out of all terms. */
  #strip(row: Local): void {
    const writer = this.writer;
    const blocked = this.#reduced.some(({ totals }) => totals !== null);
    this.#overStrip(() => {
      for (const each of this.#reduced) {
        this.#reset(each);
        if (each.totals !== null)
          this.#store(each, each.totals, new Array<Local>(each.span).fill(each.reduction.identity()));
      }
    });
    this.#terms.rows.start(writer.get(row).i32(this.#depth).op('i32.mul').keep('i32'));
    const term = writer.i32(0).keep('i32');
    const depth = writer.i32(this.#depth).keep('i32');
    writer.loop(term, depth, 1, () => {
      this.#term(term);
      if (blocked)
        writer
          .get(term)
          .i32(blockTerms - 1)
          .op('i32.and')
          .i32(blockTerms - 1)
          .op('i32.eq')
          .if(() => this.#endBlock());
      this.#terms.rows.next();
    });
    if (blocked && this.#depth % blockTerms !== 0) this.#endBlock();

    this.#results.rows.start(row);
    const fixed = this.#fixed(this.#results);
    this.#overStrip(count => {
      const known = new Map(fixed);
      for (const each of this.#reduced) {
        const made = each.totals === null ? this.#gathered(each) : this.#load(each, each.totals);
        known.set(each.id, each.reduction.rounded(made));
      }
      this.#write(this.#results, this.#body(this.#results, known, count), count);
    });
  }

  /** The function: strips from ≤ s < to. */
  write(from: Local, to: Local): void {
    const writer = this.writer;
    const unit = writer.get(from).keep('i32');
    const row = writer.local('i32');
    const [begin, end, columns] = [this.#begin, this.#end, this.#columns];
    writer.loop(unit, to, 1, () => {
      writer.get(unit).i32(this.strips).op('i32.div_u').set(row);
      writer.get(unit).i32(this.strips).op('i32.rem_u').i32(this.strip).op('i32.mul').tee(begin);
      writer.i32(this.strip).op('i32.add').tee(end).i32(columns).get(end).i32(columns);
      writer.op('i32.lt_u', 'select').set(end);
      this.#strip(row);
    });
  }

  get tile(): number {
    return Math.max(1, Math.ceil(tileElements / (this.#depth * Math.min(this.#columns, this.strip))));
  }
}

export const writeAcross = (kernel: Kernel): KernelCode => {
  const slots = slotsOf(kernel);
  const { from, to } = parametersOf(slots);
  const across = new AcrossWriter(kernel, slots);
  across.write(from, to);
  const { writer, scratchBytes, strips, rowCount, tile } = across;
  return { writer, slots, scratch: scratchBytes, units: rowCount * strips, tile, grain: 1 };
};
