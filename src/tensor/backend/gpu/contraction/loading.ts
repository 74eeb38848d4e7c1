/** How factors get into the memory of a workgroup: who reads what, and where it is. */
import { allOf, dependsOn, indicesOf, inRange, isVector, type Names, partOf, withTables } from './addresses.js';
import { type Addresses, axesOf, type Description, sizeOfRole } from './description.js';
import { type Tiling, threadsOf } from './tiles.js';

export const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
export const list = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);

/** Names of indices, with something at their end: batches have one in all of a workgroup. */
export const namesOf = ({ axes, tables }: Description, end: string): Names => [
  ...axes.map(({ role }, axis) => (role === 'batch' ? `z${axis}` : `x${axis}${end}`)),
  ...tables.map((_, i) => `z${axes.length + i}`),
];

/** How far from each other neighbours along the innermost of these axes are. */
const strideOf = ({ coefficients }: Addresses, axes: readonly number[]): number => {
  const inner = axes.at(-1);
  const stride = inner === undefined ? 0 : Math.abs(coefficients[inner]!);
  return stride === 0 ? Number.POSITIVE_INFINITY : stride;
};

/**
 * Which of two orders the threads of a workgroup go along when they copy a tile of a factor, some terms of some rows or
 * columns.
 */
export class Loading {
  readonly memory: string;
  /** Vectors from term to term; one more than there are keeps threads that write terms out of each other's banks. */
  readonly pitch: number;
  /** Whether a buffer of vectors is read. */
  readonly vectors: boolean;
  /**
   * Whether the four of a vector are neighbours; else they are `groups` apart, so that neighbouring threads have
   * neighbours.
   */
  readonly packed: boolean;
  /** Rows or columns of a tile, four to a vector. */
  readonly groups: number;
  readonly #role: 'row' | 'column';
  readonly #map: Addresses;
  readonly #description: Description;
  readonly #tiling: Tiling;
  /** Whether threads next to each other read along rows or columns, and not along terms. */
  readonly #free: boolean;

  /**
   * @param floats of the factor's buffer
   * @param packs whether the four of a vector should be neighbours for the sake of the result
   */
  constructor(description: Description, tiling: Tiling, role: 'row' | 'column', floats: number, packs: boolean) {
    const map = role === 'row' ? description.left : description.right;
    const axes = axesOf(description, role);
    this.memory = role === 'row' ? 'tileA' : 'tileB';
    this.groups = (role === 'row' ? tiling.rows : tiling.columns) / 4;
    this.#role = role;
    this.#map = map;
    this.#description = description;
    this.#tiling = tiling;
    this.#free = strideOf(map, axes) <= strideOf(map, axesOf(description, 'term'));
    this.vectors = this.#free && isVector(map, axes, description) && floats % 4 === 0;
    // What neighbours read of single columns, neighbours write.
    this.packed = this.vectors || (packs && !this.#free);
    this.pitch = this.#free ? this.groups : this.groups + 1;
  }

  /** The index of one of the four of a group. */
  within(group: string, lane: string): string {
    return this.packed ? `${group} * 4u + ${lane}` : `${group} + ${lane} * ${this.groups}u`;
  }

  /** How often a thread loads, how far from each other, and whether some threads never do. */
  get #steps(): { readonly count: number; readonly apart: number; readonly idle: boolean } {
    const { depth } = this.#tiling;
    const threads = threadsOf(this.#tiling);
    const each = this.#free ? this.groups : depth;
    return {
      count: Math.ceil((this.groups * depth) / threads),
      apart: Math.max(1, Math.floor(threads / each)),
      idle: this.groups * depth < threads,
    };
  }

  get #size(): number {
    return sizeOfRole(this.#description, this.#role);
  }

  /** Whether no tile goes beyond the last row or column. */
  get #full(): boolean {
    return this.#size % (4 * this.groups) === 0;
  }

  /** What a thread knows of its addresses before the first term. */
  hoisted(): string[] {
    const { memory, groups } = this;
    const map = this.#map;
    const { count, apart } = this.#steps;
    const axes = axesOf(this.#description, this.#role);
    const mine = [...withTables(this.#description, 'batch'), ...axes];
    const terms = axesOf(this.#description, 'term');
    const first = this.#role === 'row' ? 'firstRow' : 'firstColumn';
    const along = this.#free ? groups : this.#tiling.depth;
    const lines = [`let ${memory}First = thread % ${along}u;`, `let ${memory}Second = thread / ${along}u;`];
    for (const i of list(this.#free ? 1 : count)) {
      for (const lane of list(this.vectors ? 1 : 4)) {
        const end = `${memory}${i}_${lane}`;
        const names = namesOf(this.#description, end);
        const group = this.#free ? `${memory}First` : `(${memory}Second + ${i * apart}u)`;
        lines.push(`let flat${end} = ${first} + ${this.within(group, `${lane}u`)};`);
        lines.push(...indicesOf(axes, this.#description, `flat${end}`, names));
        lines.push(`let at${end} = ${partOf(map, mine, names, true)};`);
        const conditions = this.#full ? [] : [`flat${end} < ${this.#size}u`];
        map.places.forEach((place, p) => {
          const sum = partOf(place, mine, names, true);
          if (dependsOn(place, terms)) lines.push(`let place${end}_${p} = ${sum};`);
          else conditions.push(inRange(`(${sum})`, place));
        });
        if (conditions.length > 0) lines.push(`let is${end} = ${allOf(conditions)};`);
      }
    }
    return lines;
  }

  /** Copies what a tile needs for the terms from `k` on out of a buffer. */
  load(buffer: string): string[] {
    const { memory, groups, vectors, pitch } = this;
    const map = this.#map;
    const description = this.#description;
    const { depth } = this.#tiling;
    const { count, apart, idle } = this.#steps;
    const terms = axesOf(description, 'term');
    const all = sizeOfRole(description, 'term');
    const bounded = all % depth !== 0;
    const conditional = !this.#full || map.places.some(place => !dependsOn(place, terms));
    const zero = vectors ? 'vec4<f32>()' : '0.0';
    const lines: string[] = [];
    // Many steps are a loop where they differ by their terms alone.
    const loops = this.#free && count > 2;
    for (const i of list(loops ? 1 : count)) {
      const end = `${memory}k${this.#free ? i : 0}`;
      const names = namesOf(description, end);
      if (this.#free || i === 0) {
        const along = loops ? `step * ${apart}u` : `${i * apart}u`;
        lines.push(`let lane${end} = ${this.#free ? `${memory}Second + ${along}` : `${memory}First`};`);
        lines.push(`let flat${end} = k + lane${end};`);
        lines.push(...indicesOf(terms, description, `flat${end}`, names));
        lines.push(`let at${end} = ${partOf(map, terms, names, false)};`);
      }
      const values = list(vectors ? 1 : 4).map(lane => {
        const mine = `${memory}${this.#free ? 0 : i}_${lane}`;
        const conditions = [
          ...(bounded ? [`flat${end} < ${all}u`] : []),
          ...(conditional ? [`is${mine}`] : []),
          ...map.places.flatMap((place, p) =>
            dependsOn(place, terms)
              ? [inRange(`(place${mine}_${p} + ${partOf(place, terms, names, false)})`, place)]
              : [],
          ),
        ];
        const index = `at${mine} + at${end}`;
        const value = `${buffer}[${vectors ? `(${index}) / 4u` : index}]`;
        return conditions.length === 0 ? value : `select(${zero}, ${value}, ${allOf(conditions)})`;
      });
      const group = this.#free ? `${memory}First` : `${memory}Second + ${i * apart}u`;
      const vector = vectors ? values[0]! : `vec4<f32>(${values.join(', ')})`;
      lines.push(`${memory}[lane${end} * ${pitch}u + ${group}] = ${vector};`);
    }
    if (loops) return [`for (var step = 0u; step < ${count}u; step++) {`, indent(lines.join('\n')), '}'];
    return idle ? [`if (thread < ${groups * depth}u) {`, indent(lines.join('\n')), '}'] : lines;
  }
}
