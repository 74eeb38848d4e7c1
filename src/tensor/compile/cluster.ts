/** A kernel coming about: instructions join it from the last to the first, each next to what uses its result. */
import type { DType } from '../dtype.js';
import { entryOf } from '../primitives/table.js';
import { range, type Shape, sizeOf, stridesOf } from '../shape.js';
import { isContiguous, refined, reshaped, type View } from '../view.js';
import { type Axis, depthOf, type Kernel, type KernelValue, type Level, lengthsOf, type Reducer } from './kernel.js';
import type { Instruction } from './program.js';

/** What a value is a view of: a slot that is stored, or the indices themselves (null). */
export interface Source {
  readonly base: number | null;
  readonly view: View;
  readonly dtype: DType;
}

/** An instruction that does something, its operands as views. */
export interface Effect {
  readonly kind: 'elementwise' | 'reduce' | 'single';
  readonly instruction: Instruction;
  readonly operands: readonly Source[];
}

/** Instructions in a kernel: what a function of WebAssembly, a shader and their compilers take gladly. */
const mostMembers = 128;
/** Elementary functions are long and count for as many: engines refuse functions of more than 50,000 locals. */
const weightOf = ({ op }: Instruction): number => {
  if (op === 'pow') return 4;
  const entry = op === 'copy' ? null : entryOf(op);
  return entry?.kind === 'elementwise' && !entry.traits.includes('cheap') ? 2 : 1;
};
/** Different buffers read. */
const mostReads = 96;
/** A row that is walked through several times should stay in the cache. */
const longestRow = 2 ** 16;
/** Rows are taken for such without a reduction only if they are worth it. */
const shortestRow = 16;

const product = (lengths: Shape): number => lengths.reduce((p, n) => p * n, 1);

/** Lengths before, in and behind a run of axes. */
const parts = (shape: Shape, axes: readonly number[]): readonly [number, number, number] => {
  const [first, last] = [Math.min(...axes), Math.max(...axes)];
  return [product(shape.slice(0, first)), product(shape.slice(first, last + 1)), product(shape.slice(last + 1))];
};

const partsOf = (space: readonly Axis[]): readonly [number, number, number] => {
  const first = space.findIndex(({ reduced }) => reduced);
  const lengths = space.map(({ length }) => length);
  const last = first + space.filter(({ reduced }) => reduced).length;
  return [product(lengths.slice(0, first)), product(lengths.slice(first, last)), product(lengths.slice(last))];
};

/** Axes with those reduced that lie behind the first `before` elements and hold `depth`. */
const flagged = (lengths: Shape, before: number, depth: number): Axis[] => {
  let outside = 1;
  return lengths.map(length => {
    const reduced = outside >= before && outside < before * depth && length > 1;
    outside *= length;
    return { length, reduced };
  });
};

const kept = (lengths: Shape): Axis[] => lengths.map(length => ({ length, reduced: false }));

/** The axes of one level split so that the shape has its place among them; null if that cannot be. */
const refine = (space: readonly Axis[], level: Level, shape: Shape): readonly Axis[] | null => {
  const own = lengthsOf(space, level);
  const finer = refined(own, shape);
  if (finer === null) return null;
  // Refining splits axes and never joins any, so each new axis belongs to one old one.
  const list: Axis[] = [];
  let next = 0;
  for (const { length, reduced } of space) {
    if (level === 'row' && reduced) {
      list.push({ length, reduced });
      continue;
    }
    for (let left = length; left > 1; left /= finer[next++]!) list.push({ length: finer[next]!, reduced });
  }
  return list;
};

/** The view over the axes of a level; null if it cannot be said, or does not step through the reduced axes as if they were one. */
const placed = (view: View, level: Level, space: readonly Axis[]): View | null => {
  const over = reshaped(view, lengthsOf(space, level));
  if (over === null || level === 'row') return over;
  const [before, depth, behind] = [
    space.findIndex(({ reduced }) => reduced),
    depthOf(space),
    space.filter(({ reduced }) => reduced).length,
  ];
  if (before < 0) return over;
  const lengths = over.shape;
  const merged = [...lengths.slice(0, before), depth, ...lengths.slice(before + behind)];
  return reshaped(over, merged) === null ? null : over;
};

/** Whether a view of a row's value spreads it over the whole space. */
const spreads = (view: View, space: readonly Axis[]): boolean => {
  const over = reshaped(view, lengthsOf(space, 'element'));
  if (over === null || over.offset !== 0 || over.valid.some(range => range !== null)) return false;
  const strides = stridesOf(lengthsOf(space, 'row'));
  let next = 0;
  return space.every(({ length, reduced }, axis) => {
    const expected = reduced ? 0 : strides[next++]!;
    return length === 1 || over.strides[axis] === expected;
  });
};

interface Use {
  readonly member: Effect;
  readonly view: View;
}

export class Cluster {
  #space: readonly Axis[];
  /** Consumers before producers. */
  readonly #members: Effect[] = [];
  #levels = new Map<number, Level>();
  readonly #stores = new Set<number>();
  readonly #reads = new Set<number>();
  #weight = 0;

  constructor(effect: Effect) {
    const { instruction, kind } = effect;
    if (kind === 'reduce') {
      const { shape } = instruction.inputAvals[0]!;
      const [before, depth] = parts(shape, instruction.params.axes as readonly number[]);
      this.#space = flagged(
        shape.filter(n => n !== 1),
        before,
        depth,
      );
    } else {
      // One place is an axis too: it can be outside of what is valid.
      const long = instruction.aval.shape.filter(n => n !== 1);
      this.#space = kept(long.length === 0 ? [1] : long);
    }
    this.#add(effect, kind === 'reduce' ? 'row' : 'element');
  }

  get #reducing(): boolean {
    return this.#space.some(({ reduced }) => reduced);
  }

  /** Whether values of a row may be used by elements: rows are walked through again, so they must lie in one piece. */
  #repeats(space: readonly Axis[]): boolean {
    return space[space.length - 1]!.reduced && depthOf(space) <= longestRow;
  }

  #add(effect: Effect, level: Level): void {
    this.#members.push(effect);
    this.#weight += weightOf(effect.instruction);
    this.#levels.set(effect.instruction.result, level);
    for (const { base } of effect.operands) if (base !== null) this.#reads.add(base);
  }

  /** Takes an instruction in, where its consumers here and the space allow that. */
  join(effect: Effect): boolean {
    const { instruction, kind } = effect;
    if (this.#weight >= mostMembers || this.#reads.size >= mostReads) return false;
    if (sizeOf(instruction.aval.shape) === 0 || sizeOf(lengthsOf(this.#space, 'element')) === 0) return false;
    const uses = this.#members.flatMap(member =>
      member.operands.filter(({ base }) => base === instruction.result).map(({ view }): Use => ({ member, view })),
    );
    return kind === 'reduce' ? this.#joinReduction(effect, uses) : this.#joinElementwise(effect, uses);
  }

  store(slot: number): void {
    this.#stores.add(slot);
  }

  #levelOfOperands({ kind, instruction }: Effect): Level {
    return kind === 'reduce' ? 'element' : this.#levels.get(instruction.result)!;
  }

  /** The level that all uses ask for: that of the user, or a row's where it is spread over the space. */
  #levelFor(uses: readonly Use[], space: readonly Axis[]): Level | null {
    const levels = new Set(
      uses.map(({ member, view }) => {
        const level = this.#levelOfOperands(member);
        if (isContiguous(view) && sizeOf(view.shape) === sizeOf(lengthsOf(space, level))) return level;
        return level === 'element' && spreads(view, space) ? 'row' : null;
      }),
    );
    const [level] = levels;
    return levels.size === 1 ? level! : null;
  }

  #joinElementwise(effect: Effect, uses: readonly Use[]): boolean {
    const { shape } = effect.instruction.aval;
    const size = sizeOf(shape);
    const rowed = this.#reducing ? null : this.#rowsOf(shape, uses);
    if (rowed !== null) {
      if (!this.#allPlaced(rowed, this.#levels, [effect, 'row'])) return false;
      this.#space = rowed;
      this.#add(effect, 'row');
      return true;
    }
    const fits = (level: Level): boolean => size === sizeOf(lengthsOf(this.#space, level));
    const level =
      uses.length > 0
        ? this.#levelFor(uses, this.#space)
        : fits('element')
          ? 'element'
          : this.#reducing && fits('row')
            ? 'row'
            : null;
    if (level === null || !fits(level) || (level === 'row' && !this.#reducing)) return false;
    const space = refine(this.#space, level, shape);
    if (space === null || !this.#allPlaced(space, this.#levels, [effect, level])) return false;
    if (this.#spreadsTo(uses, level) && !this.#repeats(space)) return false;
    this.#space = space;
    this.#add(effect, level);
    return true;
  }

  /**
   * The space with its last axes taken for those of a row, where all uses spread the value over these: then what it is made
   * of, often a reduction over just these axes, can join as well.
   */
  #rowsOf(shape: Shape, uses: readonly Use[]): readonly Axis[] | null {
    const whole = lengthsOf(this.#space, 'element');
    const count = sizeOf(shape);
    const depth = sizeOf(whole) / count;
    if (uses.length === 0 || count === 1 || !Number.isInteger(depth) || depth < shortestRow || depth > longestRow)
      return null;
    const finer = refined(whole, [count, depth]);
    const space = finer && refine(flagged(finer, count, depth), 'row', shape);
    return space && uses.every(({ view }) => spreads(view, space)) ? space : null;
  }

  /** Whether a row's value is used by elements. */
  #spreadsTo(uses: readonly Use[], level: Level): boolean {
    return level === 'row' && uses.some(({ member }) => this.#levelOfOperands(member) === 'element');
  }

  #joinReduction(effect: Effect, uses: readonly Use[]): boolean {
    const { inputAvals, params, aval } = effect.instruction;
    const { shape } = inputAvals[0]!;
    const [before, depth, behind] = parts(shape, params.axes as readonly number[]);
    const whole = lengthsOf(this.#space, 'element');
    let space: readonly Axis[] | null = null;
    let levels = this.#levels;
    if (this.#reducing) {
      const [p, q, r] = partsOf(this.#space);
      if (p === before && q === depth && r === behind) space = refine(this.#space, 'element', shape);
    } else if (sizeOf(whole) === sizeOf(shape)) {
      const finer = refined(whole, shape);
      space = finer && flagged(finer, before, depth);
    } else if (sizeOf(whole) === sizeOf(aval.shape)) {
      // What was a space of its own becomes the rows of another.
      const rows = refined(whole, aval.shape);
      const lengths = rows && split(rows, before);
      const run = shape.filter((n, axis) => n !== 1 && (params.axes as readonly number[]).includes(axis));
      space = lengths && [...kept(lengths[0]), ...run.map(length => ({ length, reduced: true })), ...kept(lengths[1])];
      levels = new Map(range(this.#members.length).map(i => [this.#members[i]!.instruction.result, 'row'] as const));
    }
    if (space === null) return false;
    const before_ = this.#levels;
    this.#levels = levels;
    const level = uses.length === 0 ? 'row' : this.#levelFor(uses, space);
    const fits =
      level === 'row' &&
      this.#allPlaced(space, levels, [effect, 'row']) &&
      (!this.#spreadsTo(uses, 'row') || this.#repeats(space));
    if (!fits) {
      this.#levels = before_;
      return false;
    }
    this.#space = space;
    this.#add(effect, 'row');
    return true;
  }

  /** Whether all that comes from outside can be read in this space. */
  #allPlaced(
    space: readonly Axis[],
    levels: ReadonlyMap<number, Level>,
    [added, level]: readonly [Effect, Level],
  ): boolean {
    const check = (effect: Effect, own: Level): boolean =>
      effect.operands.every(
        ({ base, view }) =>
          (base !== null && levels.has(base)) ||
          placed(view, effect.kind === 'reduce' ? 'element' : own, space) !== null,
      );
    if (!check(added, level)) return false;
    // Splitting adds axes: with as many as before, of the same kinds, what had its place still has it.
    const asBefore =
      levels === this.#levels &&
      space.length === this.#space.length &&
      space.every(({ reduced }, axis) => reduced === this.#space[axis]!.reduced);
    return asBefore || this.#members.every(each => check(each, levels.get(each.instruction.result)!));
  }

  /** The kernel, once everything has joined. */
  kernel(): Kernel {
    const space = this.#space;
    const values: KernelValue[] = [];
    const at = new Map<number, number>();
    const loads = new Map<string, number>();
    const load = ({ base, view, dtype }: Source, level: Level): number => {
      const over = placed(view, level, space)!;
      const still = space.every(
        ({ reduced }, axis) => !reduced || (over.strides[axis] === 0 && over.valid[axis] === null),
      );
      const row = level === 'row' || (this.#reducing && still);
      const seen = row && level === 'element' ? keptOf(over, space) : over;
      const key = `${base} ${dtype} ${row} ${seen.offset} ${seen.strides} ${seen.valid.map(v => v ?? '-').join(';')}`;
      const known = loads.get(key);
      if (known !== undefined) return known;
      const common = { view: seen, dtype, level: row ? ('row' as const) : ('element' as const) };
      loads.set(key, values.length);
      return values.push(base === null ? { kind: 'index', ...common } : { kind: 'load', slot: base, ...common }) - 1;
    };
    for (const effect of [...this.#members].reverse()) {
      const { instruction, kind } = effect;
      const { op, params, result, aval } = instruction;
      const level = this.#levels.get(result)!;
      const operands = effect.operands.map(
        source => at.get(source.base ?? -1) ?? load(source, this.#levelOfOperands(effect)),
      );
      const { dtype } = aval;
      at.set(result, values.length);
      values.push(
        kind === 'reduce'
          ? { kind: 'reduce', op: op as Reducer, operand: operands[0]!, dtype, level: 'row' }
          : { kind: 'operation', op, params, operands, dtype, level },
      );
    }
    return { space, values, stores: [...this.#stores].map(slot => ({ value: at.get(slot)!, slot })) };
  }
}

/** A view of the whole space that stands still along the reduced axes, over the others. */
const keptOf = (view: View, space: readonly Axis[]): View => {
  const axes = range(space.length).filter(axis => !space[axis]!.reduced);
  return {
    shape: axes.map(axis => view.shape[axis]!),
    offset: view.offset,
    strides: axes.map(axis => view.strides[axis]!),
    valid: axes.map(axis => view.valid[axis]!),
  };
};

/** Lengths cut in two behind the first `before` elements, where one of them ends. */
const split = (lengths: Shape, before: number): readonly [Shape, Shape] => {
  let seen = 1;
  const at = lengths.findIndex(length => {
    const here = seen === before;
    seen *= length;
    return here;
  });
  return at < 0 ? [lengths, []] : [lengths.slice(0, at), lengths.slice(at)];
};
