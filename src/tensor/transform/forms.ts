/** The forms of trees: what the trace of a function depends on, compared place by place without building anything. */
import { isPlainRecord, type Path, type PlainRecord, showPath } from '../../tree/tree.js';
import { ArgumentError } from '../errors.js';
import { resolve } from '../graph.js';
import { type Aval, sameShape, showAval } from '../shape.js';
import { isTensor, nodeOf, type Tensor } from '../tensor.js';

/** A leaf whose value a trace does not depend on. */
export type Dynamic = Tensor | number | boolean;

/** Arrays of the same length are of one form, whatever they hold is a form again. */
export interface ListForm {
  readonly kind: 'list';
  readonly items: readonly Form[];
}

/** What a tree is apart from the values of its dynamic leaves. */
export type Form =
  | { readonly kind: 'tensor'; readonly aval: Aval }
  | { readonly kind: 'number' }
  | { readonly kind: 'boolean' }
  /** A leaf that is the same each time; null, the empty tree, is one. */
  | { readonly kind: 'static'; readonly value: unknown }
  | ListForm
  | { readonly kind: 'record'; readonly keys: readonly string[]; readonly items: readonly Form[] };

/** The form of a tree, with its leaves judged by `leaf`, in order. */
export const formOf = (tree: unknown, leaf: (value: unknown) => Form): Form => {
  if (tree === null) return { kind: 'static', value: null };
  if (Array.isArray(tree)) return { kind: 'list', items: Array.from(tree, item => formOf(item, leaf)) };
  if (!isPlainRecord(tree)) return leaf(tree);
  const keys = Object.keys(tree).sort();
  return { kind: 'record', keys, items: keys.map(key => formOf(tree[key], leaf)) };
};

/** A leaf that must be the same each time. */
export const staticLeaf = (value: unknown): Form => ({ kind: 'static', value });

const dynamicLeaf = (operation: string, value: unknown): Form => {
  if (typeof value === 'number') return { kind: 'number' };
  if (typeof value === 'boolean') return { kind: 'boolean' };
  if (ArrayBuffer.isView(value)) throw refusedView(operation, value);
  if (!isTensor(value)) return staticLeaf(value);
  const { weak, shape, dtype } = nodeOf(value);
  // The placeholder of a number is handed on to a function that is jitted itself: there it is a number again.
  return weak === null ? { kind: 'tensor', aval: { shape, dtype } } : { kind: weak.kind };
};

const refusedView = (operation: string, value: ArrayBufferView): ArgumentError =>
  new ArgumentError({
    operation,
    given: `a ${Object.prototype.toString.call(value).slice(8, -1)} among the arguments`,
    rule: 'its numbers would be seen once, when the function is traced, and never again',
    hint: 'Make a tensor of it: tensor(values, shape).',
  });

/** The form of a list of arguments; those at the positions in `statics` are static as a whole. */
export const formOfArguments = (operation: string, args: readonly unknown[], statics: readonly number[]): ListForm => ({
  kind: 'list',
  items: args.map((argument, i) =>
    formOf(argument, statics.includes(i) ? staticLeaf : leaf => dynamicLeaf(operation, leaf)),
  ),
});

const isTensorOf = (value: unknown, { shape, dtype }: Aval): value is Tensor => {
  if (!isTensor(value)) return false;
  const node = resolve(nodeOf(value));
  return node.weak === null && node.dtype === dtype && sameShape(node.shape, shape);
};

/** Whether a leaf is a plain number or boolean, or the placeholder of one. */
const isPlain = (value: unknown, kind: 'number' | 'boolean'): value is Dynamic =>
  typeof value === kind || (isTensor(value) && nodeOf(value).weak?.kind === kind);

/** Whether the tree has the form. Its dynamic leaves are appended to `found`. */
export const matches = (form: Form, tree: unknown, found: Dynamic[]): boolean => {
  switch (form.kind) {
    case 'tensor':
      if (!isTensorOf(tree, form.aval)) return false;
      found.push(tree);
      return true;
    case 'static':
      return Object.is(tree, form.value);
    case 'list': {
      const { items } = form;
      if (!Array.isArray(tree) || tree.length !== items.length) return false;
      for (let i = 0; i < items.length; i++) if (!matches(items[i]!, tree[i], found)) return false;
      return true;
    }
    case 'record': {
      const { keys, items } = form;
      if (!isPlainRecord(tree) || Object.keys(tree).length !== keys.length) return false;
      for (let i = 0; i < keys.length; i++) {
        if (!Object.hasOwn(tree, keys[i]!) || !matches(items[i]!, tree[keys[i]!], found)) return false;
      }
      return true;
    }
    default:
      if (!isPlain(tree, form.kind)) return false;
      found.push(tree);
      return true;
  }
};

/** A frozen tree of the form; `next` gives its dynamic leaves in order. */
export const treeOf = (form: Form, next: () => unknown): unknown => {
  switch (form.kind) {
    case 'static':
      return form.value;
    case 'list':
      return Object.freeze(form.items.map(item => treeOf(item, next)));
    case 'record': {
      const built: Record<string, unknown> = {};
      form.keys.forEach((key, i) => {
        const value = treeOf(form.items[i]!, next);
        // Assigning to a key named __proto__ would set the prototype.
        if (key === '__proto__') Object.defineProperty(built, key, { value, enumerable: true });
        else built[key] = value;
      });
      return Object.freeze(built satisfies PlainRecord);
    }
    default:
      return next();
  }
};

/** The static leaves of a form, in order. */
export const staticsIn = (form: Form): readonly unknown[] => {
  if (form.kind === 'static') return form.value === null ? [] : [form.value];
  return 'items' in form ? form.items.flatMap(staticsIn) : [];
};

/** A form in words. */
export const showForm = (form: Form): string => {
  switch (form.kind) {
    case 'tensor':
      return showAval(form.aval);
    case 'list':
      return `an array of ${form.items.length}`;
    case 'record':
      return form.keys.length === 0 ? 'an empty record' : `a record of ${form.keys.join(', ')}`;
    case 'static':
      return showStatic(form.value);
    default:
      return `a ${form.kind}`;
  }
};

const showStatic = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  if (isTensor(value)) return `the tensor ${showAval(value)}`;
  if (typeof value === 'function') return `the function ${value.name === '' ? 'without a name' : value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? 'Object'}`;
};

/** A place where two forms differ. */
export interface Difference {
  readonly path: Path;
  readonly before: Form;
  readonly now: Form;
}

/** The first place where two forms differ. */
export const firstDifference = (before: Form, now: Form, path: Path = []): Difference | null => {
  const here = { path, before, now };
  if (before.kind === 'list' && now.kind === 'list') {
    if (before.items.length !== now.items.length) return here;
    return firstOf(before.items, now.items, i => [...path, i]);
  }
  if (before.kind === 'record' && now.kind === 'record') {
    if (before.keys.length !== now.keys.length || before.keys.some((key, i) => key !== now.keys[i])) return here;
    return firstOf(before.items, now.items, i => [...path, before.keys[i]!]);
  }
  if (before.kind === 'static' && now.kind === 'static') return Object.is(before.value, now.value) ? null : here;
  return before.kind === now.kind && showForm(before) === showForm(now) ? null : here;
};

const firstOf = (before: readonly Form[], now: readonly Form[], pathOf: (i: number) => Path): Difference | null => {
  for (let i = 0; i < before.length; i++) {
    const difference = firstDifference(before[i]!, now[i]!, pathOf(i));
    if (difference !== null) return difference;
  }
  return null;
};

/** A place among arguments in words: `argument 0 x[1]`. */
export const showPlace = ([argument, ...path]: Path): string =>
  `argument ${argument}${path.length === 0 ? '' : ` ${showPath(path)}`}`;

/** A difference in words: `argument 0 x[1]: float32[4] before, now float32[8]`. */
export const showDifference = ({ path, before, now }: Difference): string => {
  if (path.length === 0) {
    const [had, has] = [before, now].map(form => (form as ListForm).items.length);
    return `${had} arguments before, now ${has}`;
  }
  const [was, is] = [showForm(before), showForm(now)];
  return `${showPlace(path)}: ${was} before, now ${is === was ? 'another' : is}`;
};

/** A leaf whose value a trace does not depend on, and where it is. */
export interface DynamicLeaf {
  readonly path: Path;
  readonly form: Exclude<Form, { readonly kind: 'static' | 'list' | 'record' }>;
}

/** The dynamic leaves of a form, in order. */
export const dynamicLeaves = (form: Form, path: Path = []): readonly DynamicLeaf[] => {
  if (form.kind === 'static') return [];
  if (form.kind === 'list') return form.items.flatMap((item, i) => dynamicLeaves(item, [...path, i]));
  if (form.kind === 'record') return form.items.flatMap((item, i) => dynamicLeaves(item, [...path, form.keys[i]!]));
  return [{ path, form }];
};
