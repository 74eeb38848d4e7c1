/** Launches coming about one after another, and how a pass is written. */
import type { DType } from '../../../dtype.js';
import type { Coordinate } from '../language/code.js';
import { KernelCode } from '../language/kernel-code.js';
import { floatsOfScalar, type Scalar } from '../language/scalars.js';
import { floatsOf, type KernelPass, madeBy, type Pass, type Traits } from '../pass.js';
import { gridOf } from './indices.js';

/** The number of a buffer while a program runs. */
export type Value = number;

export interface Launch {
  readonly kind: 'launch';
  readonly pass: Pass;
  readonly reads: readonly Value[];
  readonly makes: readonly Value[];
}

/** Elements that neighbour each other in a buffer, from one of them on. */
export interface Operand {
  readonly value: Value;
  /** In elements. */
  readonly offset: number;
  /** Floats of the whole buffer. */
  readonly floats: number;
}

export class Sequence {
  readonly traits: Traits;
  readonly launches: Launch[] = [];
  readonly #fresh: () => Value;

  /** @param fresh the number of a new buffer */
  constructor(traits: Traits, fresh: () => Value) {
    this.traits = traits;
    this.#fresh = fresh;
  }

  /** The buffers that a pass makes. */
  launch(pass: Pass, reads: readonly Value[]): readonly Value[] {
    const makes = madeBy(pass).map(() => this.#fresh());
    this.launches.push({ kind: 'launch', pass, reads, makes });
    return makes;
  }
}

interface Description {
  /** Names of primitives. */
  readonly name: string;
  /** The shape of what it makes. */
  readonly lengths: readonly number[];
  readonly dtype: DType;
  /** Floats of each buffer that it reads. */
  readonly reads: readonly number[];
  readonly flops?: number;
}

/** A pass that makes an element of a shape in each thread; the halves of 32-bit integers in neighbouring ones. */
export const writePass = (
  traits: Traits,
  { name, lengths, dtype, reads, flops = 0 }: Description,
  element: (code: KernelCode, at: readonly Coordinate[]) => Scalar,
): KernelPass => {
  const code = new KernelCode(traits.integers);
  const halves = floatsOf[dtype] === 2;
  const { grid, at } = gridOf(code, halves ? [...lengths, 2] : lengths, traits, name);
  const [first, second] = floatsOfScalar(code, element(code, halves ? at.slice(0, -1) : at));
  const result = halves ? code.select(`${at.at(-1)!.integer} < 1`, first!, second!) : first!;
  return {
    kind: 'kernel',
    name,
    source: code.source(reads.length, result),
    grid,
    components: 1,
    reads,
    numbers: code.numbers,
    turns: code.turns,
    flops,
  };
};
