/**
 * Reads golden reference data (format: README.md in this folder) and compares with it.
 *
 * No test runner in here: a test file turns what {@link goldenTests} returns into `it`s. Environment:
 * - `GOLDEN_DIR`: another folder of the same form, instead of this one;
 * - `GOLDEN_GROUPS`: comma-separated groups to test, instead of all.
 * Nothing is left out silently: a group without files, without cases or without a test fails.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Where the data is. */
const goldenDir: string = process.env.GOLDEN_DIR ? resolve(process.env.GOLDEN_DIR) : here;

// ---- Which groups -------------------------------------------------------------------------------------------------

/** The groups that `GOLDEN_GROUPS` asks for; undefined when it is not set or empty, which means all. */
const requestedGroups = (): readonly string[] | undefined => {
  const names = (process.env.GOLDEN_GROUPS ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
  return names.length > 0 ? names : undefined;
};

/** Whether the tests of a group are to run. */
export const selected = (group: string): boolean => requestedGroups()?.includes(group) ?? true;

/** The groups that have a test file of their name in this folder. */
export const groupsWithTestFile = (): readonly string[] =>
  readdirSync(here)
    .filter(file => file.endsWith('.test.ts'))
    .map(file => file.slice(0, -'.test.ts'.length));

/** The groups that `GOLDEN_GROUPS` asks for and nobody tests: a test has to fail if there are any. */
export const unsupportedGroups = (supported: readonly string[]): readonly string[] =>
  (requestedGroups() ?? []).filter(group => !supported.includes(group));

// ---- The index: JSON, read without trusting it --------------------------------------------------------------------

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const show = (json: unknown): string => {
  const text = JSON.stringify(json) ?? String(json);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

const refuse = (json: unknown, wanted: string): never => {
  throw new Error(`golden index: expected ${wanted}, found ${show(json)}`);
};

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

export const objectOf = (json: Json | undefined): JsonObject => (isObject(json) ? json : refuse(json, 'an object'));

export const arrayOf = (json: Json | undefined): readonly Json[] =>
  Array.isArray(json) ? (json as readonly Json[]) : refuse(json, 'an array');

export const stringOf = (json: Json | undefined): string =>
  typeof json === 'string' ? json : refuse(json, 'a string');

export const booleanOf = (json: Json | undefined): boolean =>
  typeof json === 'boolean' ? json : refuse(json, 'a boolean');

/** A number, or one of the strings "inf", "-inf", "nan" that stand for what JSON cannot write. */
export const numberOf = (json: Json | undefined): number => {
  if (typeof json === 'number') return json;
  if (json === 'inf') return Number.POSITIVE_INFINITY;
  if (json === '-inf') return Number.NEGATIVE_INFINITY;
  if (json === 'nan') return Number.NaN;
  return refuse(json, 'a number');
};

export const numbersOf = (json: Json | undefined): readonly number[] => arrayOf(json).map(numberOf);

/** The value at a path, which must be there: `at(testCase, 'args', 'T')`. */
export const at = (json: Json, ...path: readonly (string | number)[]): Json =>
  path.reduce((value: Json, key): Json => {
    const next = typeof key === 'number' ? arrayOf(value)[key] : isObject(value) ? value[key] : undefined;
    return next === undefined ? refuse(value, `something with '${key}' (path ${path.join('.')})`) : next;
  }, json);

// ---- The data -----------------------------------------------------------------------------------------------------

type GoldenDType = 'F64' | 'F32' | 'I32' | 'U8';

interface GoldenTensor {
  readonly dtype: GoldenDType;
  readonly shape: readonly number[];
  /** The caller's own copy. */
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

export interface GoldenCase extends JsonObject {
  readonly name: string;
}

export interface GoldenGroup {
  readonly name: string;
  readonly index: JsonObject;
  readonly cases: readonly GoldenCase[];
  /** The tensor that a mention in the index stands for. */
  readonly tensor: (ref: Json | undefined) => GoldenTensor;
}

const arrays = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const;

const isDType = (json: Json): json is GoldenDType => typeof json === 'string' && Object.hasOwn(arrays, json);

/** Whether a value of the index mentions a tensor. */
const isTensorRef = (json: Json | undefined): json is JsonObject =>
  isObject(json) && typeof json.tensor === 'string' && json.offset !== undefined;

const readTensor = (bytes: Uint8Array, ref: Json | undefined): GoldenTensor => {
  if (!isTensorRef(ref)) return refuse(ref, 'a tensor');
  const dtype = at(ref, 'dtype');
  if (!isDType(dtype)) return refuse(dtype, Object.keys(arrays).join(' or '));
  const shape = numbersOf(at(ref, 'shape'));
  const length = shape.reduce((size, n) => size * n, 1);
  const start = numberOf(at(ref, 'offset'));
  const end = start + length * arrays[dtype].BYTES_PER_ELEMENT;
  if (end > bytes.length) return refuse(ref, `a tensor within the file's ${bytes.length} bytes`);
  // Always copied: Node may place a small file anywhere in a shared pool, and a view could be written to.
  return { dtype, shape, data: new arrays[dtype](bytes.slice(start, end).buffer as ArrayBuffer) };
};

const isCase = (json: Json): json is GoldenCase => isObject(json) && typeof json.name === 'string';

/**
 * Reads a group from `directory`.
 *
 * @throws Error when a file is missing or the index is not what it says it is
 */
export const readGroup = (name: string, directory: string = goldenDir): GoldenGroup => {
  const index = objectOf(JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as Json);
  const cases = arrayOf(at(index, 'cases')).map(c => (isCase(c) ? c : refuse(c, 'a case with a name')));
  if (at(index, 'group') !== name) refuse(index.group, `the group ${name}`);
  // A cut-off index would otherwise pass by testing less.
  if (cases.length === 0 || at(index, 'case_count') !== cases.length) {
    refuse(index.case_count, `case_count to be the number of cases, ${cases.length}, and not 0`);
  }
  const bytes = new Uint8Array(readFileSync(join(directory, `${name}.safetensors`)));
  return { name, index, cases, tensor: ref => readTensor(bytes, ref) };
};

/** One `it`. */
export interface GoldenTest {
  readonly title: string;
  readonly run: () => void | Promise<void>;
}

/**
 * One test a case, titled `group/case`; a group that cannot be read becomes one test that fails with the reason.
 *
 * @param check compares one case; it throws on a kind of case that it does not know
 * @example
 * const suite = selected('rng') ? describe : describe.skip;
 * suite('rng', () => { for (const { title, run } of goldenTests('rng', check)) it(title, run); });
 */
export const goldenTests = (
  group: string,
  check: (testCase: GoldenCase, group: GoldenGroup) => void | Promise<void>,
  directory: string = goldenDir,
): readonly GoldenTest[] => {
  try {
    const read = readGroup(group, directory);
    return read.cases.map(c => ({ title: `${group}/${c.name}`, run: () => check(c, read) }));
  } catch (reason) {
    const failing = (): never => {
      throw new Error(`the golden group ${group} cannot be read from ${directory}`, { cause: reason });
    };
    return [{ title: `${group}/(read ${group}.json and ${group}.safetensors)`, run: failing }];
  }
};

/** For a `check` that meets a case it has no test for. */
export const unknownCase = (what: string, value: Json | undefined): never => {
  throw new Error(`no golden test for the ${what} ${show(value)}`);
};

// ---- Comparing ----------------------------------------------------------------------------------------------------

/** What can be compared: a shape with its elements in row-major order, a vector, or a scalar. */
export type Values =
  | number
  | ArrayLike<number>
  | { readonly shape: readonly number[]; readonly data: ArrayLike<number> };

interface Elements {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

const elementsOf = (values: Values): Elements => {
  if (typeof values === 'number') return { shape: [], data: [values] };
  return 'data' in values ? values : { shape: [values.length], data: values };
};

const indexOf = (flat: number, shape: readonly number[]): string => {
  const index: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return `[${index.join(', ')}]`;
};

/** How far `got` is from `ref`: 0 for equal infinities and for two NaNs, infinite where only one is special. */
const distance = (got: number, ref: number): number => {
  if (got === ref || (Number.isNaN(got) && Number.isNaN(ref))) return 0;
  const difference = Math.abs(got - ref);
  return Number.isFinite(got) && Number.isFinite(ref) ? difference : Number.POSITIVE_INFINITY;
};

/**
 * Throws unless every element lies within `bound(ref)` of its reference. `where` is the case and the output; the
 * message also has the element that is furthest beyond its bound.
 */
const within = (where: string, got: Values, ref: Values, bound: (ref: number) => number): void => {
  const a = elementsOf(got);
  const b = elementsOf(ref);
  if (a.shape.length !== b.shape.length || a.shape.some((n, axis) => n !== b.shape[axis])) {
    throw new Error(`${where}: got the shape [${a.shape.join(', ')}], the reference has [${b.shape.join(', ')}]`);
  }
  if (a.data.length !== b.data.length) {
    throw new Error(`${where}: got ${a.data.length} elements, the reference has ${b.data.length}`);
  }
  let worst = -1;
  let excess = 0;
  let failures = 0;
  for (let i = 0; i < b.data.length; i++) {
    const limit = bound(b.data[i]!);
    const difference = distance(a.data[i]!, b.data[i]!);
    // Not `difference > limit`: a limit of NaN must fail.
    if (difference <= limit) continue;
    failures++;
    const ratio = limit > 0 ? difference / limit : Number.POSITIVE_INFINITY;
    if (worst < 0 || ratio > excess) {
      worst = i;
      excess = ratio;
    }
  }
  if (worst < 0) return;
  const limit = bound(b.data[worst]!);
  throw new Error(
    `${where}: ${failures} of ${b.data.length} elements differ, worst at ${indexOf(worst, b.shape)}: ` +
      `got ${a.data[worst]}, reference ${b.data[worst]}, difference ${distance(a.data[worst]!, b.data[worst]!)}, ` +
      `bound ${limit}`,
  );
};

/** A float64 result: |got − ref| ≤ bound · (1 + |ref|). Take 1e-9 for long recursions. */
export const withinF64 = (where: string, got: Values, ref: Values, bound = 1e-12): void =>
  within(where, got, ref, r => bound * (1 + (Number.isFinite(r) ? Math.abs(r) : 0)));

/** The largest magnitude among the finite elements. */
const largest = ({ data }: Elements): number => {
  let max = 0;
  for (let i = 0; i < data.length; i++) if (Number.isFinite(data[i])) max = Math.max(max, Math.abs(data[i]!));
  return max;
};

/** The `{max_abs, max_ref}` or `[max_abs, max_ref]` of an entry of `f32_err`. */
const errorPair = (error: Json): readonly [number, number] =>
  Array.isArray(error)
    ? [numberOf(at(error as readonly Json[], 0)), numberOf(at(error as readonly Json[], 1))]
    : [numberOf(at(error, 'max_abs')), numberOf(at(error, 'max_ref'))];

/**
 * A float32 result against the float64 reference: max|got − ref| ≤ 10 · max_abs + 2e-6 · max_ref + 1e-7.
 *
 * @param error the case's entry of `f32_err` for this output. Where there is none, max_abs is taken to be 0 and max_ref
 *   the largest finite magnitude of the reference: the strictest reading
 */
export const withinF32 = (where: string, got: Values, ref: Values, error: Json | undefined): void => {
  const [maxAbs, maxRef] = error === undefined ? [0, largest(elementsOf(ref))] : errorPair(error);
  const limit = 10 * maxAbs + 2e-6 * maxRef + 1e-7;
  if (!Number.isFinite(limit)) throw new Error(`${where}: f32_err ${show(error)} gives no finite bound`);
  within(where, got, ref, () => limit);
};

/** Integers, masks and bytes: equal. */
export const exactly = (where: string, got: Values, ref: Values): void => within(where, got, ref, () => 0);
