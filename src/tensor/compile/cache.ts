/** Programs that have been prepared for a backend, kept for when they come again. */
import type { Program } from './program.js';
import { sameProgram } from './program.js';

/** Instructions of a program and its bodies, and one for the program itself. */
const weightOf = ({ instructions }: Program): number =>
  instructions.reduce((sum, { bodies }) => sum + bodies.reduce((inner, body) => inner + weightOf(body), 1), 1);

interface Entry<T> {
  readonly program: Program;
  readonly made: T;
  /** When it was used last, in uses of the cache. */
  used: number;
}

/**
 * A map from programs to what was made of them, bounded by the instructions in them, the least recently used going
 * first. Programs are found by their structural hash and compared for equality, so a collision costs time and never a
 * wrong result.
 */
export class ProgramCache<T> {
  readonly #buckets = new Map<number, Entry<T>[]>();
  readonly #capacity: number;
  #size = 0;
  #uses = 0;
  /** How often something had to be made; for tests and reports. */
  made = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What was made of an equal program, or is made now. */
  get(program: Program, make: (program: Program) => T): T {
    const bucket = this.#buckets.get(program.hash);
    const known = bucket?.find(entry => sameProgram(entry.program, program));
    if (known !== undefined) {
      known.used = ++this.#uses;
      return known.made;
    }
    const made = make(program);
    this.made++;
    const entry: Entry<T> = { program, made, used: ++this.#uses };
    if (bucket === undefined) this.#buckets.set(program.hash, [entry]);
    else bucket.push(entry);
    this.#size += weightOf(program);
    if (this.#size > this.#capacity) this.#shrink(entry);
    return made;
  }

  /** Drops entries, those used longest ago first, until the others fit. Looks at all, which takes less than making one. */
  #shrink(newest: Entry<T>): void {
    const byUse = [...this.#buckets.values()].flat().sort((a, b) => a.used - b.used);
    for (const entry of byUse) {
      if (this.#size <= this.#capacity || entry === newest) return;
      const { hash } = entry.program;
      const left = this.#buckets.get(hash)!.filter(other => other !== entry);
      if (left.length === 0) this.#buckets.delete(hash);
      else this.#buckets.set(hash, left);
      this.#size -= weightOf(entry.program);
    }
  }
}
