/** Programs that have been prepared for a backend, kept for when they come again. */
import type { Program } from './program.js';
import { sameProgram } from './program.js';

/** Instructions of a program and its bodies, and one for the program itself. */
const weightOf = ({ instructions }: Program): number =>
  instructions.reduce((sum, { bodies }) => sum + bodies.reduce((inner, body) => inner + weightOf(body), 1), 1);

/**
 * A map from programs to what was made of them, bounded by the instructions in them, the least recently used going
 * first. Programs are found by
 * their structural hash and compared for equality, so a collision costs time and never a wrong result.
 */
export class ProgramCache<T> {
  readonly #entries = new Map<number, { readonly program: Program; readonly made: T }[]>();
  readonly #capacity: number;
  #size = 0;
  /** How often something had to be made; for tests and reports. */
  made = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What was made of an equal program, or is made now. */
  get(program: Program, make: (program: Program) => T): T {
    const bucket = this.#entries.get(program.hash) ?? [];
    // Taken out and put back: a Map keeps the order of insertion, so the first bucket is the least recently used.
    this.#entries.delete(program.hash);
    const known = bucket.find(entry => sameProgram(entry.program, program));
    const made = known === undefined ? make(program) : known.made;
    if (known === undefined) {
      this.made++;
      bucket.push({ program, made });
      this.#size += weightOf(program);
    }
    this.#entries.set(program.hash, bucket);
    for (const [hash, oldest] of this.#entries) {
      if (this.#size <= this.#capacity || hash === program.hash) break;
      this.#entries.delete(hash);
      for (const each of oldest) this.#size -= weightOf(each.program);
    }
    return made;
  }
}
