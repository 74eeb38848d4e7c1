/**
 * Contractions as shaders: a workgroup computes a tile of the result. It copies what the tile needs of both factors
 * into its memory, some terms at a time, and each thread multiplies rows and columns of it that it has in registers.
 *
 * A convolution is the same: only the addresses differ, which are made of the indices as a description says.
 */
import { type Shape, sizeOf } from '../../../shape.js';
import { floatsOfScalar } from '../language/scalars.js';
import { ShaderCode } from '../language/shader-code.js';
import type { Sequence, Value } from '../passes/sequence.js';
import { allOf, indicesOf, inRange, isVector, partOf, withTables, word } from './addresses.js';
import { axesOf, type Description, type Role, sizeOfRole } from './description.js';
import { buffersOf, type Epilogue, finish, lengthsIn } from './epilogue.js';
import { indent, Loading, list, namesOf } from './loading.js';
import { addParts, finishesParts, finishParts } from './parts.js';
import type { Read } from './plain.js';
import { type Tiling, threadsOf } from './tiles.js';

/** Workgroups that a device starts along an axis. */
const mostGroups = 65535;
/** Tiles of a band are begun one after another: they share columns while those are in the cache. */
const bandRows = 8;

interface Tiled {
  readonly name: string;
  readonly description: Description;
  readonly tiling: Tiling;
  /** The primitive's operands in their order. */
  readonly operands: readonly [Read, Read];
  /** Of the result. */
  readonly shape: Shape;
  /** The slot of the product, if it is wanted itself. */
  readonly product: number | null;
  readonly epilogue: Epilogue | null;
  /** Passes for a kernel behind what has been stored. */
  readonly behind: (sequence: Sequence, epilogue: Epilogue, value: Value, floats: number) => ReadonlyMap<number, Value>;
}

class Writer {
  readonly #given: Tiled;
  readonly #sizes: Readonly<Record<Role, number>>;
  readonly #threads: number;
  readonly #sides: readonly [Loading, Loading];
  /** Names of what they read. */
  readonly #buffers: readonly [string, string];
  readonly #reads: { readonly value: Value; readonly floats: number; readonly vectors: boolean }[] = [];
  readonly #vectorStores: boolean;

  constructor(given: Tiled) {
    this.#given = given;
    const { description, tiling, operands } = given;
    const { result, leftOperand } = description;
    const size = (role: Role): number => sizeOfRole(description, role);
    this.#sizes = { batch: size('batch'), row: size('row'), column: size('column'), term: size('term') };
    this.#threads = threadsOf(tiling);
    const columns = axesOf(description, 'column');
    const stores = isVector(result, columns, description);
    const [lhs, rhs] = [operands[leftOperand]!, operands[1 - leftOperand]!];
    this.#sides = [
      new Loading(description, tiling, 'row', lhs.floats, false),
      new Loading(description, tiling, 'column', rhs.floats, stores),
    ];
    this.#buffers = [this.#bind(lhs, this.#sides[0].vectors), this.#bind(rhs, this.#sides[1].vectors)];
    this.#vectorStores = stores && this.#sides[1].packed;
  }

  /** The name of a buffer that is read as floats or as vectors. */
  #bind({ value, floats }: Read, vectors: boolean): string {
    const known = this.#reads.findIndex(read => read.value === value && read.vectors === vectors);
    return `b${known >= 0 ? known : this.#reads.push({ value, floats, vectors }) - 1}`;
  }

  /** Launches it, and says what is where. */
  launch(sequence: Sequence): ReadonlyMap<number, Value> {
    const { name, description, tiling, shape, product, epilogue } = this.#given;
    const { splits } = tiling;
    const size = sizeOf(shape);
    const code = new ShaderCode();
    const whole = splits === 1;
    const stores = whole && epilogue !== null ? epilogue.kernel.stores.map(({ slot }) => slot) : [];
    const keepsProduct = product !== null || !whole;
    const finishing = stores.length === 0 ? '' : this.#finish(code, epilogue!);
    const made = [...(keepsProduct ? [size * splits] : []), ...stores.map(() => size)];
    const tiles = this.#tiles();
    const total = tiles.rows * tiles.columns * this.#sizes.batch * splits;
    const along = Math.min(total, mostGroups);
    const groups = Math.ceil(total / along);
    const element = (vector: boolean): string => (vector ? 'vec4<f32>' : 'f32');
    let binding = code.numbers.length > 0 ? 1 : 0;
    const source = [
      ...(binding === 0
        ? []
        : [`@group(0) @binding(0) var<uniform> numbers: array<vec4<f32>, ${Math.ceil(code.numbers.length / 4)}>;`]),
      ...this.#reads.map(
        ({ vectors }, i) => `@group(0) @binding(${binding++}) var<storage, read> b${i}: array<${element(vectors)}>;`,
      ),
      ...made.map(
        (_, i) =>
          `@group(0) @binding(${binding++}) var<storage, read_write> made${i}: array<${element(this.#vectorStores)}>;`,
      ),
      ...this.#sides.map(({ memory, pitch }) => `var<workgroup> ${memory}: array<vec4<f32>, ${pitch * tiling.depth}>;`),
      ...description.tables.map(
        ({ values }, i) => `const table${i} = array<u32, ${values.length}>(${values.map(word).join(', ')});`,
      ),
      finishing,
      `@compute @workgroup_size(${this.#threads})`,
      'fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {',
      indent(this.#body(total, along, keepsProduct, stores.length)),
      '}',
    ].join('\n');
    const makes = sequence.launch(
      {
        kind: 'shader',
        name,
        source,
        workgroups: [along, groups, 1],
        reads: this.#reads.map(({ floats }) => floats),
        makes: made,
        numbers: code.numbers,
        flops: 2 * size * this.#sizes.term,
      },
      this.#reads.map(({ value }) => value),
    );
    if (!whole) return this.#ofParts(sequence, makes[0]!);
    const results = new Map<number, Value>();
    if (product !== null) results.set(product, makes[0]!);
    stores.forEach((slot, i) => {
      results.set(slot, makes[i + (keepsProduct ? 1 : 0)]!);
    });
    return results;
  }

  /** What is made of the product's parts. */
  #ofParts(sequence: Sequence, value: Value): ReadonlyMap<number, Value> {
    const { name, tiling, shape, product, epilogue, behind } = this.#given;
    const [parts, size] = [tiling.splits, sizeOf(shape)];
    if (product === null && epilogue !== null && finishesParts(epilogue, parts)) {
      const { slot } = epilogue.kernel.stores[0]!;
      return new Map([[slot, finishParts(sequence, { name, shape, parts, value, epilogue })]]);
    }
    const whole = addParts(sequence, { name, dtype: 'float32', parts, size, value });
    return new Map([
      ...(product === null ? [] : [[product, whole] as const]),
      ...(epilogue === null ? [] : behind(sequence, epilogue, whole, size)),
    ]);
  }

  #tiles(): { readonly rows: number; readonly columns: number } {
    const { rows, columns } = this.#given.tiling;
    return { rows: Math.ceil(this.#sizes.row / rows), columns: Math.ceil(this.#sizes.column / columns) };
  }

  #body(total: number, along: number, keepsProduct: boolean, stores: number): string {
    const { description, tiling } = this.#given;
    const { rows, columns, depth, threadRows, threadColumns, splits, turns } = tiling;
    const tiles = this.#tiles();
    const lines: string[] = [];
    const put = (...more: readonly string[]): void => {
      lines.push(...more);
    };
    put(total > along ? `let id = workgroup.x + workgroup.y * ${along}u;` : 'let id = workgroup.x;');
    if (total > along) put(`if (id >= ${total}u) { return; }`);
    // Tiles by band, down its columns; parts of the terms and batches outside of that.
    put(`let tile = id % ${tiles.rows * tiles.columns}u;`, `let outer = id / ${tiles.rows * tiles.columns}u;`);
    put(`let band = tile / ${bandRows * tiles.columns}u;`, `let inBand = tile % ${bandRows * tiles.columns}u;`);
    put(`let height = min(${bandRows}u, ${tiles.rows}u - band * ${bandRows}u);`);
    put(`let firstRow = (band * ${bandRows}u + inBand % height) * ${rows}u;`);
    put(`let firstColumn = (inBand / height) * ${columns}u;`);
    put(`let part = outer % ${splits}u;`, `let batch = outer / ${splits}u;`);
    const names = namesOf(description, '');
    put(...indicesOf(axesOf(description, 'batch'), description, 'batch', names));
    description.tables.forEach(({ axis }, i) => {
      put(`let z${description.axes.length + i} = table${i}[${names[axis]}];`);
    });
    const across = columns / threadColumns;
    const [threadsDown, rowGroups, columnGroups] = [rows / threadRows, threadRows / 4, threadColumns / 4];
    put(`let tx = thread % ${across}u;`, `let ty = thread / ${across}u;`);
    for (const side of this.#sides) put(...side.hoisted());
    for (const i of list(threadRows)) for (const j of list(columnGroups)) put(`var c${i}_${j} = vec4<f32>();`);
    const end = splits === 1 ? `${this.#sizes.term}u` : `min(${this.#sizes.term}u, (part + 1u) * ${turns}u)`;
    put(`let end = ${end};`);
    put(`for (var k = part * ${turns}u; k < end; k += ${depth}u) {`);
    this.#sides.forEach((side, i) => {
      put(indent(side.load(this.#buffers[i]!).join('\n')));
    });
    put('  workgroupBarrier();');
    put(`  for (var d = 0u; d < ${depth}u; d++) {`);
    const [a, b] = this.#sides;
    for (const i of list(rowGroups)) put(`    let a${i} = tileA[d * ${a.pitch}u + ty + ${i * threadsDown}u];`);
    for (const j of list(columnGroups)) put(`    let b${j}v = tileB[d * ${b.pitch}u + tx + ${j * across}u];`);
    for (const i of list(threadRows)) {
      const factor = `vec4<f32>(a${i >> 2}.${'xyzw'[i & 3]})`;
      for (const j of list(columnGroups)) put(`    c${i}_${j} = fma(${factor}, b${j}v, c${i}_${j});`);
    }
    put('  }', '  workgroupBarrier();', '}');
    put(...this.#store(keepsProduct, stores));
    return lines.join('\n');
  }

  /** A function of an element and its place that gives what the epilogue stores. */
  #finish(code: ShaderCode, epilogue: Epilogue): string {
    const { shape } = this.#given;
    for (const [value, floats] of buffersOf(epilogue)) this.#bind({ value, floats }, false);
    const space = lengthsIn(epilogue.kernel);
    const at = this.#coordinates(space, shape);
    const scalars = finish(
      code,
      epilogue,
      { kind: 'float', x: 'product' },
      {
        at: at.names.map(name => ({ integer: name, float: `f32(${name})` })),
        positionOf: value => this.#reads.findIndex(read => read.value === value && !read.vectors),
        asFloat: index => `f32(${index})`,
      },
    );
    const results = scalars.map(scalar => floatsOfScalar(code, scalar)[0]!);
    return [
      ...(results.length > 1 ? [`struct Stored { ${results.map((_, i) => `m${i}: f32`).join(', ')} }`] : []),
      `fn finish(product: f32, flat: u32) -> ${results.length > 1 ? 'Stored' : 'f32'} {`,
      indent(
        [...at.lines, code.text, `return ${results.length > 1 ? `Stored(${results.join(', ')})` : results[0]!};`].join(
          '\n',
        ),
      ),
      '}',
    ].join('\n');
  }

  /** Indices of a space of the shape's elements in row-major order. */
  #coordinates(space: Shape, shape: Shape): { readonly lines: readonly string[]; readonly names: readonly string[] } {
    const lines: string[] = [];
    const names = space.map((_, axis) => `i${axis}`);
    let inner = sizeOf(shape);
    space.forEach((length, axis) => {
      const outer = inner;
      inner /= length;
      const whole = axis === 0 || outer === sizeOf(shape) ? 'flat' : `flat % ${outer}u`;
      lines.push(`let ${names[axis]} = ${length === 1 ? '0u' : `(${whole}) / ${inner}u`};`);
    });
    return { lines, names };
  }

  #store(keepsProduct: boolean, stores: number): string[] {
    const { description, tiling, shape } = this.#given;
    const { rows, columns, threadRows, threadColumns, splits } = tiling;
    const { result } = description;
    const [down, across] = [rows / threadRows, columns / threadColumns];
    const [rowSide, columnSide] = this.#sides;
    const lines: string[] = [];
    const vectors = this.#vectorStores;
    const [rowAxes, columnAxes] = [axesOf(description, 'row'), axesOf(description, 'column')];
    const batch = withTables(description, 'batch');
    const columnsFull = this.#sizes.column % columns === 0;
    lines.push(`let atBatch = ${partOf(result, batch, namesOf(description, ''), true)};`);
    for (const j of list(threadColumns / 4)) {
      for (const lane of list(vectors ? 1 : 4)) {
        const end = `c${j}_${lane}`;
        const names = namesOf(description, end);
        lines.push(`let flat${end} = firstColumn + ${columnSide.within(`(tx + ${j * across}u)`, `${lane}u`)};`);
        lines.push(...indicesOf(columnAxes, description, `flat${end}`, names));
        lines.push(`let at${end} = ${partOf(result, columnAxes, names, false)};`);
      }
    }
    /** The condition under which there is such a place of the result. */
    const isThere = (rowEnd: string, columnEnd: string): readonly string[] =>
      result.places.map(place => {
        const sums = [
          partOf(place, batch, namesOf(description, ''), true),
          partOf(place, rowAxes, namesOf(description, rowEnd), false),
          partOf(place, columnAxes, namesOf(description, columnEnd), false),
        ];
        return inRange(`(${sums.join(' + ')})`, place);
      });
    // A loop, so that what the epilogue does is compiled once and not for each row.
    const body: string[] = [];
    const columnGroups = list(threadColumns / 4);
    for (const j of columnGroups) body.push(`var sum${j} = c0_${j};`);
    const cases = list(threadRows)
      .slice(1)
      .map(i => {
        const assignments = columnGroups.map(j => `sum${j} = c${i}_${j};`);
        return `case ${i}u: { ${assignments.join(' ')} }`;
      });
    body.push('switch i {', indent([...cases, 'default: { }'].join('\n')), '}');
    const group = `(ty + (i / 4u) * ${down}u)`;
    body.push(`let flatRow = firstRow + ${rowSide.within(group, '(i % 4u)')};`);
    if (this.#sizes.row % rows !== 0) body.push(`if (flatRow >= ${this.#sizes.row}u) { continue; }`);
    const names = namesOf(description, 'Row');
    body.push(...indicesOf(rowAxes, description, 'flatRow', names));
    body.push(`let atRow = atBatch + ${partOf(result, rowAxes, names, false)};`);
    for (const j of columnGroups) {
      for (const lane of list(vectors ? 1 : 4)) {
        const columnEnd = `c${j}_${lane}`;
        const conditions = [
          ...(columnsFull ? [] : [`flat${columnEnd} < ${this.#sizes.column}u`]),
          ...isThere('Row', columnEnd),
        ];
        const parts = vectors ? ['x', 'y', 'z', 'w'] : ['xyzw'[lane]!];
        const part = splits > 1 ? `part * ${sizeOf(shape)}u` : null;
        const inner = this.#writes(`sum${j}`, parts, `atRow + at${columnEnd}`, keepsProduct, stores, part);
        body.push(conditions.length === 0 ? '{' : `if (${allOf(conditions)}) {`, indent(inner.join('\n')), '}');
      }
    }
    lines.push(`for (var i = 0u; i < ${threadRows}u; i++) {`, indent(body.join('\n')), '}');
    return lines;
  }

  /** Writes one or four neighbouring elements. */
  #writes(
    sum: string,
    parts: readonly string[],
    at: string,
    keepsProduct: boolean,
    stores: number,
    part: string | null,
  ): string[] {
    const vector = parts.length > 1;
    const lines = [`let at = ${at};`];
    const index = (whole: string): string => (vector ? `(${whole}) / 4u` : whole);
    const all = vector ? sum : `${sum}.${parts[0]}`;
    if (keepsProduct) lines.push(`made0[${index(part === null ? 'at' : `${part} + at`)}] = ${all};`);
    if (stores === 0) return lines;
    parts.forEach((lane, i) => {
      lines.push(`let done${i} = finish(${sum}.${lane}, at + ${i}u);`);
    });
    for (const store of list(stores)) {
      const values = parts.map((_, i) => (stores > 1 ? `done${i}.m${store}` : `done${i}`));
      const value = vector ? `vec4<f32>(${values.join(', ')})` : values[0]!;
      lines.push(`made${store + (keepsProduct ? 1 : 0)}[${index('at')}] = ${value};`);
    }
    return lines;
  }
}

/** The passes, and the buffers of the product and of the epilogue's stores by slot. */
export const tiled = (sequence: Sequence, given: Tiled): ReadonlyMap<number, Value> =>
  new Writer(given).launch(sequence);
