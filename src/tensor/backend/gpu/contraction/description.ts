/**
 * What a contraction computes, whatever primitive it comes from: sums over terms of left · right, and where the factors
 * are.
 *
 * Both factors and the result are at affine addresses of the same axes. What is not affine about a convolution is said
 * by places: conditions under which a factor is there at all, and quotients that are indices.
 */
import type { Instruction } from '../../../compile/program.js';
import { freeAxes } from '../../../primitives/contraction.js';
import { firstSpatial, operandRoles } from '../../../primitives/convolution.js';
import type { ConvParams, ConvRole, DotParams } from '../../../primitives/signatures.js';
import { range, stridesOf } from '../../../shape.js';
import type { Valid, View } from '../../../view.js';

/**
 * Rows are axes that only the left factor and the result have, columns those of the right factor, terms are those of
 * both factors.
 */
export type Role = 'batch' | 'row' | 'column' | 'term';

interface ContractionAxis {
  readonly length: number;
  readonly role: Role;
}

/** The integer Σ coefficient · index + constant. */
export interface Affine {
  /** By axis, then by table. */
  readonly coefficients: readonly number[];
  readonly constant: number;
}

/**
 * An affine integer: divided by the divisor it must be an integer from `low` to before `high`, which adds to the
 * address.
 */
export interface Place extends Affine {
  readonly divisor: number;
  readonly low: number;
  readonly high: number;
  /** Elements from one quotient to the next, where the divisor is not 1; else the address has it already. */
  readonly stride: number;
}

/** Where elements are. Where a place is not kept to, a factor is zero, and a result is not there. */
export interface Addresses extends Affine {
  readonly places: readonly Place[];
}

/** A number for each index of an axis. It counts as an axis more, behind all the others. */
interface Table {
  readonly axis: number;
  readonly values: readonly number[];
}

export interface Description {
  /** Those of the result in the order in which it has them, outermost first; then the terms. */
  readonly axes: readonly ContractionAxis[];
  readonly tables: readonly Table[];
  readonly left: Addresses;
  readonly right: Addresses;
  readonly result: Addresses;
  /** Which operand is the left one. */
  readonly leftOperand: 0 | 1;
}

/** An axis before it is known which operand is the left one: `both` is of batches, `term` of no result. */
interface Letter {
  readonly length: number;
  readonly of: 0 | 1 | 'both' | 'term';
}

/** A sum of letters by name. */
type Sum = Readonly<Record<string, number>>;

/** An axis of an operand or of the result: where along it an element is. */
interface Step {
  readonly sum: Sum;
  readonly constant?: number;
  readonly divisor?: number;
  readonly low?: number;
  readonly high?: number;
  readonly stride: number;
}

interface Draft {
  /** In the order of the axes. */
  readonly letters: ReadonlyMap<string, Letter>;
  readonly tables: ReadonlyMap<string, { readonly letter: string; readonly values: readonly number[] }>;
  readonly operands: readonly [Steps, Steps];
  readonly result: Steps;
}

interface Steps {
  readonly offset: number;
  readonly steps: readonly Step[];
}

/** The least and the largest that an affine integer can be. */
const extremes = (
  names: ReadonlyMap<string, readonly number[]>,
  sum: Sum,
  constant: number,
): readonly [number, number] => {
  let [least, largest] = [constant, constant];
  for (const [name, coefficient] of Object.entries(sum)) {
    const values = names.get(name)!.map(value => value * coefficient);
    least += Math.min(...values);
    largest += Math.max(...values);
  }
  return [least, largest];
};

const build = ({ letters, tables, operands, result }: Draft): Description => {
  const names = [...letters.keys(), ...tables.keys()];
  const ends = new Map<string, readonly number[]>([
    ...[...letters].map(([name, { length }]) => [name, [0, Math.max(0, length - 1)]] as const),
    ...[...tables].map(([name, { values }]) => [name, values] as const),
  ]);
  const mapOf = ({ offset, steps }: Steps): Addresses => {
    const coefficients = names.map(() => 0);
    let constant = offset;
    const places: Place[] = [];
    for (const { sum, constant: start = 0, divisor = 1, low, high, stride } of steps) {
      const own = names.map(name => sum[name] ?? 0);
      if (divisor === 1) {
        own.forEach((coefficient, i) => {
          coefficients[i]! += coefficient * stride;
        });
        constant += start * stride;
      }
      if (low === undefined || high === undefined) continue;
      const [least, largest] = extremes(ends, sum, start);
      if (divisor === 1 && low <= least && largest < high) continue;
      places.push({ coefficients: own, constant: start, divisor, low, high, stride: divisor === 1 ? 0 : stride });
    }
    return { coefficients, constant, places };
  };
  const columns = [...letters.values()].filter(({ of, length }) => (of === 0 || of === 1) && length > 1).at(-1);
  const rightOperand = columns?.of === 0 ? 0 : 1;
  const roleOf = (of: Letter['of']): Role =>
    of === 'both' ? 'batch' : of === 'term' ? 'term' : of === rightOperand ? 'column' : 'row';
  return joined({
    axes: [...letters.values()].map(({ length, of }) => ({ length, role: roleOf(of) })),
    tables: [...tables.values()].map(({ letter, values }) => ({ axis: names.indexOf(letter), values })),
    left: mapOf(operands[1 - rightOperand]!),
    right: mapOf(operands[rightOperand]!),
    result: mapOf(result),
    leftOperand: rightOperand === 0 ? 1 : 0,
  });
};

/** The same with fewer axes: those of length 1 left out, and neighbours that are stepped through like one made one. */
const joined = (given: Description): Description => {
  const affines = ({ left, right, result }: Description): Affine[] =>
    [left, right, result].flatMap(map => [map, ...map.places]);
  const without = (description: Description, gone: number, length: number): Description => {
    const less = <T extends Affine>(affine: T): T => ({
      ...affine,
      coefficients: affine.coefficients.filter((_, i) => i !== gone),
    });
    const map = (own: Addresses): Addresses => ({ ...less(own), places: own.places.map(less) });
    return {
      ...description,
      axes: description.axes
        .map((axis, i) => (i === gone + 1 ? { ...axis, length } : axis))
        .filter((_, i) => i !== gone),
      tables: description.tables.map(table => ({ ...table, axis: table.axis > gone ? table.axis - 1 : table.axis })),
      left: map(description.left),
      right: map(description.right),
      result: map(description.result),
    };
  };
  let description = given;
  for (let i = given.axes.length - 1; i >= 0; i--) {
    const { axes, tables } = description;
    const [axis, next] = [axes[i]!, axes[i + 1]];
    if (tables.some(table => table.axis === i)) continue;
    if (axis.length === 1) {
      description = without(description, i, next?.length ?? 0);
    } else if (
      next !== undefined &&
      next.role === axis.role &&
      !tables.some(table => table.axis === i + 1) &&
      affines(description).every(({ coefficients: c }) => c[i] === c[i + 1]! * next.length)
    ) {
      description = without(description, i, axis.length * next.length);
    }
  }
  return description;
};

const within = (length: number, valid: Valid | null): { readonly low: number; readonly high: number } => ({
  low: Math.max(0, valid?.[0] ?? 0),
  high: Math.min(length, valid?.[1] ?? length),
});

const describeDot = ({ params, aval }: Instruction, views: readonly [View, View]): Description => {
  const { lhsContract, rhsContract, lhsBatch, rhsBatch } = params as unknown as DotParams;
  const [lhs, rhs] = views;
  const names: [string[], string[]] = [[], []];
  const letters = new Map<string, Letter>();
  lhsBatch.forEach((axis, i) => {
    names[0][axis] = names[1][rhsBatch[i]!] = `b${i}`;
    letters.set(`b${i}`, { length: lhs.shape[axis]!, of: 'both' });
  });
  for (const [side, contract, batch] of [
    [0, lhsContract, lhsBatch],
    [1, rhsContract, rhsBatch],
  ] as const) {
    for (const axis of freeAxes(views[side].shape.length, contract, batch)) {
      const name = `${side}-${axis}`;
      names[side][axis] = name;
      letters.set(name, { length: views[side].shape[axis]!, of: side });
    }
  }
  const free = [...letters.keys()];
  // Terms go along the factor of which neighbours are terms.
  const order = range(lhsContract.length);
  const strides = (i: number): number =>
    Math.min(Math.abs(lhs.strides[lhsContract[i]!]!), Math.abs(rhs.strides[rhsContract[i]!]!));
  for (const i of order.sort((p, q) => strides(q) - strides(p))) {
    const axis = lhsContract[i]!;
    names[0][axis] = names[1][rhsContract[i]!] = `k${i}`;
    letters.set(`k${i}`, { length: lhs.shape[axis]!, of: 'term' });
  }
  const operand = (side: 0 | 1): Steps => ({
    offset: views[side].offset,
    steps: views[side].shape.map((length, axis) => ({
      sum: { [names[side][axis]!]: 1 },
      stride: views[side].strides[axis]!,
      ...within(length, views[side].valid[axis]!),
    })),
  });
  const own = stridesOf(aval.shape);
  return build({
    letters,
    tables: new Map(),
    operands: [operand(0), operand(1)],
    result: { offset: 0, steps: free.map((name, i) => ({ sum: { [name]: 1 }, stride: own[i]! })) },
  });
};

/** Where each of the letters stands. */
const lettersOf: Readonly<Record<ConvRole, readonly string[]>> = {
  input: ['n', 'g', 'c'],
  kernel: ['g', 'o', 'c'],
  output: ['n', 'g', 'o'],
};

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

interface Spatial {
  readonly stride: number;
  readonly dilation: number;
  readonly low: number;
}

const describeConv = ({ params, aval }: Instruction, views: readonly [View, View], classes: boolean): Description => {
  const { of, strides, dilation, padding } = params as unknown as ConvParams;
  const roles = operandRoles(of);
  const viewOf = (role: ConvRole): View | null => (role === of ? null : views[roles.indexOf(role) as 0 | 1]);
  const shapeOf = (role: ConvRole): readonly number[] => viewOf(role)?.shape ?? aval.shape;
  const lengthOf = (letter: string): number => {
    const role = roles.find(each => lettersOf[each].includes(letter))!;
    return shapeOf(role)[lettersOf[role].indexOf(letter)]!;
  };
  const sideOf = (letter: string): 0 | 1 => (lettersOf[roles[0]].includes(letter) ? 0 : 1);
  const letters = new Map<string, Letter>();
  const tables = new Map<string, { letter: string; values: readonly number[] }>();
  for (const letter of lettersOf[of])
    letters.set(letter, { length: lengthOf(letter), of: letter === 'g' ? 'both' : sideOf(letter) });
  const axes: readonly Spatial[] = strides.map((stride, i) => ({
    stride,
    dilation: dilation[i]!,
    low: padding[i]![0],
  }));
  /** By role and spatial axis. */
  const steps: Readonly<Record<ConvRole, Step[][]>> = { input: [], kernel: [], output: [] };
  const terms = new Map<string, Letter>();
  const term = ['n', 'o', 'c'].find(letter => !lettersOf[of].includes(letter))!;
  terms.set(term, { length: lengthOf(term), of: 'term' });
  axes.forEach(({ stride, dilation: apart, low }, i) => {
    const [s, k, t, r] = [`s${i}`, `k${i}`, `t${i}`, `r${i}`] as const;
    const axis = firstSpatial + i;
    const length = (role: ConvRole): number => shapeOf(role)[axis]!;
    const valid = (role: ConvRole) => within(length(role), viewOf(role)?.valid[axis] ?? null);
    const along = (role: ConvRole): number => viewOf(role)?.strides[axis] ?? stridesOf(aval.shape)[axis]!;
    const inputSide = of === 'input' ? roles.indexOf('output') : roles.indexOf('input');
    if (of !== 'input') {
      const [place, tap] = of === 'output' ? [letters, terms] : [terms, letters];
      place.set(t, { length: length('output'), of: of === 'output' ? (inputSide as 0 | 1) : 'term' });
      tap.set(k, { length: length('kernel'), of: of === 'output' ? 'term' : (inputSide as 0 | 1) });
      steps.input.push([
        { sum: { [t]: stride, [k]: apart }, constant: -low, stride: along('input'), ...valid('input') },
      ]);
      steps.kernel.push([{ sum: { [k]: 1 }, stride: along('kernel'), ...(of === 'kernel' ? {} : valid('kernel')) }]);
      steps.output.push([{ sum: { [t]: 1 }, stride: along('output'), ...(of === 'output' ? {} : valid('output')) }]);
      return;
    }
    const side = inputSide as 0 | 1;
    const taps = length('kernel');
    if (!classes || stride === 1) {
      letters.set(s, { length: length('input'), of: side });
      terms.set(k, { length: taps, of: 'term' });
      const place = { sum: { [s]: 1, [k]: -apart }, constant: low, divisor: stride, ...valid('output') };
      steps.input.push([{ sum: { [s]: 1 }, stride: along('input') }]);
      steps.output.push([{ ...place, stride: along('output') }]);
      // Where no place of the output is met there is no term: the other factor is zero, too.
      const whole = { ...place, low: Number.MIN_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, stride: 0 };
      steps.kernel.push([
        { sum: { [k]: 1 }, stride: along('kernel'), ...valid('kernel') },
        ...(stride === 1 ? [] : [whole]),
      ]);
      return;
    }
    // s = stride · s' + r: to each r come some of the taps, from the first on at the same distance.
    const apartTaps = stride / gcd(stride, apart);
    const count = Math.min(stride, length('input'));
    const first = Array.from({ length: count }, (_, remainder) => {
      const found = Array.from({ length: Math.min(apartTaps, taps) }, (_, tap) => tap).find(
        tap => (remainder + low - tap * apart) % stride === 0,
      );
      return found ?? null;
    });
    letters.set(s, { length: Math.ceil(length('input') / stride), of: side });
    letters.set(r, { length: count, of: 'both' });
    terms.set(k, { length: Math.ceil(taps / apartTaps), of: 'term' });
    // Remainders that no tap comes to begin behind the last.
    tables.set(`first ${i}`, { letter: r, values: first.map(tap => tap ?? taps) });
    tables.set(`origin ${i}`, {
      letter: r,
      values: first.map((tap, remainder) => (tap === null ? 0 : (remainder + low - tap * apart) / stride)),
    });
    const tap = { [`first ${i}`]: 1, [k]: apartTaps };
    const whole = { sum: { [s]: stride, [r]: 1 }, low: 0, high: length('input') };
    steps.input.push([{ ...whole, stride: along('input') }]);
    steps.kernel.push([{ sum: tap, stride: along('kernel'), ...valid('kernel') }]);
    steps.output.push([
      {
        sum: { [s]: 1, [`origin ${i}`]: 1, [k]: (-apartTaps * apart) / stride },
        stride: along('output'),
        ...valid('output'),
      },
      { sum: tap, low: 0, high: taps, stride: 0 },
    ]);
  });
  for (const [name, letter] of terms) letters.set(name, letter);
  const stepsOf = (role: ConvRole): Steps => {
    const view = viewOf(role);
    const own = view?.strides ?? stridesOf(aval.shape);
    return {
      offset: view?.offset ?? 0,
      steps: [
        ...lettersOf[role].map((letter, axis): Step => {
          const valid = view?.valid[axis] ?? null;
          return {
            sum: { [letter]: 1 },
            stride: own[axis]!,
            ...(valid === null ? {} : within(lengthOf(letter), valid)),
          };
        }),
        ...steps[role].flat(),
      ],
    };
  };
  return build({ letters, tables, operands: [stepsOf(roles[0]), stepsOf(roles[1])], result: stepsOf(of) });
};

/**
 * What an instruction computes of operands seen through views.
 *
 * @param classes whether the gradient of a strided convolution's input is described by remainders, each a batch of its
 * own with the taps that come to it, instead of by quotients; places of the result may then be beyond its end
 */
export const describe = (instruction: Instruction, views: readonly [View, View], classes: boolean): Description =>
  instruction.op === 'dotGeneral' ? describeDot(instruction, views) : describeConv(instruction, views, classes);

/** Axes of a role, innermost last. */
export const axesOf = ({ axes }: Description, role: Role): readonly number[] =>
  range(axes.length).filter(axis => axes[axis]!.role === role);

export const sizeOfRole = (description: Description, role: Role): number =>
  axesOf(description, role).reduce((size, axis) => size * description.axes[axis]!.length, 1);
