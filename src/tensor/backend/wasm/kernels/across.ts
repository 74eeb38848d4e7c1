/**
 * Kernels that reduce axes other than the last: vectors along the last axis that is kept, many results side by side.
 * Terms are added to rows of partial sums in scratch memory, so memory is read in its own order.
 */
import { depthOf, type Kernel, lengthsOf } from '../../../compile/kernel.js';
import { contiguous, reshaped, type View } from '../../../view.js';
import { FunctionWriter, type Local } from '../assembler.js';
import type { Value } from '../scalar-code.js';
import { Body, type KernelCode, lanesOf, parametersOf, slotsOf } from './body.js';
import { type Access, collapsed, Rows, Vectors } from './cursors.js';
import { accumulatorOf, blockTerms, partials, Reduction, spans } from './reducers.js';

/** Results made side by side: their partial sums fit into the first-level cache. */
const stripElements = 256;
const tileElements = 2 ** 14;

export const writeAcross = (kernel: Kernel): KernelCode => {
  const { values, stores, space } = kernel;
  const depth = depthOf(space);
  const slots = slotsOf(kernel);
  const { types, scratch, from, to } = parametersOf(slots);
  const writer = new FunctionWriter(types);
  const lanes = lanesOf(kernel);
  const vectors = new Vectors(writer, lanes);

  // The reduced axis first among the accesses' axes, then those kept.
  const first = space.findIndex(({ reduced }) => reduced);
  const kept = lengthsOf(space, 'row');
  const behind = [...kept.slice(0, first), depth, ...kept.slice(first)];
  const reducedFirst = (view: View): View => {
    const whole = reshaped(view, behind)!;
    const order = [first, ...behind.keys()].filter((axis, i) => i === 0 || axis !== first);
    return {
      shape: order.map(axis => behind[axis]!),
      offset: whole.offset,
      strides: order.map(axis => whole.strides[axis]!),
      valid: order.map(axis => whole.valid[axis]!),
    };
  };
  const still = (view: View): View => ({
    shape: [depth, ...kept],
    offset: view.offset,
    strides: [0, ...view.strides],
    valid: [null, ...view.valid],
  });
  const ids = values.flatMap((value, id) => (value.kind === 'load' || value.kind === 'index' ? [id] : []));
  const reads = ids.map((id): Access => {
    const { kind, level, dtype } = values[id]!;
    const { view } = values[id]! as { view: View };
    return {
      argument: kind === 'load' ? slots.indexOf((values[id] as { slot: number }).slot) : null,
      dtype,
      view: level === 'row' ? still(view) : reducedFirst(view),
    };
  });
  const reading = slots.length - stores.length;
  const writes = stores.map(({ value }, i): Access => {
    const { dtype, level } = values[value]!;
    const view = level === 'row' ? still(contiguous(kept)) : reducedFirst(contiguous(lengthsOf(space, 'element')));
    return { argument: reading + i, dtype, view };
  });
  const all = [...reads, ...writes];
  const together = collapsed(
    kept,
    all.map(access => ({
      ...access,
      view: { ...access.view, strides: access.view.strides.slice(1), valid: access.view.valid.slice(1) },
    })),
  );
  const lengths = together.lengths.length === 0 ? [1] : together.lengths;
  const accesses = together.accesses.map((access, i) => ({
    ...access,
    view: {
      ...access.view,
      strides: [all[i]!.view.strides[0]!, ...(together.lengths.length === 0 ? [0] : access.view.strides)],
      valid: [all[i]!.view.valid[0]!, ...(together.lengths.length === 0 ? [null] : access.view.valid)],
    },
  }));
  const columns = lengths[lengths.length - 1]!;
  const outer = lengths.slice(0, -1);
  const strip = Math.min(stripElements, Math.ceil(columns / lanes) * lanes);
  const strips = Math.ceil(columns / strip);
  const whole = Math.floor(columns / lanes) * lanes;
  const vectorAxis = lengths.length;
  const extents = [depth, ...lengths];

  // One walk over (rows, terms) for elements, one over rows for what is made of the results.
  const elementIds = new Set<number>();
  const rowIds = new Set<number>();
  const need = (id: number, into: Set<number>): void => {
    const value = values[id]!;
    if (value.kind === 'load' || value.kind === 'index') into.add(id);
    if (value.kind === 'operation') for (const operand of value.operands) need(operand, into);
  };
  const reductions = values.flatMap((value, id) =>
    value.kind === 'reduce' ? [{ id, value, reduction: new Reduction(writer, value.op, value.dtype, lanes) }] : [],
  );
  for (const { value } of reductions) need(value.operand, elementIds);
  for (const { value } of stores) need(value, values[value]!.level === 'element' ? elementIds : rowIds);
  const isElementStore = (i: number): boolean => values[stores[i]!.value]!.level === 'element';
  const pick = (wanted: ReadonlySet<number>, element: boolean): readonly number[] => [
    ...ids.flatMap((id, i) => (wanted.has(id) ? [i] : [])),
    ...stores.flatMap((_, i) => (isElementStore(i) === element ? [ids.length + i] : [])),
  ];
  const [elementPlaces, rowPlaces] = [pick(elementIds, true), pick(rowIds, false)];
  const rowAxes = outer.map((_, i) => i + 1);
  const termWalk = new Rows(
    writer,
    elementPlaces.map(i => accesses[i]!),
    [...rowAxes, 0],
    vectorAxis,
    extents,
  );
  const rowWalk = new Rows(
    writer,
    rowPlaces.map(i => accesses[i]!),
    rowAxes,
    vectorAxis,
    extents,
  );
  const cursorOf = (walk: Rows, places: readonly number[], i: number) => walk.cursors[places.indexOf(i)]!;

  // Scratch: for each reduction its partial results [partials][strip], then, where terms come in blocks, totals [strip].
  const blocked = depth > blockTerms;
  let scratchBytes = 0;
  const layouts = reductions.map(({ value }) => {
    const sums = value.op === 'sum' && accumulatorOf(value.op, value.dtype) === 'float64';
    const rowBytes = (strip / lanes) * 16 * spans(value.op, value.dtype, lanes);
    const count = sums ? partials : 1;
    const at = scratchBytes;
    scratchBytes += rowBytes * (count + (sums && blocked ? 1 : 0));
    return { sums, rowBytes, count, at, totals: at + rowBytes * count };
  });

  const position = writer.local('i32');
  const [begin, end] = [writer.local('i32'), writer.local('i32')];
  /** Address of the accumulators for the place, in a row of them. */
  const accumulatorAt = (i: number, offset: number): Local => {
    const span = spans(reductions[i]!.value.op, reductions[i]!.value.dtype, lanes);
    const shift = (lanes === 4 ? 2 : 3) + (span - 1);
    return writer
      .get(scratch)
      .get(position, begin)
      .op('i32.sub')
      .i32(shift)
      .op('i32.shl', 'i32.add')
      .i32(offset)
      .op('i32.add')
      .keep('i32');
  };
  /** For every vector of the strip. */
  const overStrip = (place: (count: number) => void): void => {
    writer.get(begin).set(position);
    if (whole > 0) {
      const stop = writer.get(end).i32(whole).get(end).i32(whole).op('i32.lt_u', 'select').keep('i32');
      writer.loop(position, stop, lanes, () => place(lanes));
    }
    if (whole < columns)
      writer
        .get(end)
        .i32(columns)
        .op('i32.eq')
        .if(() => {
          writer.i32(whole).set(position);
          place(columns - whole);
        });
  };
  const loadSums = (i: number, offset: number): Local[] => {
    const at = accumulatorAt(i, offset);
    const span = spans(reductions[i]!.value.op, reductions[i]!.value.dtype, lanes);
    return Array.from({ length: span }, (_, j) =>
      writer
        .get(at)
        .memory('v128.load', 16 * j)
        .keep('v128'),
    );
  };
  const storeSums = (i: number, offset: number, sums: readonly Local[]): void => {
    const at = accumulatorAt(i, offset);
    sums.forEach((sum, j) => {
      writer.get(at, sum).memory('v128.store', 16 * j);
    });
  };
  /** The rows of partial results added up. */
  const gathered = (i: number): readonly Local[] => {
    const { count, rowBytes, at } = layouts[i]!;
    const { reduction } = reductions[i]!;
    const partialRows = Array.from({ length: count }, (_, lane) => loadSums(i, at + lane * rowBytes));
    return partialRows[0]!.map((_, j) => reduction.tree(partialRows.map(row => row[j]!)));
  };
  const reset = (i: number): void => {
    const { count, rowBytes, at } = layouts[i]!;
    const identity = reductions[i]!.reduction.identity();
    for (let lane = 0; lane < count; lane++)
      storeSums(
        i,
        at + lane * rowBytes,
        Array.from({ length: rowBytes / ((strip / lanes) * 16) }, () => identity),
      );
  };

  const term = writer.local('i32');
  const rowNumber = writer.local('i32');
  const unit = writer.local('i32');
  const termCount = writer.i32(depth).keep('i32');
  const strip_ = (): void => {
    overStrip(() => {
      reductions.forEach((_, i) => {
        reset(i);
        const { sums, totals } = layouts[i]!;
        if (sums && blocked) storeSums(i, totals, loadSums(i, layouts[i]!.at));
      });
    });
    const startTerm = writer.get(rowNumber).i32(depth).op('i32.mul').keep('i32');
    termWalk.start(startTerm);
    writer.i32(0).set(term);
    writer.loop(term, termCount, 1, () => {
      const lane = writer
        .get(term)
        .i32(partials - 1)
        .op('i32.and')
        .keep('i32');
      const fixed = new Map<number, Value>();
      ids.forEach((id, i) => {
        if (!elementIds.has(id)) return;
        const cursor = cursorOf(termWalk, elementPlaces, i);
        if (cursor.stride === 0 && cursor.valid === null && cursor.access.argument !== null)
          fixed.set(id, vectors.splat(cursor));
      });
      overStrip(count => {
        const body = new Body(writer, kernel, (id, value) =>
          value.kind === 'operation'
            ? null
            : (fixed.get(id) ?? vectors.load(cursorOf(termWalk, elementPlaces, ids.indexOf(id)), position, count)),
        );
        stores.forEach(({ value }, i) => {
          if (isElementStore(i))
            vectors.store(cursorOf(termWalk, elementPlaces, ids.length + i), position, body.value(value), count);
        });
        reductions.forEach(({ value, reduction }, i) => {
          const { sums, rowBytes, at: start } = layouts[i]!;
          const terms = reduction.terms(body.value(value.operand), lanes);
          const at = accumulatorAt(i, start);
          if (sums) writer.get(at).get(lane).i32(rowBytes).op('i32.mul', 'i32.add').set(at);
          terms.forEach((vector, j) => {
            const sum = reduction.combine(
              writer
                .get(at)
                .memory('v128.load', 16 * j)
                .keep('v128'),
              vector,
            );
            writer.get(at, sum).memory('v128.store', 16 * j);
          });
        });
      });
      if (blocked && layouts.some(({ sums }) => sums)) {
        writer
          .get(term)
          .i32(blockTerms - 1)
          .op('i32.and')
          .i32(blockTerms - 1)
          .op('i32.eq')
          .if(() => endBlock());
      }
      termWalk.next();
    });
    if (blocked && depth % blockTerms !== 0) endBlock();
    rowWalk.start(rowNumber);
    const fixed = new Map<number, Value>();
    ids.forEach((id, i) => {
      if (!rowIds.has(id)) return;
      const cursor = cursorOf(rowWalk, rowPlaces, i);
      if (cursor.stride === 0 && cursor.valid === null && cursor.access.argument !== null)
        fixed.set(id, vectors.splat(cursor));
    });
    overStrip(count => {
      const results = new Map<number, Value>();
      reductions.forEach(({ id, reduction }, i) => {
        const { sums, totals } = layouts[i]!;
        results.set(id, reduction.rounded(sums && blocked ? loadSums(i, totals) : gathered(i)));
      });
      const body = new Body(writer, kernel, (id, value) => {
        if (value.kind === 'operation') return null;
        return (
          results.get(id) ??
          fixed.get(id) ??
          vectors.load(cursorOf(rowWalk, rowPlaces, ids.indexOf(id)), position, count)
        );
      });
      stores.forEach(({ value }, i) => {
        if (!isElementStore(i))
          vectors.store(cursorOf(rowWalk, rowPlaces, ids.length + i), position, body.value(value), count);
      });
    });
  };
  /** Adds the partial sums to the totals. */
  const endBlock = (): void =>
    overStrip(() => {
      reductions.forEach(({ reduction }, i) => {
        const { sums, totals } = layouts[i]!;
        if (!sums) return;
        const sum = gathered(i);
        storeSums(
          i,
          totals,
          loadSums(i, totals).map((total, j) => reduction.combine(total, sum[j]!)),
        );
        reset(i);
      });
    });

  writer.get(from).set(unit);
  writer.loop(unit, to, 1, () => {
    writer.get(unit).i32(strips).op('i32.div_u').set(rowNumber);
    writer.get(unit).i32(strips).op('i32.rem_u').i32(strip).op('i32.mul').tee(begin);
    writer.i32(strip).op('i32.add').tee(end).i32(columns).get(end).i32(columns).op('i32.lt_u', 'select').set(end);
    strip_();
  });
  return {
    writer,
    slots,
    scratch: scratchBytes,
    units: outer.reduce((p, n) => p * n, 1) * strips,
    tile: Math.max(1, Math.ceil(tileElements / (depth * Math.min(columns, strip)))),
  };
};
